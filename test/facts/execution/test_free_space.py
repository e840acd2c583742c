"""Free space on a table of blocks, in metres."""

import cv2
from facts_blocks import TABLE, Block, Pose, camera, facts, render
import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Except, Filter, FreeSpace, Node, Rank, Relate

TABLE_TOP = Filter('name', 'table')
BOX = Block('box', 0.0, 0.05, (0.2, 0.2, 0.15))
POSE = Pose()
SAFETY = Options(recall=True)


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


def test_things_are_set_down_on_a_bench_as_on_a_workbench() -> None:
    f = facts([BOX])
    bench, workbench = (execute(FreeSpace(Filter('name', noun)), f) for noun in ('bench', 'workbench'))
    assert bench.status == workbench.status == Status.OK
    assert (bench.mask == workbench.mask).all()
    seat = facts([], table=Block('bench', 0.0, 0.1, (1.2, 0.4, 0.04), -0.04, kind=1))
    assert execute(FreeSpace(Filter('name', 'bench')), seat).status == Status.OK  # in a park it is the seat


@pytest.mark.parametrize('turn', [0, 1])
def test_a_long_thing_fits_into_a_gap_in_any_orientation(turn: int) -> None:
    size = (0.2, 0.8, 0.02) if turn else (0.8, 0.2, 0.02)
    f = facts([], table=Block('table', 0.0, 0.1, size, -0.02, kind=1), pose=Pose(1.0, 0.9, 45))
    keyboard, tray = (execute(FreeSpace(None, t), f) for t in ('keyboard', 'tray'))
    assert keyboard.status == Status.OK and tray.status == Status.NO_TARGET


def test_a_large_thing_needs_a_surface_with_room() -> None:
    f = facts([Block('box', -0.3, 0, (0.1, 0.1, 0.1)), Block('can', 0.1, 0, (0.07, 0.07, 0.1))])
    small, large, huge = (execute(FreeSpace(TABLE_TOP, size=s), f) for s in (0.05, 0.3, 1.2))
    assert large.status == small.status == Status.OK
    assert (large.mask == small.mask).all()  # the free part of the table: where in it, placement decides
    assert not huge.mask.any() and huge.status == Status.NO_TARGET


def test_a_thing_that_may_just_fit_is_not_certain() -> None:
    boxes = [Block('box', x, y, (0.1, 0.1, 0.1)) for x in (-0.4, -0.1, 0.2) for y in (-0.2, 0.05, 0.3)]
    f = facts(boxes, pose=Pose(1.0, 1.4, 37))  # the whole table is in the image
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


def test_a_part_without_depth_is_free_only_with_a_reservation() -> None:
    holes = np.zeros((240, 320), bool)
    holes[120:170, 60:140] = True
    f = facts([BOX], holes=holes)
    answer, safe = execute(FreeSpace(), f), execute(FreeSpace(), f, SAFETY)
    assert (answer.mask & holes).sum() > 0.9 * holes.sum()
    assert answer.status == Status.LOW_CONFIDENCE and 'depth is missing on a part' in answer.reason
    assert safe.mask.any() and not (safe.mask & holes).any()
    assert safe.status == Status.LOW_CONFIDENCE and 'not known whether it is free' in safe.reason


def test_a_part_without_depth_is_not_free_where_a_thing_is_seen_in_the_image() -> None:
    glass = Block('glass', -0.25, -0.1, (0.1, 0.1, 0.1))
    _, label = render([glass, TABLE], POSE)
    shown = facts([glass], holes=cv2.dilate((label == 0).astype(np.uint8), np.ones((9, 9))) > 0)
    assert not (execute(FreeSpace(), shown).mask & shown.segments.masks[0]).any()


def test_a_surface_of_which_hardly_anything_is_measured_is_not_continued() -> None:
    dark = np.ones((240, 320), bool)
    dark[150:175, 130:190] = False
    f = facts([], holes=dark)
    assert not (execute(FreeSpace(), f, SAFETY).mask & dark).any()
    answer = execute(FreeSpace(), f)
    assert answer.status != Status.OK and 'not known whether it is free' in answer.reason
    assert not (answer.mask & dark).sum() > 100


@pytest.mark.parametrize('missing', [0.02, 0.3, 0.9])
def test_nothing_unseen_is_free_for_safety(missing: float) -> None:
    lost = np.random.default_rng(1).random((240, 320)) < missing
    lost[:, 250:] = True
    f = facts([BOX], holes=lost, noise=0.001)
    for program in (FreeSpace(), FreeSpace(TABLE_TOP, 'plate'), FreeSpace(TABLE_TOP, 'tray')):
        answer = execute(program, f, SAFETY)
        assert f.geometry is not None and not (answer.mask & ~f.geometry.known).any()
        assert answer.status != Status.OK


def test_for_safety_a_thing_that_may_not_fit_has_no_place() -> None:
    f = facts([Block('box', x, y, (0.1, 0.1, 0.1)) for x in (-0.4, -0.1, 0.2) for y in (-0.2, 0.05, 0.3)])
    safe, plain = (execute(FreeSpace(TABLE_TOP, size=0.42), f, options) for options in (SAFETY, None))
    assert plain.mask.any() and plain.status == Status.LOW_CONFIDENCE
    assert not safe.mask.any() and safe.status == Status.LOW_CONFIDENCE
    assert execute(FreeSpace(TABLE_TOP, size=0.1), f, SAFETY).status == Status.OK


def test_for_safety_nothing_is_free_in_colour_alone() -> None:
    safe = execute(FreeSpace(), facts([BOX], depth=False), SAFETY)
    assert not safe.mask.any() and safe.status == Status.LOW_CONFIDENCE and 'depth is missing' in safe.reason


def test_a_thing_may_fit_on_a_table_that_the_image_cuts_off() -> None:
    cut = facts([], table=Block('table', 1.2, 0.0, (1.4, 1.0, 0.02), -0.02, kind=1))
    whole = facts([], table=Block('table', 0.38, 0.4, (0.2, 0.5, 0.02), -0.02, kind=1))
    unsure, no = (execute(FreeSpace(TABLE_TOP, 'pizza box'), f) for f in (cut, whole))
    assert unsure.status == Status.LOW_CONFIDENCE and unsure.mask.any() and 'm wide' in unsure.reason
    assert no.status == Status.NO_TARGET


def test_a_glossy_table_has_the_plane_of_the_part_that_is_measured() -> None:
    floor = Block('floor', 0.0, 1.0, (6.0, 5.0, 0.02), -0.74, kind=1)
    shown = [Block('table', 0.6, 0.3, (0.4, 0.4, 0.02), -0.02, kind=1), floor]
    _, label = render(shown, POSE)
    columns = np.nonzero(label == 0)[1]
    dark = (label == 0) & (np.arange(320) > np.percentile(columns, 30))
    f = facts(shown[:1], table=floor, holes=dark)
    answer = execute(FreeSpace(TABLE_TOP), f)
    table = f.segments.masks[0]
    assert f.plane[0] >= 0 and (answer.mask & table).sum() > 0.8 * table.sum()
    assert answer.status == Status.LOW_CONFIDENCE and not (answer.mask & ~table).sum() > 0.05 * table.sum()


def test_the_seat_of_a_chair_is_not_the_table() -> None:
    floor = Block('floor', 0.0, 1.0, (6.0, 5.0, 0.02), -0.76, kind=1)
    seat = Block('seat', -0.9, 0.6, (0.42, 0.42, 0.04), -0.31, kind=1)
    f = facts([Block('table', 0.3, 0.3, (0.8, 0.8, 0.02), -0.02, kind=1), seat], table=floor, pose=Pose(0.8, 1.2, 37))
    answer = execute(FreeSpace(TABLE_TOP, 'lunch box'), f)
    table, chair = f.segments.masks[:2]
    assert answer.status == Status.OK and (answer.mask & table).sum() > 0.8 * table.sum()
    assert not (answer.mask & chair).any()


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


def test_in_colour_alone_a_structure_low_in_the_image_is_the_floor_and_a_high_one_the_wall() -> None:
    wall = Block('wall', 0.0, 3.5, (8.0, 0.1, 4.0), -0.7, kind=2)
    floor = Block('floor', 0.0, 1.0, (8.0, 5.0, 0.02), -0.74, kind=2)
    table = Block('table', -0.4, 0.4, (0.6, 0.6, 0.02), -0.02, kind=1)
    f = facts([wall, table], depth=False, table=floor, pose=Pose(0.6, 1.0, 20))
    masks = f.segments.masks
    drive, put = (execute(FreeSpace(on), f) for on in (Filter('name', 'floor'), TABLE_TOP))
    assert (drive.mask & masks[2]).sum() > 0.9 * masks[2].sum() and not (drive.mask & (masks[0] | masks[1])).any()
    assert (put.mask & masks[1]).sum() > 0.8 * masks[1].sum() and not (put.mask & (masks[0] | masks[2])).any()


def test_the_floor_is_used_only_when_it_is_asked_for() -> None:
    floor = Block('floor', 0, 1, (6, 5, 0.02), -0.02, 'white', 1)
    f = facts([Block('box', 0, 0.3, (0.3, 0.3, 0.3))], pose=Pose(1.5, 1.6, 40), table=floor)
    assert execute(FreeSpace(), f).status != Status.OK
    asked = execute(FreeSpace(Filter('name', 'floor')), f)
    assert asked.status == Status.OK and asked.mask.sum() > 5000


def test_the_floor_below_the_seat_of_a_chair_is_free_but_not_for_safety() -> None:
    floor = Block('floor', 0, 1, (6, 5, 0.02), -0.02, 'white', 1)
    seat = Block('chair', 0, 0.5, (0.5, 0.5, 0.05), 0.45, 'red')
    f = facts([seat], pose=Pose(1.5, 1.6, 40), table=floor)
    asked = FreeSpace(Filter('name', 'floor'))
    free, safe = execute(asked, f).mask, execute(asked, f, SAFETY).mask
    assert f.geometry is not None
    origin, axes = camera(Pose(1.5, 1.6, 40))
    x, y, z = np.moveaxis(f.geometry.points @ axes.T + origin, 2, 0)
    below = (np.abs(x) < 0.2) & (np.abs(y - 0.5) < 0.2) & (np.abs(z) < 0.01)
    assert below.sum() > 500 and free[below].mean() > 0.95 and not safe[below].any()
    assert not (free & f.segments.masks[0]).any()


def test_less_of_the_border_of_a_table_is_free_for_safety() -> None:
    f = facts([BOX], table=Block('table', 0.0, 0.1, (0.6, 0.6, 0.02), -0.02, kind=1), pose=Pose(1.0, 1.0, 42))
    free, safe = (execute(FreeSpace(TABLE_TOP), f, *o).mask for o in ((), (SAFETY,)))
    table = f.segments.masks[1]
    assert (free & table).sum() > 1.015 * (safe & table).sum() and not (safe & ~free).any()


def test_a_surface_is_preferred_to_a_thing_that_may_be_called_by_its_name() -> None:
    cupboard = Block('table', 0.5, 0.3, (0.3, 0.3, 0.4), p=0.6)
    f = facts([cupboard], depth=False)
    answer = execute(FreeSpace(TABLE_TOP), f)
    assert answer.mask.any() and not (answer.mask & f.segments.masks[0]).any()


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
