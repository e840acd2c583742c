"""Tables and worktops in colour alone, by what stands on them in the image."""

from facts_blocks import Block, Pose, facts

from converseg_ros.facts.execution.bearing import bearing
from converseg_ros.facts.execution.executor import execute
from converseg_ros.programs.nodes import Filter, FreeSpace

POSE = Pose(0.6, 1.2, 30)
WORKTOP = Block('worktop', 0.0, 0.3, (1.4, 0.6, 0.04), -0.04, kind=1)
FRONT = Block('cupboard', 0.0, 0.32, (1.4, 0.56, 0.6), -0.64, colour='red', kind=1)
FLOOR = Block('floor', 0.0, 1.0, (6.0, 5.0, 0.02), -0.92, kind=2)
THINGS = [Block('box', x, 0.25, (0.12, 0.1, 0.12), colour='blue') for x in (-0.3, 0.0, 0.3)]


def test_the_front_of_a_cupboard_is_no_table() -> None:
    f = facts([WORKTOP, FRONT, *THINGS], table=FLOOR, pose=POSE, depth=False)
    answer = execute(FreeSpace(Filter('name', 'table')), f)
    worktop, front = f.segments.masks[:2]
    assert (answer.mask & worktop).sum() > 0.8 * worktop.sum() and not (answer.mask & front).any()
    bare = facts([WORKTOP, FRONT], table=FLOOR, pose=POSE, depth=False)
    assert (execute(FreeSpace(Filter('name', 'table')), bare).mask & front).any()  # nothing tells them apart


def test_what_bears_seats_is_the_floor_unless_the_floor_is_asked_for() -> None:
    ground = Block('ground', 0.0, 0.3, (2.0, 1.4, 0.02), -0.02, kind=1)
    table = Block('table', 0.6, 0.9, (0.4, 0.4, 0.02), 0.15, kind=1)
    chairs = [Block('chair', x, 0.4, (0.2, 0.2, 0.3)) for x in (-0.4, 0.0)]
    f = facts([*chairs, table, ground], table=None, pose=POSE, depth=False)
    factors = bearing(f)
    assert factors[3] < 0.5 < factors[2]
    answer = execute(FreeSpace(Filter('name', 'table')), f)
    assert (answer.mask & f.segments.masks[2]).any() and not (answer.mask & f.segments.masks[3]).any()
    floor = execute(FreeSpace(Filter('name', 'floor')), f)
    assert (floor.mask & f.segments.masks[3]).any()
