"""The literal reading keeps the noun and takes the words after it as a free text."""

import pytest

from converseg_ros.programs.literal import literally
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
