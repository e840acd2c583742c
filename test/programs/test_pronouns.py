"""Programs agree with the pronouns of their text."""

import pytest

from converseg_ros.programs.nodes import MAX_DEPTH, Everything, Filter, Node, Rank, Relate, Select, Things
from converseg_ros.programs.pronouns import with_pronouns
from converseg_ros.programs.spans import split

SEAT = Filter('tag', 'sittable')
MUG, DOOR, PERSON, HIM = (Filter('name', noun) for noun in ('mug', 'door', 'person', 'him'))
BY_DOOR = Relate('near', Things(), DOOR)


@pytest.mark.parametrize(
    ('text', 'program', 'meant'),
    [
        ('something to sit on', Select('one', SEAT), Select('all', SEAT)),
        ('give me the one thing to sit on', Select('one', SEAT), Select('one', SEAT)),
        ('the thing next to something to sit on', Select('one', SEAT), Select('one', SEAT)),
        ('the largest of something', Rank('size', 'max', SEAT), Rank('size', 'max', SEAT)),
        ('something like a mug', Select('one', MUG), Select('one', MUG)),
        (
            'who is by the door',
            Select('all', BY_DOOR),
            Select('all', Relate('near', PERSON, DOOR)),
        ),
        (
            'somebody is asking for the thing by the door',
            Select('one', BY_DOOR),
            Select('one', BY_DOOR),
        ),
        (
            'what is by the door',
            Select('all', BY_DOOR),
            Select('all', BY_DOOR),
        ),
        (
            'the mug in front of him',
            Relate('in_front_of', MUG, HIM),
            Relate('in_front_of', MUG, PERSON),
        ),
    ],
)
def test_pronouns(text: str, program: Node, meant: Node) -> None:
    assert with_pronouns(program, split(text)) == meant


def test_a_program_never_becomes_too_deep() -> None:
    deep: Node = Everything()
    for _ in range(MAX_DEPTH - 1):
        deep = Filter('physics', 'stable', deep)
    assert with_pronouns(Select('all', deep), ['who']).depth() <= MAX_DEPTH
