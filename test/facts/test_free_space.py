"""Free space on a table of blocks, in metres."""

from facts_blocks import Block, Pose, camera, facts
import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.executor import execute
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Except, Filter, FreeSpace, Node, Rank, Relate

TABLE_TOP = Filter('name', 'table')
BOX = Block('box', 0.0, 0.05, (0.2, 0.2, 0.15))
POSE = Pose()


def places(f: Facts, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return (N, 3) the points of a mask in the table's frame."""
    assert f.geometry is not None
    origin, axes = camera(POSE)
    return np.asarray(f.geometry.points[mask & f.geometry.known] @ axes.T + origin)


@pytest.mark.parametrize('noise', [0.0, 0.002])
def test_the_free_part_is_the_table_around_the_box(noise: float) -> None:
    f = facts([BOX], noise=noise)
    answer = execute(FreeSpace(TABLE_TOP), f)
    assert answer.status == Status.OK and answer.area
    found = places(f, answer.mask)
    assert (np.abs(found[:, 2]) < 0.02).all()
    apart = np.maximum(np.abs(found[:, 0] - BOX.x), np.abs(found[:, 1] - BOX.y)) - 0.1
    assert apart.min() > -0.01
    table = f.segments.masks[1]
    assert (answer.mask & table).sum() > 0.85 * table.sum()  # little is lost at the edges


def test_a_large_thing_needs_a_surface_with_room() -> None:
    f = facts([Block('box', -0.3, 0, (0.1, 0.1, 0.1)), Block('can', 0.1, 0, (0.07, 0.07, 0.1))])
    small, large, huge = (execute(FreeSpace(TABLE_TOP, size=s), f) for s in (0.05, 0.3, 1.2))
    assert large.status == small.status == Status.OK
    assert (large.mask == small.mask).all()  # the free part of the table: where in it, placement decides
    assert not huge.mask.any() and huge.status == Status.NO_TARGET


def test_a_thing_that_may_just_fit_is_not_certain() -> None:
    f = facts([Block('box', x, y, (0.1, 0.1, 0.1)) for x in (-0.4, -0.1, 0.2) for y in (-0.2, 0.05, 0.3)])
    widest = next(s for s in np.arange(0.05, 1, 0.01) if execute(FreeSpace(TABLE_TOP, size=s), f).status != Status.OK)
    answer = execute(FreeSpace(TABLE_TOP, size=1.1 * widest), f)
    assert answer.status == Status.LOW_CONFIDENCE and answer.mask.any() and not answer.decided
    assert 'widest free place' in answer.reason
    assert execute(FreeSpace(TABLE_TOP, size=1.6 * widest), f).status == Status.NO_TARGET


def test_the_nearest_part_of_the_free_space() -> None:
    f = facts([BOX])
    near, far = (places(f, execute(Rank('depth', o, FreeSpace()), f).mask)[:, 1] for o in ('min', 'max'))
    assert np.percentile(near, 95) < np.percentile(far, 5) + 0.05
    tall = execute(Rank('height', 'max', FreeSpace()), f)
    assert tall.status == Status.LOW_CONFIDENCE and 'not ordered by height' in tall.reason


def test_what_stands_there_without_a_region_is_in_the_way_too() -> None:
    hidden = facts([BOX])
    masks = hidden.segments.masks.copy()
    # the same picture, but the segmenter missed the box
    table_only = facts([Block('box', 0.0, 0.05, (0.2, 0.2, 0.15), kind=1, p=0.02)])
    answer = execute(FreeSpace(TABLE_TOP), table_only)
    assert not (answer.mask & masks[0]).sum() > 0.02 * masks[0].sum()


def test_flat_things_are_in_the_way_by_their_mask() -> None:
    f = facts([Block('paper', 0.1, 0, (0.2, 0.28, 0.001))])
    answer = execute(FreeSpace(), f)
    assert answer.mask.any() and not (answer.mask & f.segments.masks[0]).any()


def test_missing_depth_is_never_free() -> None:
    holes = np.zeros((240, 320), bool)
    holes[120:170, 60:140] = True
    answer = execute(FreeSpace(), facts([BOX], holes=holes))
    assert answer.mask.any() and not (answer.mask & holes)[3:-3].sum() > 0.05 * holes.sum()


def test_single_lost_readings_cost_nothing() -> None:
    lost = np.random.default_rng(0).random((240, 320)) < 0.03
    clean, speckled = (execute(FreeSpace(), facts([BOX], holes=h)).mask for h in (None, lost))
    assert (clean & speckled).sum() > 0.9 * clean.sum()


def test_sides_and_neighbours_restrict_it() -> None:
    f = facts([BOX])
    everywhere = execute(FreeSpace(), f).mask

    def share_left(program: Node) -> float:
        found = places(f, execute(program, f).mask)
        return float((found[:, 0] < 0).mean())

    assert share_left(Filter('region', 'left', FreeSpace())) > 0.95
    assert share_left(Filter('region', 'right', FreeSpace())) < 0.05
    assert share_left(Relate('left_of', FreeSpace(), Filter('name', 'box'))) > 0.95
    near = places(f, execute(Relate('near', FreeSpace(), Filter('name', 'box')), f).mask)
    assert np.hypot(near[:, 0] - BOX.x, near[:, 1] - BOX.y).max() < 0.65
    front = places(f, execute(Relate('in_front_of', FreeSpace(), Filter('name', 'box')), f).mask)
    assert (front[:, 1] < BOX.y).mean() > 0.9
    rest = execute(Except(FreeSpace(), Filter('region', 'left', FreeSpace())), f).mask
    assert rest.any() and rest.sum() < everywhere.sum()


def test_without_depth_it_is_a_guess_with_a_reason() -> None:
    answer = execute(FreeSpace(), facts([BOX], depth=False))
    assert answer.status == Status.LOW_CONFIDENCE and not answer.decided
    assert 'depth is missing' in answer.reason
    assert answer.mask.any() and not (answer.mask & facts([BOX]).segments.masks[0]).any()


def test_the_floor_is_used_only_when_it_is_asked_for() -> None:
    floor = Block('floor', 0, 1, (6, 5, 0.02), -0.02, 'white', 1)
    f = facts([Block('box', 0, 0.3, (0.3, 0.3, 0.3))], pose=Pose(1.5, 1.6, 40), table=floor)
    assert execute(FreeSpace(), f).status != Status.OK
    asked = execute(FreeSpace(Filter('name', 'floor')), f)
    assert asked.status == Status.OK and asked.mask.sum() > 5000


def test_no_surface_no_free_space() -> None:
    answer = execute(FreeSpace(), facts([Block('wall', 0, 0.5, (3, 0.05, 3), -1, kind=2)], table=None))
    assert answer.status == Status.NO_TARGET and 'no support surface is seen' in answer.reason


def test_a_wardrobe_stands_on_the_floor_not_on_a_table() -> None:
    f = facts([BOX])
    anywhere, on_table = (execute(FreeSpace(on, 'wardrobe'), f) for on in (None, TABLE_TOP))
    assert anywhere.status == Status.NO_TARGET and not anywhere.mask.any()
    assert 'a wardrobe stands on the floor' in anywhere.reason
    assert on_table.status != Status.OK and 'stands on the floor' in on_table.reason
    assert execute(FreeSpace(TABLE_TOP, 'mug'), f).status == Status.OK


def test_a_wardrobe_has_room_on_a_free_floor() -> None:
    floor = Block('floor', 0.0, 1.0, (6.0, 5.0, 0.02), -0.02, kind=1)
    f = facts([BOX], pose=Pose(1.5, 1.8, 35.0), table=floor)
    answer = execute(FreeSpace(None, 'wardrobe'), f)
    assert answer.mask.any() and not (answer.mask & f.segments.masks[0]).any()
