"""Acts of an agent on what it touches."""

from facts_blocks import Block, facts, named
import pytest

from converseg_ros.facts.execution.executor import execute
from converseg_ros.programs.nodes import Act, Select

PERSON = Block('person', -0.3, 0, (0.2, 0.2, 0.4), kind=3)
PEN, NOTEBOOK = Block('pen', -0.17, 0.0, (0.06, 0.02, 0.02)), Block('notebook', -0.17, -0.08, (0.06, 0.14, 0.02))


@pytest.mark.parametrize(('role', 'expected'), [('patient', 2), ('instrument', 1)], ids=['writing in', 'writing with'])
def test_what_is_written_in_is_not_what_is_written_with(role: str, expected: int) -> None:
    seen = facts([PERSON, PEN, NOTEBOOK])
    answer = execute(Select('all', Act('writing', role)), seen)
    assert set(answer.chosen) == {expected}, answer.candidates


@pytest.mark.parametrize('other', ['pen', 'notebook'])
def test_somebody_writes_with_a_pen_and_in_a_notebook(other: str) -> None:
    answer = execute(Select('one', Act('writing', 'agent', other=named(other))), facts([PERSON, PEN, NOTEBOOK]))
    assert set(answer.chosen) == {0}


def test_the_reason_says_what_nobody_does() -> None:
    answer = execute(Select('one', Act('wearing', 'patient', named('pen'), named('person'))), facts([PERSON, PEN]))
    assert answer.reason == 'a pen is seen, but none that the person is wearing'
