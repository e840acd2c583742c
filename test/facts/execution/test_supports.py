"""The surfaces on which free space is looked for, and whether an object has room there."""

from facts_blocks import Block, Pose, facts, named
import numpy as np
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.execution.supports import in_order
from converseg_ros.programs.nodes import Filter, FreeSpace

SAFETY = Options(recall=True)
OUTDOORS = Pose(1.5, 1.6, 40)
GROUND = Block('floor', 0, 1, (6, 5, 0.02), -0.02, 'white', 1)
CRATE = Block('box', 0, 0.3, (0.3, 0.3, 0.3))


@pytest.mark.parametrize('noun', ['tarmac', 'driveway', 'pavement', 'road'])
@pytest.mark.parametrize('depth', [True, False])
def test_ground_that_is_named_is_the_level_region_that_lies_low(noun: str, depth: bool) -> None:
    f = facts([CRATE], depth=depth, pose=OUTDOORS, table=GROUND)
    answer = execute(FreeSpace(named(noun)), f)
    ground, crate = f.segments.masks[1], f.segments.masks[0]
    assert (answer.mask & ground).sum() > 0.8 * ground.sum() and not (answer.mask & crate).any()
    assert noun == 'pavement' or (answer.status == Status.LOW_CONFIDENCE and f'this is the {noun}' in answer.reason)


def test_furniture_that_is_not_seen_is_not_supposed_to_be_there() -> None:
    f = facts([CRATE], pose=OUTDOORS, table=GROUND)
    answer = execute(FreeSpace(named('sofa')), f)
    assert answer.status == Status.NO_TARGET and 'no sofa is seen' in answer.reason


def test_a_table_whose_colour_does_not_fit_may_be_the_one_that_is_meant() -> None:
    f = facts([CRATE])
    red = Filter('colour', 'red', named('table'))
    answer, safe = execute(FreeSpace(red), f), execute(FreeSpace(red), f, SAFETY)
    assert (
        answer.mask.any() and answer.status == Status.LOW_CONFIDENCE and 'is the table that is meant' in answer.reason
    )
    assert not safe.mask.any()
    assert execute(FreeSpace(Filter('colour', 'white', named('table'))), f).status == Status.OK


def test_a_thing_may_fit_where_most_of_the_table_has_no_depth() -> None:
    table = Block('table', 0.0, 0.1, (0.8, 0.5, 0.02), -0.02, kind=1)
    whole = facts([], table=table, pose=Pose(1.0, 1.0, 42))
    columns = np.nonzero(whole.segments.masks[0])[1]
    dark = np.zeros((240, 320), bool)
    dark[:, int(np.percentile(columns, 35)) :] = True
    f = facts([], table=table, pose=Pose(1.0, 1.0, 42), holes=dark)
    tray = FreeSpace(named('table'), 'tray')
    answer, safe = execute(tray, f), execute(tray, f, SAFETY)
    assert execute(tray, whole).status == Status.OK
    assert answer.status == Status.LOW_CONFIDENCE and answer.mask.any() and 'depth is missing' in answer.reason
    assert not (safe.mask & dark).any() and safe.status != Status.OK
    too_long = FreeSpace(named('table'), size=1.2)
    assert execute(too_long, f).status != Status.OK and not execute(too_long, f, SAFETY).mask.any()


def test_no_room_is_explained_in_metres() -> None:
    f = facts([], table=Block('table', 0.0, 0.1, (0.8, 0.2, 0.02), -0.02, kind=1), pose=Pose(1.0, 0.9, 45))
    answer = execute(FreeSpace(None, 'tray'), f)
    assert answer.status == Status.NO_TARGET and 'no free place for a tray is seen' in answer.reason
    assert '0.42 x 0.30 m are needed' in answer.reason


def test_a_less_certain_surface_is_used_if_the_best_one_has_no_room() -> None:
    narrow = Block('table', -0.35, 0.0, (0.12, 0.6, 0.02), -0.02, kind=1)
    wide = Block('bench', 0.3, 0.1, (0.7, 0.7, 0.02), -0.02, kind=1)
    f = facts([narrow], table=wide, pose=Pose(1.0, 1.0, 42))
    f.segments.kinds[1] = (0.6, 0.35, 0.03, 0.02)
    plate, bottle = (execute(FreeSpace(None, t), f) for t in ('plate', 'bottle'))
    first, second = f.segments.masks
    assert (bottle.mask & first).any() and not (bottle.mask & second).any()
    assert (plate.mask & second).sum() > 0.5 * second.sum() and not (plate.mask & first).any()
    assert plate.status == Status.LOW_CONFIDENCE
    assert not execute(FreeSpace(None, 'plate'), f, SAFETY).mask.any()


def test_surfaces_come_in_groups_of_similar_rank() -> None:
    order = list(in_order(Degree.known([0.8, 0.3, 0.7, 0.05, 0.25]), np.array([1.0, 1, 0.9, 1, 1])))
    assert [list(group) for group in order] == [[0, 2], [1, 4]]


def test_large_flat_things_may_lie_on_furniture_and_only_where_they_fit() -> None:
    f = facts([], table=Block('table', 0.0, 0.1, (0.9, 0.7, 0.02), -0.02, kind=1), pose=Pose(1.0, 1.0, 42))
    shirt, wardrobe = (execute(FreeSpace(None, t), f) for t in ('shirt', 'wardrobe'))
    assert shirt.status == Status.OK and shirt.mask.any()
    assert not wardrobe.mask.any() and 'a wardrobe stands on the floor' in wardrobe.reason
    assert not execute(FreeSpace(named('table'), 'wardrobe'), f).mask.any()
    assert execute(FreeSpace(None, 'shirt'), f, SAFETY).status != Status.OK
