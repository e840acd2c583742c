"""A program has a fault for what no word of the text says, for a misplaced preposition and for a wrong number."""

import pytest

from converseg_ros.programs.evidence import VALUES, faults, says_more, stems
from converseg_ros.programs.nodes import Act, Filter, FreeSpace, Node, Parts, Rank, Relate, Select, Things
from converseg_ros.programs.spans import split
from converseg_ros.programs.vocabulary import ACTS, COLOURS

CAT, KEY, MUG = Filter('name', 'cat'), Filter('name', 'key'), Filter('name', 'mug')
CUSHION, PEN, BOOK, DESK = (Filter('name', noun) for noun in ('cushion', 'pen', 'book', 'desk'))


def test_every_action_and_colour_has_words() -> None:
    assert set(stems()['act']) == set(ACTS)
    assert set(stems()['colour']) == set(COLOURS)
    for colour in COLOURS:
        assert faults(Filter('colour', colour, MUG), [colour, 'mug']) == 0
    for act in ACTS:
        assert faults(Act(act, 'agent'), ['who', 'is', act]) == 0


def test_the_file_lists_known_values_only() -> None:
    for kind, values in stems().items():
        assert set(values) <= set(VALUES[kind])
        assert all(values.values())


@pytest.mark.parametrize(
    ('text', 'program', 'count'),
    [
        ('the cat that is asleep on the cushions', Select('one', Act('watching', 'agent', CAT, CUSHION)), 1),
        ('the cat that is asleep on the cushions', Select('one', Relate('on', CAT, CUSHION)), 0),
        ('the cat that looks at the cushions', Select('one', Act('watching', 'agent', CAT, CUSHION)), 0),
        ('who has nothing to do with it', Select('all', Act('using', 'uninvolved')), 0),
        ('the Saint Agur packet', Select('one', Filter('colour', 'purple', Filter('name', 'packet'))), 1),
        ('the crimson packet', Select('one', Filter('colour', 'red', Filter('name', 'packet'))), 0),
        ('the tiny mug', Select('one', Filter('material', 'ceramic', MUG)), 1),
        ('the porcelain mug', Select('one', Filter('material', 'ceramic', MUG)), 0),
        ('the mug that is near', Select('one', Relate('between', MUG, KEY)), 1),
        ('the mug that sticks up the least', Rank('weight', 'min', MUG), 1),
        ('the mug that sticks up the least', Rank('height', 'min', MUG), 0),
        ('a mug I can drink from', FreeSpace(None, 'mug'), 1),
        ('somewhere for the mug', FreeSpace(None, 'mug'), 0),
        ('can I drive over here', FreeSpace(Filter('name', 'floor')), 0),
        ('the cat with the key', Select('one', Act('holding', 'agent', CAT, KEY)), 0),
        ('the third mug from the key', Rank('distance_to', 'min', MUG, 3, 1, KEY), 0),
        ('pens on the second shelf', Select('all', Relate('on', PEN, Rank('y', 'min', Filter('name', 'shelf'), 2))), 0),
        ('have you seen my keys', Select('one', KEY), 1),
        ('have you seen my keys', Select('all', KEY), 0),
        ('which of the keys is on the table', Select('one', KEY), 0),
        ('a whole mug', Select('all', MUG), 1),
        ('every mug', Select('all', MUG), 0),
        ('the handles of the mug', Select('one', Parts('handle', MUG)), 1),
        ('the glasses', Select('all', Filter('name', 'glasses')), 0),
        ('what is red', Select('all', Filter('colour', 'red', Things())), 0),
        ('- ?', Select('one', Filter('name', '-')), 0),
    ],
)
def test_faults(text: str, program: Node, count: int) -> None:
    assert faults(program, split(text) if text[0].isalpha() else text.split()) == count


@pytest.mark.parametrize(
    ('text', 'program', 'count'),
    [
        ('the pen next to the book on the desk', Relate('next_to', PEN, Relate('on', BOOK, DESK)), 0),
        ('the pen next to the book on the desk', Relate('on', Relate('next_to', PEN, DESK), BOOK), 2),
        ('the pen on top of my old book', Relate('on', PEN, BOOK), 0),
        ('the pen on top of my old book', Relate('behind', PEN, BOOK), 2),
        ('the pen in front of the book', Relate('in_front_of', PEN, BOOK), 0),
        ('the pen that has a book at the back', Relate('behind', PEN, BOOK), 0),
        ("the pen on the book's right side", Relate('right_of', PEN, BOOK), 0),
        ('the book the pen is on', Relate('supports', BOOK, PEN), 0),
        ('the book on the book behind the pen', Relate('behind', BOOK, Filter('name', 'pen')), 0),
    ],
)
def test_a_preposition_belongs_to_the_noun_after_it(text: str, program: Node, count: int) -> None:
    assert faults(program, split(text)) == count


def test_a_wrong_number_adds_no_condition() -> None:
    assert not says_more(Select('one', KEY), split('have you seen my keys'))
    assert says_more(Act('plugging', 'agent', CAT), split('the cat under the bed'))
