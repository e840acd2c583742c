"""Programs that mean the same for a simple reason have one canonical form, others do not; every program has words."""

import random

import pytest
from random_programs import random_program

from converseg_ros import knowledge
from converseg_ros.programs.canonical import by_place, canonical, equal
from converseg_ros.programs.nodes import (
    Act,
    Everything,
    Except,
    Filter,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)
from converseg_ros.programs.printer import words

MUG, CUP, TABLE = Filter('name', 'mug'), Filter('name', 'cup'), Filter('name', 'table')


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        (Union((MUG, CUP)), Union((CUP, MUG))),
        (Union((MUG, Union((CUP, TABLE)))), Union((TABLE, MUG, CUP))),
        (Filter('colour', 'red', Filter('name', 'mug')), Filter('name', 'mug', Filter('colour', 'red'))),
        (Relate('on', Filter('colour', 'red', MUG), TABLE), Filter('colour', 'red', Relate('on', MUG, TABLE))),
        (Filter('name', 'Mug'), MUG),
        (Filter('colour', 'red', Filter('colour', 'red')), Filter('colour', 'red')),
        (Select('all', Select('all', MUG)), Select('all', MUG)),
        (Select('one', Rank('height', 'max', MUG)), Rank('height', 'max', MUG)),
        (Select(1, MUG), Select('one', MUG)),
        (Except(Except(MUG, CUP), TABLE), Except(MUG, Union((TABLE, CUP)))),
        (Relate('between', Things(), MUG, CUP), Relate('between', Things(), CUP, MUG)),
        (Filter('name', 'open mugs'), Filter('state', 'open', MUG)),
        (Filter('name', 'wooden box', MUG), Filter('material', 'wood', Filter('name', 'box', MUG))),
        (Filter('name', 'cupboard handle'), Parts('handle', Filter('name', 'cupboard'))),
        (
            Filter('name', 'cupboard handle', Filter('colour', 'red')),
            Filter('colour', 'red', Parts('handle', Filter('name', 'cupboard'))),
        ),
        (Filter('tag', 'cuts', Filter('name', 'knife')), Filter('name', 'knife')),
        (Filter('name', 'knife', Filter('tag', 'cuts')), Filter('name', 'knife')),
        (Like('with the red cap', MUG), Like('red cap', MUG)),
    ],
)
def test_the_same_is_equal(first: Node, second: Node) -> None:
    assert equal(first, second)


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        (MUG, CUP),
        (Select('one', MUG), Select('all', MUG)),
        (Relate('on', MUG, CUP), Relate('on', CUP, MUG)),
        (Rank('height', 'max', Filter('colour', 'red', MUG)), Filter('colour', 'red', Rank('height', 'max', MUG))),
        (Except(MUG, CUP), Except(CUP, MUG)),
        (Parts('lid', Filter('colour', 'red', MUG)), Filter('colour', 'red', Parts('lid', MUG))),
        (Select(2, Rank('height', 'max', MUG, count=3)), Rank('height', 'max', MUG, count=3)),
        (Things(), Everything()),
        (Filter('name', 'red wine stain'), Filter('colour', 'red', Filter('name', 'wine stain'))),
        (Filter('name', 'door handle'), Parts('handle', Filter('name', 'door'))),
        (Filter('tag', 'eat_with', Filter('name', 'fork')), Filter('name', 'fork')),  # a garden fork is a fork
        (Like('red', MUG), Like('with the', MUG)),
    ],
)
def test_what_differs_stays_different(first: Node, second: Node) -> None:
    assert not equal(first, second)


@pytest.mark.parametrize('seed', range(200))
def test_the_canonical_form_of_a_canonical_form_is_itself(seed: int) -> None:
    once = canonical(random_program(random.Random(seed), 4))
    assert canonical(once) == once


@pytest.mark.parametrize(
    ('program', 'text'),
    [
        (Rank('height', 'max', Relate('on', Things(), TABLE)), 'the tallest of the things on the table'),
        (Select('one', Filter('colour', 'red', MUG)), 'the red mug'),
        (Select(2, Filter('material', 'glass', MUG)), 'two glass mugs'),
        (Select('all', Filter('state', 'open', MUG)), 'all mugs that are open'),
        (Select('one', Filter('state', 'open', MUG)), 'the mug that is open'),
        (Parts('handle', MUG), 'the handles of the mug'),
        (Parts('handle', Select('one', MUG)), 'the handles of one mug'),
        (Parts('handle', Select('all', MUG)), 'the handles of all mugs'),
        (Rank('distance_to', 'min', CUP, anchor=TABLE), 'the nearest to the table of the cups'),
        (Rank('x', 'min', CUP, first=2), 'the second leftmost of the cups'),
        (Except(Things(), MUG), 'the things except the mugs'),
        (Select('all', Except(Things(), Select('one', MUG))), 'all things except the mug'),
        (Select('one', Relate('on', Filter('colour', 'red', CUP), Filter('name', 'tray'))), 'the red cup on the tray'),
        (Union((Select('one', MUG), Select('all', CUP))), 'the mug and all cups'),
        (Select('one', Act('sitting', 'agent', MUG, TABLE)), 'the mug that is sitting on the table'),
        (Select('all', Act('reaching', 'patient', CUP)), 'all cups that somebody is reaching for'),
    ],
)
def test_programs_in_words(program: Node, text: str) -> None:
    assert words(program) == text


def test_different_programs_have_different_words() -> None:
    seen: dict[str, Node] = {}
    for seed in range(3000):
        program = random_program(random.Random(seed), 3)
        assert seen.setdefault(words(program), program) == program


def test_every_tag_is_printed_in_words_of_its_own() -> None:
    texts = {tag: words(Select('all', Filter('tag', tag, Things()))) for tag in knowledge.tags()}
    assert len(set(texts.values())) == len(texts)
    assert not any('"' in text or '_' in text or '{' in text for text in texts.values())
    assert texts['spills'] == 'all things that could be spilled'
    assert words(Select('one', Filter('tag', 'sharp', Things()))) == 'the thing that is sharp'


def test_an_extreme_and_a_part_of_the_view_are_the_same_place_of_one_thing() -> None:
    box = Filter('name', 'box')
    leftmost, left = Select('one', Rank('x', 'min', box)), Select('one', Filter('region', 'left', box))
    assert canonical(leftmost) != canonical(left) and by_place(leftmost) == by_place(left)
    nested = [Select('one', Relate('on', Filter('name', 'mug'), of)) for of in (leftmost.of, left.of)]
    assert by_place(nested[0]) == by_place(nested[1])
    second, every = Select('one', Rank('x', 'min', box, first=2)), Select('all', Filter('region', 'left', box))
    assert len({by_place(p) for p in (left, second, every, Select('one', Rank('height', 'max', box)))}) == 4
