"""Masks of people and animals: they lie in their boxes, wherever these are, and a view without boxes costs nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from converseg_ros.core.frame import Frame
from converseg_ros.datasets import regions
from converseg_ros.network.encoders.nanodet import AGENTS, KIND_NAMES
from converseg_ros.network.registry import find_model
from converseg_ros.network.segments import proposer as proposers
from converseg_ros.network.segments.agents import (
    INPUT,
    MARGIN,
    SIDE,
    AgentNet,
    agents_of,
    placed,
    regions_of_interest,
)
from converseg_ros.network.segments.backbone import load_backbone
from converseg_ros.network.segments.boundary import NECK, PIXEL, BoundaryMaps, BoundaryNet
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.quality import QualityNet

BORDER = [[-0.1, -0.1, 0.2, 0.3], [0.8, 0.9, 1.2, 1.05], [0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]]


def maps_of(seed: int = 0) -> tuple[BoundaryMaps, Tensor]:
    """Return random maps of a view of 160x120, and the finest level of the detector's neck."""
    draw = torch.Generator().manual_seed(seed)
    sizes = ((1, 60, 80), (1, 60, 80), (1, 60, 80), (1, 4, 30, 40), (1, 2, 30, 40), (1, PIXEL, 30, 40))
    maps = BoundaryMaps(*(torch.randn(*size, generator=draw) for size in sizes))
    return maps, torch.randn(1, NECK, 15, 20, generator=draw)


@pytest.fixture
def network() -> AgentNet:
    torch.manual_seed(0)
    return AgentNet().eval()


def test_the_classes_are_those_of_people_and_animals() -> None:
    assert {KIND_NAMES[index][0] for index in AGENTS} == regions.AGENTS


def test_regions_of_interest_show_what_is_at_their_place() -> None:
    maps, neck = maps_of()
    column = torch.arange(40, dtype=torch.float32).expand(1, PIXEL, 30, 40)
    found = regions_of_interest(maps._replace(pixels=column), neck, torch.tensor([[0.25, 0.25, 0.75, 0.75]]))
    assert found.shape == (1, INPUT, SIDE, SIDE)
    row = found[0, 0, SIDE // 2]
    wide = 0.5 * (1 + 2 * MARGIN)
    expected = 40 * (0.5 - wide / 2 + wide * (torch.arange(SIDE) + 0.5) / SIDE) - 0.5
    assert torch.allclose(row, expected, atol=1e-3)


def test_a_vote_for_the_centre_of_the_box_is_zero() -> None:
    maps, neck = maps_of()
    box = torch.tensor([[0.25, 0.25, 0.75, 0.75]])
    x, y = ((torch.arange(n) + 0.5) / n for n in (40, 30))
    vote = torch.stack([(0.5 - x).expand(30, 40) * 80, (0.5 - y)[:, None].expand(30, 40) * 60])[None] / 64
    target = regions_of_interest(maps._replace(vote=vote), neck, box)[0, PIXEL + 4 : PIXEL + 6]
    assert target.abs().max() < 1e-3


@torch.no_grad()
def test_masks_lie_in_their_boxes_also_at_the_border(network: AgentNet) -> None:
    boxes = torch.tensor([[*box, 0.5] for box in [[0.3, 0.2, 0.6, 0.7], *BORDER]])
    maps, neck = maps_of()
    found = agents_of(network, maps, neck, boxes)
    assert found.masks.shape == (5, 60, 80) and found.quality.shape == (5,)
    assert np.isfinite(found.masks).all() and ((found.quality > 0) & (found.quality < 1)).all()
    y, x = (np.mgrid[:60, :80] + 0.5) / np.array([60, 80])[:, None, None]
    for mask, (x0, y0, x1, y1, _) in zip(found.masks, boxes.tolist()):
        wide, high = (MARGIN + 1 / SIDE) * (x1 - x0), (MARGIN + 1 / SIDE) * (y1 - y0)
        outside = (x < x0 - wide) | (x > x1 + wide) | (y < y0 - high) | (y > y1 + high)
        assert not mask[outside].any()
    assert found.masks[3].any((0, 1)) and not found.masks[4].any(), 'a box without area has no mask'


@torch.no_grad()
def test_boxes_do_not_depend_on_each_other(network: AgentNet) -> None:
    maps, neck = maps_of()
    boxes = torch.tensor([[0.3, 0.2, 0.6, 0.7, 0.9], [0.1, 0.1, 0.5, 0.9, 0.3]])
    both, one = agents_of(network, maps, neck, boxes), agents_of(network, maps, neck, boxes[1:])
    assert np.allclose(both.masks[1], one.masks[0], atol=1e-4) and both.quality[1] == pytest.approx(
        one.quality[0], abs=1e-4
    )
    nothing = agents_of(network, maps, neck, boxes[:0])
    assert nothing.masks.shape == (0, 60, 80) and nothing.quality.shape == (0,)


def test_a_mask_is_placed_where_its_box_is() -> None:
    masks = torch.zeros(1, SIDE, SIDE)
    masks[:, : SIDE // 2] = 1  # the upper half of the box
    found = placed(masks, torch.tensor([[0.5, 0.25, 0.75, 0.75]]), (60, 80))[0]
    y, x = torch.nonzero(found > 0.5, as_tuple=True)
    assert (x.min() - 40, x.max() - 59) == pytest.approx((-0.25 * MARGIN * 80, 0.25 * MARGIN * 80), abs=1)
    assert (y.min(), y.max()) == pytest.approx((15 - 0.5 * MARGIN * 60, 29), abs=1)


def view() -> Frame:
    rgb = np.full((240, 320, 3), 120, np.uint8)
    rgb[80:180, 120:180] = (200, 30, 30)
    return Frame(rgb)


def proposer(network: AgentNet | None) -> TreeProposer:
    torch.manual_seed(0)
    return TreeProposer(load_backbone(find_model('compact')), BoundaryNet(), QualityNet(), network)


def test_a_view_without_people_costs_nothing(network: AgentNet, monkeypatch: pytest.MonkeyPatch) -> None:
    with_network, without = proposer(network), proposer(None)
    monkeypatch.setattr(network, 'forward', lambda *_: pytest.fail('no box is that of a person'))
    one, other = with_network.propose(view()), without.propose(view())
    assert np.array_equal(one.masks, other.masks) and np.array_equal(one.quality, other.quality)


def test_only_sure_boxes_of_people_are_used(network: AgentNet, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = torch.tensor([[0.3, 0.3, 0.6, 0.8, s] for s in (0.9, 0.5, 0.1)])
    monkeypatch.setattr(proposers, 'detected', lambda _: (boxes, torch.tensor([False, True, True])))
    maps = proposer(network).maps(view())
    assert maps.agents is not None and maps.agents.masks.shape == (1, *maps.boundary.shape)
    assert len(maps.boxes) == 3
    assert proposer(None).maps(view()).agents is None


def test_segments_with_a_person_keep_the_contract(network: AgentNet, monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = torch.tensor([[0.35, 0.3, 0.6, 0.8, 0.9], [0.0, 0.1, 0.4, 1.0, 0.4]])
    monkeypatch.setattr(proposers, 'detected', lambda _: (boxes, torch.tensor([True, True])))
    tree = proposer(network)
    proposals = tree.nodes(view())
    kinds = np.tile(np.array([0, 0, 0, 1], np.float32), (len(proposals.tree), 1))
    found = tree.choose(replace(proposals, kinds=kinds), (240, 320))
    assert found.masks[found.flat].sum(0).max() <= 1
    for index in np.flatnonzero(found.parent >= 0):
        assert not (found.masks[index] & ~found.masks[found.parent[index]]).any()
