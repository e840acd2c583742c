"""Which region is the floor, a wall or a table, and the properties that surfaces have."""

from dataclasses import replace

from facts_blocks import BLOCKS, TABLE, TABLE_TOP, Block, BlockNamer, K, Pose, facts, named, render
import numpy as np
import pytest

from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import Segments
from converseg_ros.core.status import Status
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.naming import facts_of_view
from converseg_ros.facts.predicates.surfaces import planes_of, with_planes_of_regions
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import (
    Filter,
    FreeSpace,
    Select,
)


def test_the_floor_is_no_table() -> None:
    ground = Block('floor', 0, 1, (6, 5, 0.02), -0.02, 'white', 1)
    low = facts([Block('box', 0, 0.3, (0.3, 0.3, 0.3))], pose=Pose(1.5, 1.6, 40), table=ground)
    assert low.filter('name', 'floor').p[1] > 0.8
    assert low.filter('name', 'table').p[1] < 0.2
    assert facts(BLOCKS).filter('name', TABLE.name).p[-1] > 0.8


def test_a_table_that_the_flat_cut_misses_is_found_by_its_plane() -> None:
    """The flat cut has the table joined with all that is on it; the table's plane is a region of its own."""
    blocks = [Block('mug', -0.2, 0, (0.08, 0.08, 0.1)), TABLE]
    z, label = render(blocks, Pose())
    masks = np.stack([label == 0, label >= 0, label == 1])
    kinds = np.array([[0.97, 0.01, 0.01, 0.01], [0.3, 0.25, 0.4, 0.05], [0.01, 0.97, 0.01, 0.01]], np.float32)
    none = np.full(3, -1)
    segments = Segments(masks, z.shape, kinds, np.ones(3, np.float32), np.array([False, True, False]), none, none)
    colours = np.array([(200, 25, 25), (240, 240, 240), (60, 60, 60)], np.uint8)  # of mug, table and background
    view = Frame(colours[label], z, K)
    joined = facts_of_view(view, segments, BlockNamer((blocks[0], blocks[0], blocks[1])))
    assert list(joined.whole) == [False, True, True]
    assert execute(Select('one', TABLE_TOP), joined).chosen == (2,)
    assert execute(FreeSpace(), joined).status == Status.OK


def test_a_floor_that_was_taken_for_a_wall_is_a_floor() -> None:
    ground = Block('ground', 0, 1, (6, 5, 0.02), -0.02, 'white', 2)
    low = facts([Block('box', 0, 0.3, (0.3, 0.3, 0.3))], pose=Pose(1.5, 1.6, 40), table=ground)
    assert execute(Select('one', named('floor')), low).chosen == (1,)
    assert execute(FreeSpace(named('floor')), low).status == Status.OK


def test_a_surface_has_the_tags_of_what_it_is_and_not_of_what_a_crop_looks_like(seen: Facts) -> None:
    assert execute(Select('all', Filter('tag', 'supports')), seen).chosen == (len(BLOCKS),)
    assert not seen.filter('tag', 'edible').p[-1] > 0.05


def test_a_surface_has_the_usual_material_of_what_it_is_and_its_tags_do_not_make_it_a_seat(seen: Facts) -> None:
    wooden = execute(Select('one', Filter('material', 'wood', named('table'))), seen)
    assert wooden.chosen == (len(BLOCKS),) and wooden.evidence.best > 0.3
    assert not seen.filter('tag', 'sittable').p[-1] > 0.05


def test_a_small_floor_that_looks_partly_like_a_wall_has_a_plane_of_its_own() -> None:
    floor = Block('floor', 0.9, 0.6, (0.35, 0.35, 0.02), -0.6)  # a hundredth of the points of the view
    f = facts([floor], table=Block('table', 0.0, 0.2, (1.0, 1.6, 0.02), -0.02, kind=1), pose=Pose(0.9, 1.0, 40))
    assert f.geometry is not None
    kinds = f.segments.kinds.copy()
    kinds[0] = (0.25, 0.28, 0.46, 0.01)
    masks, flat = f.segments.masks, f.segments.flat
    assert planes_of(masks, kinds, f.geometry)[0] == -1
    found = with_planes_of_regions(masks, kinds, flat, f.geometry)
    own = found.planes[planes_of(masks, kinds, found)[0]]
    assert own.normal @ found.up > 0.99 and own.d == pytest.approx(0.9 + 0.58, abs=0.06)
    kinds[0] = (0.9, 0.05, 0.04, 0.01)  # an object has none
    assert len(with_planes_of_regions(masks, kinds, flat, f.geometry).planes) == len(f.geometry.planes)


def test_a_floor_whose_crop_looks_like_a_bench_is_no_seat_but_may_still_be_dangerous() -> None:
    floor = Block('bench', 0, 1, (6, 5, 0.02), -0.02, 'white', 1)
    stove = replace(floor, name='stove')
    box = Block('box', 0, 0.3, (0.3, 0.3, 0.3))
    low, hot = (facts([box], pose=Pose(1.5, 1.6, 40), table=b) for b in (floor, stove))
    assert low.filter('tag', 'sittable').p[1] < 0.3
    assert hot.filter('tag', 'hot').p[1] > 0.5, 'a false alarm is better than none'
    assert (
        facts([Block('bench', 0, 0.3, (1.2, 0.4, 0.45))], pose=Pose(1.5, 1.6, 40)).filter('tag', 'sittable').p[0] > 0.5
    )
