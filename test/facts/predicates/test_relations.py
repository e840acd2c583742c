"""Relations, supports and containers of blocks whose places are known."""

from functools import cache

from facts_blocks import Block, Pose, facts
import numpy as np
import pytest

from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.predicates.relations import RELATIONS
from converseg_ros.facts.table import Facts
from converseg_ros.programs import vocabulary

LEFT, RIGHT = Block('mug', -0.25, 0, (0.08, 0.08, 0.1)), Block('bowl', 0.25, 0, (0.15, 0.15, 0.07))
MIDDLE = Block('box', 0.0, 0.0, (0.1, 0.1, 0.1))
NEAR, FAR = Block('can', 0.0, -0.25, (0.07, 0.07, 0.1)), Block('jar', 0.0, 0.3, (0.09, 0.09, 0.15))


@cache
def row(depth: bool) -> Facts:
    """Return three things side by side."""
    return facts([LEFT, RIGHT, MIDDLE], depth=depth)


@pytest.mark.parametrize('depth', [True, False], ids=['depth', 'rgb'])
@pytest.mark.parametrize('name', [r for r in vocabulary.RELATIONS if r != 'between'])
def test_every_relation_is_a_probability(name: str, depth: bool) -> None:
    found = row(depth).relation(name)
    assert found.shape == (4, 4)
    for x in (found.p, found.low, found.high):
        assert np.isfinite(x).all() and (x >= 0).all() and (x <= 1).all()
    assert not np.diag(found.p).any()


def test_all_relations_of_the_language_have_a_rule() -> None:
    assert {*RELATIONS, 'between'} == set(vocabulary.RELATIONS)


@pytest.mark.parametrize('depth', [True, False], ids=['depth', 'rgb'])
def test_left_right_and_between(depth: bool) -> None:
    f = row(depth)
    left, right, between = f.relation('left_of').p, f.relation('right_of').p, f.between().p
    assert left[0, 1] > 0.9 and left[1, 0] < 0.1
    assert right[1, 0] > 0.9 and right[0, 1] < 0.1
    assert between[2, 0, 1] > 0.9 and between[2, 1, 0] > 0.9 and between[0, 1, 2] < 0.1


def test_in_front_and_behind_need_depth_and_a_line_of_sight() -> None:
    f = facts([NEAR, FAR, RIGHT])
    front, behind = f.relation('in_front_of'), f.relation('behind')
    assert front.p[0, 1] > 0.8 and behind.p[1, 0] > 0.8 and front.p[1, 0] < 0.1
    assert front.p[2, 1] < 0.5  # it is to the side
    assert facts([NEAR, FAR], depth=False).relation('in_front_of').doubt.any()


def test_a_chain_of_supports() -> None:
    tray = Block('tray', 0, 0, (0.3, 0.25, 0.02))
    cup = Block('cup', 0.05, 0, (0.08, 0.08, 0.1), z=0.02)
    f = facts([tray, cup, RIGHT])
    on, supports, falls = f.relation('on'), f.relation('supports'), f.relation('falls_without')
    assert on.p[0, 3] > 0.6 and on.p[1, 0] > 0.6
    assert on.p[1, 3] > 0.4  # through the tray
    assert supports.p[0, 1] > 0.6 and supports.p[2, 1] < 0.1
    assert falls.p[1, 0] > 0.6 and falls.p[0, 1] < 0.1 and falls.p[2, 0] < 0.1


def test_on_the_lower_of_two_things_is_undecided() -> None:
    lower, upper = Block('book', 0, 0, (0.3, 0.25, 0.05)), Block('box', 0, 0, (0.2, 0.18, 0.05), z=0.05)
    cup = Block('cup', 0, 0, (0.08, 0.08, 0.1), z=0.1)
    on = facts([lower, upper, cup]).relation('on')
    assert on.p[2, 1] > 0.5 and on.p[2, 0] < 0.3
    assert on.doubt[2, 0] and not on.doubt[2, 1]


def test_next_to_is_the_nearer_one() -> None:
    close, distant = Block('can', 0.1, 0, (0.07, 0.07, 0.1)), Block('jar', 0.3, 0, (0.09, 0.09, 0.15))
    beside = facts([MIDDLE, close, distant]).relation('next_to').p
    assert beside[1, 0] > 0.5 > beside[2, 0]


def test_small_things_are_next_to_each_other_within_the_reach_of_a_hand() -> None:
    pen, key, lid = (Block(n, x, 0, (0.02, 0.02, 0.02)) for n, x in (('pen', -0.05), ('key', 0.04), ('lid', 0.5)))
    beside = facts([pen, key, lid]).relation('next_to').p
    assert beside[0, 1] > 0.5 and beside[0, 2] < 0.1


def test_what_leans_on_nothing_touches_nothing() -> None:
    apart = facts([LEFT, RIGHT]).relation('touching').p
    assert apart[0, 1] < 0.2
    joined = facts([MIDDLE, Block('can', 0.085, 0, (0.07, 0.07, 0.1))]).relation('touching').p
    assert joined[0, 1] > 0.6 and joined[1, 0] > 0.6


def test_the_nearer_thing_hides_the_farther_one() -> None:
    tall = Block('box', 0.0, -0.15, (0.15, 0.05, 0.2))
    behind = Block('jar', 0.04, 0.05, (0.15, 0.09, 0.2))
    hides = facts([tall, behind], pose=Pose(0.35, 0.8, 22)).relation('hides').p
    assert hides[0, 1] > 0.6 and hides[1, 0] < 0.1


def test_sizes_are_compared_with_their_noise() -> None:
    f = facts([MIDDLE, Block('jar', 0.25, 0, (0.1, 0.1, 0.103)), Block('bottle', -0.25, 0, (0.1, 0.1, 0.2))])
    taller = f.relation('taller_than').p
    assert taller[2, 0] > 0.95 and taller[0, 2] < 0.05
    assert 0.3 < taller[1, 0] < 0.8  # three millimetres


def test_the_converse_of_a_degree_keeps_its_bounds() -> None:
    p = Degree.partly([[0.2, np.nan], [0.9, 0.0]], 'why')
    assert (p.T.high == p.high.T).all() and p.T.notes == {'why'}


@pytest.mark.parametrize('depth', [True, False], ids=['depth', 'rgb'])
def test_a_picture_on_the_wall_hangs_there_and_a_mug_before_it_does_not(depth: bool) -> None:
    wall = Block('wall', 0, 0.5, (1.4, 0.02, 0.9), kind=2)
    picture = Block('picture', -0.2, 0.485, (0.25, 0.01, 0.18), z=0.25)
    mug = Block('mug', 0.2, 0.2, (0.09, 0.09, 0.12))
    f = facts([picture, mug, wall], depth=depth, pose=Pose(down=20))
    on = f.relation('on').p
    assert on[0, 2] > 0.4 and on[0, 3] < 0.2
    assert on[1, 2] < 0.1 and on[1, 3] > 0.6


def test_the_nearest_to_a_thing_without_depth_is_told_by_the_image_and_decides_nothing() -> None:
    holes = facts([LEFT, RIGHT, MIDDLE]).segments.masks[1]
    f = facts([LEFT, RIGHT, MIDDLE], holes=holes)
    scale = f.scale('distance_to', Degree.known([0.0, 0.9, 0.0, 0.0]))
    assert scale.value[2] < scale.value[0] and np.isnan(scale.value[1])
    assert not scale.firm.any() and 'depth' in scale.note
