"""Segments of views of any kind; the networks are untrained, so that only what always holds is checked."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
import pytest
import torch

from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.segments import Segments
from converseg_ros.network.registry import find_model
from converseg_ros.network.segments.backbone import load_backbone, working_size
from converseg_ros.network.segments.boundary import BoundaryNet
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.quality import QualityNet


@pytest.fixture(scope='module')
def proposer() -> TreeProposer:
    torch.manual_seed(0)
    return TreeProposer(load_backbone(find_model('compact')), BoundaryNet(), QualityNet())


def scene(height: int = 480, width: int = 640) -> Frame:
    """Return a level table seen from above with three boxes on it, 5 cm high, and its depth."""
    rng = np.random.default_rng(0)
    rgb = np.full((height, width, 3), 180, np.uint8)
    depth = np.full((height, width), 0.8, np.float32)
    for i, colour in enumerate(((200, 30, 30), (30, 160, 40), (20, 40, 180))):
        y, x = int(height * (0.2 + 0.2 * i)), int(width * (0.1 + 0.28 * i))
        box = np.s_[y : y + height // 5, x : x + width // 6]
        rgb[box], depth[box] = colour, 0.75
    rgb = np.clip(rgb + rng.normal(0, 4, rgb.shape), 0, 255).astype(np.uint8)
    depth += rng.normal(0, 0.001, depth.shape).astype(np.float32)
    k = Intrinsics(600 * width / 640, 600 * width / 640, width / 2, height / 2, width, height)
    return Frame(rgb, depth, k, gravity=np.array([0.0, 0.0, 1.0]))


def same(a: Segments, b: Segments) -> bool:
    return a.masks.shape == b.masks.shape and bool((a.masks == b.masks).all() and (a.quality == b.quality).all())


def check(segments: Segments, view: Frame) -> None:
    rows, columns = working_size(view.height, view.width)
    assert segments.masks.shape[1:] == (rows // 2, columns // 2)
    assert segments.size == (view.height, view.width)
    assert segments.masks.any((1, 2)).all()
    assert np.isfinite(segments.quality).all() and np.allclose(segments.kinds.sum(1), 1, atol=1e-2)
    assert segments.unexplained is not None and segments.unexplained.shape == segments.masks.shape[1:]
    assert ((segments.unexplained >= 0) & (segments.unexplained <= 1 + 1e-5)).all()


@pytest.mark.parametrize(('height', 'width'), [(480, 640), (481, 333), (720, 1280), (97, 800), (60, 48)])
def test_any_size_with_depth(proposer: TreeProposer, height: int, width: int) -> None:
    view = scene(height, width)
    check(proposer.propose(view), view)


def test_colour_alone_gives_no_planes_and_no_up(proposer: TreeProposer) -> None:
    view = replace(scene(), depth=None)
    segments = proposer.propose(view)
    check(segments, view)
    assert len(segments) and not len(segments.planes) and segments.up is None and (segments.plane == -1).all()


def test_depth_gives_the_table(proposer: TreeProposer) -> None:
    segments = proposer.propose(scene())
    assert segments.up is not None and segments.up @ np.array([0, 0, -1]) > 0.999
    on = segments.masks[segments.plane >= 0]
    assert len(on), 'the table is a segment with a plane'
    normal, d = segments.planes[0][:3], segments.planes[0][3]
    assert normal @ np.array([0, 0, -1]) > 0.99 and d == pytest.approx(0.8, abs=0.01)
    assert max(m.mean() for m in on) > 0.7


def test_missing_depth_is_not_invented(proposer: TreeProposer) -> None:
    view = scene()
    depth: NDArray[np.float32] = np.asarray(view.depth).copy()
    depth[:, 320:] = np.nan
    segments = proposer.propose(replace(view, depth=depth))
    assert not segments.masks[segments.plane >= 0][:, :, 165:].any()
    nothing = proposer.propose(replace(view, depth=np.full_like(depth, np.nan), gravity=None))
    assert not len(nothing.planes) and nothing.up is None and (nothing.plane == -1).all()


@pytest.mark.parametrize('value', [0, 255])
def test_a_view_with_nothing_in_it(proposer: TreeProposer, value: int) -> None:
    view = Frame(np.full((240, 320, 3), value, np.uint8))
    check(proposer.propose(view), view)


def test_the_same_view_gives_the_same_segments(proposer: TreeProposer) -> None:
    assert same(proposer.propose(scene()), proposer.propose(scene()))


def test_the_backbones_run_once_for_a_view(proposer: TreeProposer, monkeypatch: pytest.MonkeyPatch) -> None:
    view, run, count = scene(), proposer.backbone.forward, []
    monkeypatch.setattr(proposer.backbone, 'forward', lambda pixels: count.append(1) or run(pixels))
    proposer.propose(view)
    levels = proposer.detections(view)
    assert [level.logits.shape[1] for level in levels] == [80, 80, 80]
    assert len(count) == 1
    proposer.propose(replace(view))
    assert len(count) == 2, 'another frame may show something else'
