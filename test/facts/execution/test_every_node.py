"""Every type of node has its part in each function of programs: a new type fails here until it has one everywhere."""

import random

from facts_blocks import Block, facts
import pytest

from converseg_ros import knowledge
from converseg_ros.facts.execution.executor import Executor, execute
from converseg_ros.facts.table import Facts
from converseg_ros.programs.canonical import canonical
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.nodes import (
    NODES,
    Act,
    Everything,
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
    node_from_json,
)
from converseg_ros.programs.phrasing.sentence import say
from converseg_ros.programs.printer import words
from converseg_ros.programs.spans import split

MUG, BOX = Filter('name', 'mug'), Filter('name', 'box')
EXAMPLES: list[Node] = [
    Things(),
    Everything(),
    MUG,
    Rank('height', 'max', BOX),
    Relate('on', MUG, BOX),
    Act('holding', 'agent', Filter('name', 'person'), MUG),
    Parts('handle', MUG),
    FreeSpace(BOX),
    Union((MUG, BOX)),
    Except(Things(), MUG),
    Select('all', MUG),
    Like('ready for guests', MUG),
]
WORDS = split('the mug, the box and the person with a handle, ready for guests')


@pytest.fixture(scope='module')
def seen() -> Facts:
    return facts([Block('mug', -0.2, 0, (0.08, 0.08, 0.1)), Block('box', 0.2, 0, (0.2, 0.2, 0.2))])


def test_there_is_an_example_of_every_type() -> None:
    assert {type(node) for node in EXAMPLES} == set(NODES.values())
    assert len(EXAMPLES) == len(NODES)


@pytest.mark.parametrize('node', EXAMPLES, ids=lambda n: n.op)
def test_a_node_is_stored_written_printed_phrased_and_executed(node: Node, seen: Facts) -> None:
    assert node_from_json(node.to_json()) == node
    grammar = Grammar(tuple(knowledge.tags()))
    assert grammar.read(grammar.write(node, WORDS), WORDS) == node
    assert canonical(canonical(node)) == canonical(node)
    assert words(node)
    for outer in (node, Select('one', node), Select('all', node), Parts('handle', node)):
        assert say(outer, random.Random(0))
    answer = execute(Select('all', node), seen)
    assert answer.reason or answer.mask.any()


def test_programs_of_one_view_have_the_answers_that_each_has_alone(seen: Facts) -> None:
    shared = Executor(seen)
    programs = [*EXAMPLES, *(Select('one', node) for node in EXAMPLES), Relate('left_of', Like('big', BOX), MUG)]
    for program in programs * 2:
        alone, cached = execute(program, seen), shared.execute(program)
        assert (cached.status, cached.reason, cached.chosen, cached.evidence.best) == (
            alone.status,
            alone.reason,
            alone.chosen,
            alone.evidence.best,
        )
        assert [(x.text, x.main, x.best, x.reached) for x in cached.evidence.literals] == [
            (x.text, x.main, x.best, x.reached) for x in alone.evidence.literals
        ]
        assert (cached.mask == alone.mask).all()


def test_a_decision_is_the_answer_without_its_reasons(seen: Facts) -> None:
    for program in EXAMPLES:
        decision, answer = Executor(seen).decide(program), execute(program, seen)
        assert (decision.status, decision.chosen, decision.decided) == (answer.status, answer.chosen, answer.decided)
        assert (decision.mask(seen) == answer.mask).all()
