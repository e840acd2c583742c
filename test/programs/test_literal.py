"""The literal reading keeps the noun and takes the words after it as a free text."""

import pytest

from converseg_ros.programs.literal import as_free_text, literally
from converseg_ros.programs.nodes import Act, Filter, Like, Node, Select, Things
from converseg_ros.programs.spans import split

RUNNER, BASE = Filter('name', 'runner'), Filter('name', 'base')


@pytest.mark.parametrize(
    ('text', 'program', 'meant'),
    [
        (
            'the runner sliding into the base',
            Select('one', Act('plugging', 'agent', RUNNER, BASE)),
            Select('one', Like('sliding into the base', RUNNER)),
        ),
        (
            'the red runner who is about to fall?',
            Select('one', Act('plugging', 'agent', Filter('colour', 'red', RUNNER))),
            Select('one', Like('about to fall', Filter('colour', 'red', RUNNER))),
        ),
        ('the sliding runner', Select('one', Act('plugging', 'agent', RUNNER)), None),
        ('what slides into the base', Select('all', Act('plugging', 'agent', Things(), BASE)), None),
        ('one of the runners sliding in', Select('one', Act('plugging', 'agent', RUNNER)), None),
        ('the runner ' + 'again ' * 20, Select('one', Act('plugging', 'agent', RUNNER)), None),
    ],
)
def test_literal_reading(text: str, program: Node, meant: Node | None) -> None:
    assert literally(program, split(text)) == meant


@pytest.mark.parametrize(
    ('text', 'program', 'meant'),
    [
        (
            'what could I toss the salad with?',
            Select('all', Filter('tag', 'wipe')),
            Select('all', Like('toss the salad with')),
        ),
        (
            'something to grill on',
            Select('one', Filter('physics', 'stable', Things())),
            Select('one', Like('grill on')),
        ),
        ('the thing to grill', Select('one', Filter('tag', 'wipe', RUNNER)), None),
        ('what is it', Select('all', Filter('tag', 'wipe')), None),
    ],
)
def test_a_single_property_of_no_noun_as_a_free_text(text: str, program: Node, meant: Node | None) -> None:
    assert as_free_text(program, split(text)) == meant
