"""The cells of a surface outside of its region, by their colours."""

from dataclasses import replace

from facts_blocks import Block, Pose, facts
import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.geometry.extent import look_alike
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Filter, FreeSpace

WOOD, RED, TILES = (150, 110, 70), (170, 20, 30), (120, 150, 150)
SHAPE = (120, 160)
TABLE = (slice(60, 120), slice(0, 160))
REGION = (slice(60, 120), slice(0, 100))


def picture(*patches: tuple[tuple[slice, slice], tuple[int, int, int]]) -> NDArray[np.uint8]:
    """Return a picture of a wooden table in front of tiles, with patches, and with the noise of a camera."""
    out = np.full((*SHAPE, 3), TILES, np.float64)
    for where, colour in ((TABLE, WOOD), *patches):
        out[where] = colour
    return np.clip(out + np.random.default_rng(0).normal(0, 4, out.shape), 0, 255).astype(np.uint8)


def cells(where: tuple[slice, slice]) -> NDArray[np.bool_]:
    """Return (h, w) the cells of a rectangle."""
    out = np.zeros(SHAPE, bool)
    out[where] = True
    return out


def added(image: NDArray[np.uint8], *others: NDArray[np.bool_], degree: float = 0.0, thing: bool = True) -> NDArray:
    """Return what is added to the left part of the table, beside other regions."""
    masks = np.stack([cells(REGION), *others])
    degrees = np.array([1.0] + [degree] * len(others))
    return look_alike(image, masks[0], masks, degrees, np.array([False] + [thing] * len(others)))


def test_the_part_of_a_table_that_has_no_region_belongs_to_it() -> None:
    found = added(picture())
    missing = cells(TABLE) & ~cells(REGION)
    assert (found & missing).sum() > 0.9 * missing.sum() and (found & ~missing).sum() < 0.02 * missing.sum()


def test_a_thing_in_the_missing_part_does_not_belong_to_it() -> None:
    mug = (slice(75, 95), slice(120, 140))
    found = added(picture((mug, RED)))
    assert not found[mug][3:-3, 3:-3].any() and found.sum() > 2500


def test_the_part_of_the_surface_in_the_outline_of_a_thing_belongs_to_the_surface() -> None:
    outline, mug = (slice(60, 120), slice(100, 160)), (slice(60, 108), slice(104, 160))
    found = added(picture((mug, RED)), cells(outline))
    behind = cells(outline) & ~cells(mug)
    assert (found & behind).sum() > 0.6 * behind.sum() and (found & cells(mug)).sum() < 0.05 * behind.sum()


@pytest.mark.parametrize(('degree', 'belongs'), [(0.0, False), (0.5, True)])
def test_a_region_of_the_same_colour_belongs_to_a_surface_only_if_it_may_be_one_too(
    degree: float, belongs: bool
) -> None:
    other = cells((slice(60, 120), slice(100, 160)))
    found = added(picture(), other, degree=degree, thing=False)
    assert (found.sum() > 0.95 * other.sum()) if belongs else not found.any()


def test_what_looks_like_the_surface_elsewhere_does_not_belong_to_it() -> None:
    shelf = (slice(5, 20), slice(100, 160))
    found = added(picture((shelf, WOOD)))
    assert found.any() and not found[shelf].any()


def test_the_floor_that_is_seen_through_a_chair_belongs_to_the_floor() -> None:
    chair, gap = (slice(60, 120), slice(100, 160)), (slice(80, 95), slice(110, 150))
    found = added(picture((chair, RED), (gap, WOOD)), cells(chair))
    assert found[gap].mean() > 0.5 and found.sum() < 1.1 * found[gap].sum()


def cut(f: Facts) -> Facts:
    """Return facts in which the left half of the table has no region."""
    masks = f.segments.masks.copy()
    masks[-1, :, : masks.shape[2] // 2] = False
    return replace(f, segments=replace(f.segments, masks=masks), _cache={})


@pytest.mark.parametrize('depth', [True, False])
def test_free_space_covers_the_whole_table_but_for_safety_only_what_its_region_shows(depth: bool) -> None:
    f = facts([Block('box', 0.3, 0.0, (0.2, 0.2, 0.15), colour='red')], depth=depth, pose=Pose(1.0, 1.2, 40))
    table = f.segments.masks[-1]
    left = table.copy()
    left[:, table.shape[1] // 2 :] = False
    part = cut(f)
    free = execute(FreeSpace(Filter('name', 'table')), part).mask
    assert (free & left).sum() > 0.85 * left.sum() and not (free & f.segments.masks[0]).any()
    safe = execute(FreeSpace(Filter('name', 'table')), part, Options(recall=True)).mask
    without = execute(
        FreeSpace(Filter('name', 'table')), replace(part, image=None, _cache={}), Options(recall=True)
    ).mask
    assert (safe == without).all() and (depth or not safe.any())
