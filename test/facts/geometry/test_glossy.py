"""The plane and the front edge of a worktop that returns depth in few cells."""

from facts_blocks import Block, Pose, camera, facts, render
import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.geometry.glossy import behind_front, front_edge, glossy_plane, in_front_of_feet
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Filter, FreeSpace

POSE = Pose(0.6, 1.2, 30)
WORKTOP = Block('worktop', 0.0, 0.3, (1.4, 0.6, 0.04), -0.04, kind=1)
CUPBOARD = Block('cupboard', 0.0, 0.32, (1.4, 0.56, 0.86), -0.9, colour='red', kind=2)
FLOOR = Block('floor', 0.0, 1.0, (6.0, 5.0, 0.02), -0.92, kind=1)
BOX = Block('box', 0.3, 0.35, (0.2, 0.1, 0.1))


def on_top(blocks: list[Block]) -> NDArray[np.bool_]:
    """Return (H, W) the pixels of the upper side of the worktop, which is the first block."""
    _, label = render(blocks, POSE)
    origin, axes = camera(POSE)
    f = facts(blocks[:-1], table=blocks[-1], pose=POSE)
    assert f.geometry is not None
    height = (f.geometry.points @ axes.T + origin)[..., 2]
    return np.asarray((label == 0) & (np.abs(height) < 0.004))


def glossy(blocks: list[Block], seen: float = 0.0) -> tuple[Facts, NDArray[np.bool_]]:
    """Return the facts of a view in which a share of the cells on the worktop have depth, and the cells on it."""
    top = on_top(blocks)
    lost = top & (np.random.default_rng(0).random(top.shape) >= seen)
    return facts(blocks[:-1], table=blocks[-1], pose=POSE, holes=lost), top


@pytest.mark.parametrize('seen', [0.0, 0.2])
def test_the_front_edge_or_few_cells_give_the_plane(seen: float) -> None:
    f, _ = glossy([WORKTOP, CUPBOARD, FLOOR], seen)
    assert f.geometry is not None
    plane = glossy_plane(f.geometry, f.segments.masks[0])
    assert plane is not None and abs(plane.d - POSE.height) < 0.012
    assert glossy_plane(f.geometry, f.segments.masks[1]) is None  # the front of the cupboard has depth
    assert glossy_plane(f.geometry, f.segments.masks[2]) is None


def test_the_front_edge_is_not_free_and_the_worktop_is() -> None:
    f, top = glossy([WORKTOP, BOX, CUPBOARD, FLOOR])
    edge = f.segments.masks[0] & ~top
    answer = execute(FreeSpace(Filter('name', 'worktop')), f)
    assert answer.status == Status.LOW_CONFIDENCE
    assert (answer.mask & top).sum() > 0.85 * top.sum()
    assert (answer.mask & edge).sum() < 0.25 * edge.sum()
    assert not (answer.mask & f.segments.masks[1]).sum() > 0.1 * f.segments.masks[1].sum()


def test_nothing_of_it_is_free_for_safety() -> None:
    f, _ = glossy([WORKTOP, BOX, CUPBOARD, FLOOR])
    answer = execute(FreeSpace(Filter('name', 'worktop')), f, Options(recall=True))
    assert not answer.mask.any() and answer.status == Status.LOW_CONFIDENCE


def test_it_is_continued_behind_its_front_edge_but_not_over_the_floor() -> None:
    f, top = glossy([WORKTOP, BOX, CUPBOARD, FLOOR])
    view = f.geometry
    assert view is not None
    part = f.segments.masks[0].copy()
    part[:, 190:] = False  # the rest is in no region
    plane = glossy_plane(view, part)
    assert plane is not None
    nothing = np.zeros_like(part)
    more = behind_front(view, plane, part, f.segments.masks[1], nothing, front_edge(view, plane, part))
    missing = top & ~part
    assert (more & missing).sum() > 0.7 * missing.sum()
    assert not (more & (f.segments.masks[2] | f.segments.masks[3])).sum() > 0.05 * more.sum()


def test_what_is_in_front_of_the_foot_of_a_thing_is_not_the_thing() -> None:
    f, top = glossy([WORKTOP, BOX, CUPBOARD, FLOOR])
    assert f.geometry is not None
    box = f.segments.masks[1]
    rows, columns = np.nonzero(box)
    with_mirror = box.copy()
    with_mirror[rows.max() + 1 : rows.max() + 6, columns.min() : columns.max()] = True
    plane = glossy_plane(f.geometry, f.segments.masks[0])
    assert plane is not None
    found = in_front_of_feet(f.geometry, plane, with_mirror)
    assert (found & top).sum() > 0.8 * (with_mirror & top & ~box).sum()
    assert not (found & box).sum() > 0.05 * box.sum()
