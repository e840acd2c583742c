"""Facts that are exactly known: programs give exactly the masks of what they mean, and nothing doubtful is chosen."""

import numpy as np
import pytest

from converseg_ros.core.status import Status
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.table import Facts
from converseg_ros.facts.truth import TrueEvent, TrueThing, true_facts
from converseg_ros.programs.nodes import (
    Act,
    Except,
    Filter,
    FreeSpace,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)

UP = np.array([0.0, -1.0, 0.0])


def box(x: int, y: int, w: int, h: int) -> np.ndarray:
    mask = np.zeros((60, 80), bool)
    mask[y : y + h, x : x + w] = True
    return mask


TABLE = TrueThing('t', box(0, 30, 80, 30) & ~box(10, 30, 12, 12) & ~box(40, 30, 8, 8) & ~box(60, 30, 10, 14), 'surface',
                  frozenset({'table'}), position=np.array([0, 0.4, 1.5]), size=(1.6, 0.8, 0.04), top=0.74)  # fmt: skip
MUG = TrueThing('m', box(10, 24, 12, 18), names=frozenset({'mug', 'cup'}), maybe_names=frozenset({'glass'}),
                tags=frozenset({'drink'}), properties=frozenset({('colour', 'red'), ('state', 'upright')}), support='t',
                tips=False, position=np.array([-0.4, 0.3, 1.4]), size=(0.08, 0.08, 0.1), top=0.84)  # fmt: skip
HANDLE = TrueThing('h', box(18, 28, 4, 8), names=frozenset({'handle'}), owner='m')
CUP = TrueThing('c', box(40, 22, 8, 16), names=frozenset({'mug', 'cup'}), properties=frozenset({('colour', 'blue')}),
                maybe=frozenset({('material', 'glass')}), support='t', contacts=frozenset({'t'}), tips=True,
                position=np.array([0.0, 0.3, 1.4]), size=(0.06, 0.06, 0.14), top=0.88)  # fmt: skip
HAND = TrueThing('p', box(60, 20, 10, 24), 'agent', frozenset({'hand'}), position=np.array([0.4, 0.3, 1.3]),
                 size=(0.1, 0.1, 0.2), top=0.95)  # fmt: skip
ALL = (TABLE, MUG, HANDLE, CUP, HAND)
EVENTS = (TrueEvent('holding', 'p', 'c'),)
NAMED = {t.key: t for t in ALL}


@pytest.fixture(scope='module')
def true() -> Facts:
    free = {'t': box(24, 45, 14, 10)}
    return true_facts(ALL, events=EVENTS, up=UP, free=free, tells=frozenset({'colour', 'state'}))


def named(noun: str) -> Filter:
    return Filter('name', noun)


@pytest.mark.parametrize(
    ('program', 'keys'),
    [
        (Select('all', named('mug')), 'mc'),
        (Select('one', Filter('colour', 'red', named('mug'))), 'm'),
        (Select('one', named('table')), 't'),
        (Select('all', Things()), 'mc'),
        (Select('one', Rank('height', 'max', named('mug'))), 'c'),
        (Rank('x', 'min', Things()), 'm'),
        (Select('one', Relate('left_of', named('mug'), named('hand'))), 'mc'),
        (Select('all', Relate('on', Things(), named('table'))), 'mc'),
        (Select('one', Filter('physics', 'tips', Things())), 'c'),
        (Select('one', Filter('tag', 'drink')), 'm'),
        (Select('one', Act('holding', 'patient')), 'c'),
        (Select('one', Act('holding', 'agent')), 'p'),
        (Select('one', Act('holding', 'uninvolved', named('mug'))), 'm'),
        (Parts('handle', named('mug')), 'h'),
        (Except(Things(), Filter('colour', 'red')), 'c'),
        (Union((Filter('colour', 'red', named('mug')), named('hand'))), 'mp'),
        (Relate('supports', Filter('name', 'table'), named('mug')), 't'),
    ],
)
def test_programs_reproduce_masks(true: Facts, program: Node, keys: str) -> None:
    if isinstance(program, Select) and program.quantity == 'one' and len(keys) > 1:
        program = Select('all', program.of)
    answer = execute(program, true)
    assert (answer.mask == np.any([NAMED[k].mask for k in keys], axis=0)).all()
    assert answer.status == Status.OK and answer.decided and answer.score == 1


@pytest.mark.parametrize(
    'program',
    [
        Select('one', named('knife')),
        Select('one', Filter('colour', 'green', named('mug'))),
        Select('one', Filter('state', 'open', named('mug'))),
        Select('one', Relate('in', named('mug'), named('mug'))),
        Select('one', Act('cutting', 'patient')),
        Parts('lid', named('mug')),
    ],
)
def test_what_is_not_stated_is_not_there(true: Facts, program: Node) -> None:
    answer = execute(program, true)
    assert answer.status == Status.NO_TARGET and not answer.mask.any() and answer.decided


@pytest.mark.parametrize(
    'program',
    [
        Select('one', named('glass')),  # some would call the mug so
        Select('one', Filter('material', 'glass')),
        Select('one', Filter('physics', 'heavy')),
        Select('one', Relate('own_left_of', Things(), named('hand'))),
    ],
)
def test_where_opinions_differ_nothing_is_decided(true: Facts, program: Node) -> None:
    answer = execute(program, true)
    assert answer.status == Status.LOW_CONFIDENCE and not answer.decided


def test_free_space_is_what_was_given(true: Facts) -> None:
    answer = execute(FreeSpace(named('table')), true)
    assert answer.area and (answer.mask == box(24, 45, 14, 10)).all() and answer.status == Status.OK
    assert (execute(FreeSpace(), true).mask == answer.mask).all()


def test_a_source_without_a_graph_or_events_leaves_them_open() -> None:
    photo = true_facts([TABLE, MUG, CUP, HAND], events=None, graph=False)
    for program in (
        Select('one', Relate('on', named('mug'), named('table'))),
        Select('one', Act('holding', 'patient')),
    ):
        answer = execute(program, photo)
        assert answer.status == Status.LOW_CONFIDENCE and not answer.decided
    nowhere = TrueThing('x', box(0, 0, 5, 5), names=frozenset({'mug'}))
    assert not execute(Rank('height', 'max', named('mug')), true_facts([MUG, nowhere], up=UP)).decided


def test_nouns_outside_of_the_labels_are_not_known() -> None:
    labelled = true_facts([MUG, CUP], vocabulary=frozenset({'mug'}))
    assert execute(Select('all', named('mug')), labelled).status == Status.OK
    assert execute(Select('all', named('fork')), labelled).status == Status.LOW_CONFIDENCE


def test_relations_can_be_given() -> None:
    upside_down = Degree.known([[0, 1], [0, 0]])
    given = true_facts([MUG, CUP], up=UP, relations={'behind': upside_down})
    answer = execute(Relate('behind', named('mug'), named('mug')), given)
    assert answer.chosen == (0,)
