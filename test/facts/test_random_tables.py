"""Random tables tell programs apart, and take equal ones for equal."""

import pytest

from converseg_ros.facts.random_tables import denotes, random_table, random_tables, same_meaning
from converseg_ros.programs.nodes import (
    Act,
    Except,
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)

MUG, TABLE = Filter('name', 'mug'), Filter('name', 'table')
DIFFERENT: list[Node] = [
    MUG,
    Filter('name', 'knife'),
    Filter('colour', 'red', MUG),
    Filter('colour', 'blue', MUG),
    Filter('tag', 'sharp', Things()),
    Filter('state', 'open', Things()),
    Filter('physics', 'tips', Things()),
    Filter('region', 'left', MUG),
    Select('one', MUG),
    Select(2, MUG),
    Select('one', Relate('on', MUG, TABLE)),
    Select('all', Relate('on', MUG, TABLE)),
    Select('all', Relate('next_to', MUG, TABLE)),
    Select('all', Relate('left_of', MUG, TABLE)),
    Select('all', Relate('right_of', MUG, TABLE)),
    Select('all', Relate('in', MUG, TABLE)),
    Select('all', Relate('falls_without', Things(), MUG)),
    Rank('height', 'max', Things()),
    Rank('height', 'max', Things(), first=2),
    Rank('height', 'min', Things()),
    Rank('size', 'max', Things()),
    Rank('x', 'max', Things()),
    Rank('height', 'max', MUG),
    Rank('distance_to', 'min', Things(), anchor=MUG),
    Act('holding', 'patient', Things()),
    Act('holding', 'agent', Things()),
    Act('cutting', 'patient', Things()),
    Parts('handle', MUG),
    Parts('lid', MUG),
    Union((MUG, TABLE)),
    Except(Things(), MUG),
    FreeSpace(),
    FreeSpace(TABLE),
    Like('something warm'),
]


def test_programs_that_differ_choose_differently_somewhere() -> None:
    chosen = [tuple(denotes(p, t) for t in random_tables()) for p in DIFFERENT]
    for i, first in enumerate(chosen):
        for j in range(i):
            assert first != chosen[j], (DIFFERENT[i], DIFFERENT[j])


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        (Filter('colour', 'red', Filter('name', 'mug')), Filter('name', 'mug', Filter('colour', 'red'))),
        (Union((MUG, TABLE)), Union((TABLE, MUG))),
        (Select('all', MUG), MUG),
        (Filter('name', 'sofa'), Filter('name', 'couch')),
        (Rank('x', 'min', MUG), Select('one', Rank('x', 'min', MUG))),
        (Relate('on', Filter('colour', 'red', MUG), TABLE), Filter('colour', 'red', Relate('on', MUG, TABLE))),
        (Except(Except(Things(), MUG), TABLE), Except(Things(), Union((MUG, TABLE)))),
    ],
)
def test_programs_that_mean_the_same_are_equal(first: Node, second: Node) -> None:
    assert same_meaning(first, second)


def test_tables_are_the_same_every_time() -> None:
    first, second = random_table(7), random_table(7)
    assert (first.segments.masks == second.segments.masks).all()
    assert denotes(Filter('name', 'fork'), first) == denotes(Filter('name', 'fork'), second)
