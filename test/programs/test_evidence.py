"""A program has a fault for each action and colour that no word of the text says, and for a wrong number."""

import pytest

from converseg_ros.programs.evidence import STEMS, faults
from converseg_ros.programs.nodes import Act, Filter, Node, Parts, Relate, Select, Things
from converseg_ros.programs.spans import split
from converseg_ros.programs.vocabulary import ACTS, COLOURS

CAT, KEY, MUG = Filter('name', 'cat'), Filter('name', 'key'), Filter('name', 'mug')
CUSHION = Filter('name', 'cushion')


def test_every_action_and_colour_has_words() -> None:
    assert set(STEMS['act']) == set(ACTS)
    assert set(STEMS['colour']) == set(COLOURS)
    for colour in COLOURS:
        assert faults(Filter('colour', colour, MUG), [colour, 'mug']) == 0
    for act in ACTS:
        assert faults(Act(act, 'agent'), ['who', 'is', act]) == 0


@pytest.mark.parametrize(
    ('text', 'program', 'count'),
    [
        ('the cat that is asleep on the cushions', Select('one', Act('watching', 'agent', CAT, CUSHION)), 1),
        ('the cat that is asleep on the cushions', Select('one', Relate('on', CAT, CUSHION)), 0),
        ('the cat that looks at the cushions', Select('one', Act('watching', 'agent', CAT, CUSHION)), 0),
        ('who has nothing to do with it', Select('all', Act('using', 'uninvolved')), 0),
        ('the Saint Agur packet', Select('one', Filter('colour', 'purple', Filter('name', 'packet'))), 1),
        ('the crimson packet', Select('one', Filter('colour', 'red', Filter('name', 'packet'))), 0),
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
