"""Answers that a person would call obviously wrong: pieces as the smallest thing, and all of a view by chance."""

from dataclasses import replace

from facts_blocks import BLOCKS, BOWL, RED_MUG, WHITE_MUG, Block, facts, named
import numpy as np
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Act, Everything, Like, Node, Parts, Rank, Relate, Select, Things

AS_NETWORK = Options(present=0.3, absent=0.02, least=1e-9)
ELEPHANTS = [
    Block('elephant', -0.3, 0.1, (0.25, 0.2, 0.3)),
    Block('elephant', 0.0, 0.1, (0.12, 0.1, 0.15)),
    Block('elephant', 0.25, 0.0, (0.03, 0.03, 0.03), p=0.7),
]
PIECE = 2


def with_quality(seen: Facts, quality: list[float]) -> Facts:
    every = np.array([*quality, *[0.9] * (len(seen) - len(quality))], np.float32)
    return replace(seen, segments=replace(seen.segments, quality=every), _cache={})


@pytest.mark.parametrize('key', ['size', 'height', 'length', 'x'])
def test_a_piece_of_a_thing_competes_for_no_place(key: str) -> None:
    smallest = Select('one', Rank(key, 'max' if key == 'x' else 'min', named('elephant')))
    sure = with_quality(facts(ELEPHANTS, depth=False), [0.9, 0.7, 0.7])
    assert execute(smallest, sure, AS_NETWORK).chosen == (PIECE,)
    piece = with_quality(facts(ELEPHANTS, depth=False), [0.9, 0.7, 0.15])
    assert execute(smallest, piece, AS_NETWORK).chosen == (1,)
    safe = execute(smallest, piece, Options(recall=True))
    assert PIECE in safe.chosen, 'for safety, outlines exclude nothing'


def test_the_size_of_what_the_border_cuts_off_is_not_known() -> None:
    whole = Block('box', 0.0, 0.0, (0.2, 0.1, 0.1), p=0.3)
    seen = with_quality(facts([whole, Block('box', 0.75, -0.15, (0.5, 0.3, 0.02), p=0.1)], depth=False), [0.9, 0.9])
    assert seen.measures.cut.tolist()[:2] == [False, True]
    size, place = (execute(Rank(key, 'max', named('box')), seen, AS_NETWORK).degree.p for key in ('size', 'x'))
    assert size[0] > 0.25 and size[1] == 0
    assert place[0] < size[0] and place[1] > 0


@pytest.mark.parametrize(
    'program',
    [
        Select('all', Relate('on', Things(), named('knife'))),
        Select('one', Rank('distance_to', 'min', Things(), anchor=named('knife'))),
        Select('all', Act('holding', 'patient', Things(), named('knife'))),
        Select('all', Like('hold the roof up')),
    ],
    ids=['relation', 'nearest', 'act', 'free text'],
)
def test_nothing_is_proposed_by_a_condition_on_what_is_not_recognized(seen: Facts, program: Node) -> None:
    answer = execute(program, seen, AS_NETWORK)
    assert answer.status != Status.OK and answer.evidence.best < 0.02


def test_a_named_thing_is_found_without_its_anchor(seen: Facts) -> None:
    for program in (
        Select('one', Relate('next_to', named('bowl'), named('knife'))),
        Select('one', Rank('distance_to', 'min', named('bowl'), anchor=named('knife'))),
    ):
        answer = execute(program, seen, AS_NETWORK)
        assert answer.chosen == (BOWL,) and answer.evidence.best > 0.02


def test_for_safety_a_free_text_that_says_nothing_may_mean_everything(seen: Facts) -> None:
    answer = execute(Select('all', Like('hold the roof up')), seen, Options(recall=True))
    assert answer.status == Status.LOW_CONFIDENCE and answer.mask.any()
    assert set(answer.chosen) >= {RED_MUG, BOWL, WHITE_MUG}


def test_one_holds_things_and_not_the_table(seen: Facts) -> None:
    answer = execute(Parts('grip', Select('one', Everything())), seen, AS_NETWORK)
    table = seen.segments.masks[len(BLOCKS)]
    assert answer.mask.any() and not (answer.mask & table).any()
