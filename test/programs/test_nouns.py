"""Unknown nouns are divided into conditions that can be tested; names of classes stay whole."""

import random

import pytest
from random_programs import random_program

from converseg_ros.programs.canonical import equal
from converseg_ros.programs.nodes import MAX_DEPTH, Filter, Node, Parts, Rank, Relate, Select, Things
from converseg_ros.programs.nouns import with_antecedents, with_plain_nouns
from converseg_ros.programs.spans import split

BOOK, TABLE = Filter('name', 'book'), Filter('name', 'table')


@pytest.mark.parametrize(
    ('program', 'plain'),
    [
        (Filter('name', 'open book'), Filter('state', 'open', BOOK)),
        (
            Select('one', Relate('on', Filter('name', 'blue book'), TABLE)),
            Relate('on', Filter('colour', 'blue', BOOK), TABLE),
        ),
        (Filter('name', 'open blue book'), Filter('state', 'open', Filter('colour', 'blue', BOOK))),
        (Filter('name', 'cupboard handle'), Parts('handle', Filter('name', 'cupboard'))),
        (
            Filter('name', 'open cupboard handle'),
            Filter('state', 'open', Parts('handle', Filter('name', 'cupboard'))),
        ),
    ],
)
def test_an_unknown_noun_is_divided(program: Node, plain: Node) -> None:
    found = with_plain_nouns(program)
    assert found == (Select('one', plain) if isinstance(program, Select) else plain)


@pytest.mark.parametrize(
    'noun',
    ['wooden spoon', 'red wine', 'red wine stain', 'red', 'door handle', 'orange peel', 'gizmo handle', 'handle'],
)
def test_names_of_classes_and_unknown_compounds_stay_whole(noun: str) -> None:
    assert with_plain_nouns(Filter('name', noun)) == Filter('name', noun)


DRAWER, DESK, ELEPHANT = Filter('name', 'drawer'), Filter('name', 'desk'), Filter('name', 'elephant')


@pytest.mark.parametrize(
    ('program', 'plain'),
    [
        (Filter('name', 'top drawer'), Rank('y', 'min', DRAWER)),
        (Relate('part_of', Filter('name', 'lower drawer'), DESK), Rank('y', 'max', Relate('part_of', DRAWER, DESK))),
        (Parts('bottom drawer', DESK), Rank('y', 'max', Parts('drawer', DESK))),
        (Filter('name', 'baby elephant'), Rank('size', 'min', ELEPHANT)),
    ],
)
def test_a_position_or_an_age_before_the_noun_of_one_thing_is_an_order(program: Node, plain: Node) -> None:
    assert with_plain_nouns(Select('one', program)) == plain
    assert with_plain_nouns(Select('all', program)) == Select('all', program), 'an order has one extreme'


@pytest.mark.parametrize('noun', ['top hat', 'baby bottle', 'baby', 'young man', 'top gizmo'])
def test_other_nouns_are_no_order(noun: str) -> None:
    assert with_plain_nouns(Select('one', Filter('name', noun))) == Select('one', Filter('name', noun))


def test_a_program_never_becomes_too_deep() -> None:
    deep: Node = Filter('name', 'open blue book')
    for _ in range(MAX_DEPTH):
        deep = Filter('physics', 'stable', deep)
    assert with_plain_nouns(deep) == deep


@pytest.mark.parametrize('seed', range(50))
def test_the_meaning_stays_the_same(seed: int) -> None:
    program = random_program(random.Random(seed), 4)
    assert equal(with_plain_nouns(program), program)


MUG, BLUE = Filter('name', 'mug'), Filter('colour', 'blue', Things())


@pytest.mark.parametrize(
    ('text', 'anchor'),
    [
        ('the mug behind the blue one', Filter('colour', 'blue', MUG)),
        ('the mug behind the blue thing', BLUE),
        ('one mug behind the blue thing', BLUE),
    ],
)
def test_one_after_an_adjective_is_the_main_noun(text: str, anchor: Node) -> None:
    program = Select('one', Relate('behind', MUG, BLUE))
    assert with_antecedents(program, split(text)) == Select('one', Relate('behind', MUG, anchor))


@pytest.mark.parametrize(
    ('text', 'program'),
    [
        ('everything behind the blue one', Select('all', Relate('behind', Things(), BLUE))),
        ('the mug, the red one, behind the blue thing', Relate('behind', Filter('colour', 'red', MUG), BLUE)),
        ('the blue one of the mugs on the blue table', Relate('on', MUG, Filter('colour', 'blue', TABLE))),
    ],
)
def test_one_stands_for_nothing_else(text: str, program: Node) -> None:
    assert with_antecedents(program, split(text)) == program
