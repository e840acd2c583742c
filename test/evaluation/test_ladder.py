"""The steps at which answers fail, decided from numbers, and of a network on a table of blocks."""

from dataclasses import dataclass, replace

from facts_blocks import BLOCKS, BOWL, BOX, RED_MUG, WHITE_MUG, BlockNamer, facts, named
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from converseg_ros.core import Frame, InputError
from converseg_ros.datasets.samples import Sample
from converseg_ros.evaluation.ladder import FACTS, NAMES, PRESENCE, PROGRAM, RIGHT, SEGMENTS, ladder, step_of
from converseg_ros.evaluation.runner import MODEL, Runner
from converseg_ros.network.things.parts import Parts
from converseg_ros.network.things.things_network import ThingsNetwork
from converseg_ros.programs.nodes import Filter, Node, Relate, Select, program_to_json


@pytest.mark.parametrize(
    ('case', 'step'),
    [
        ({'iou': 0.8}, RIGHT),
        ({'oracle': 0.3}, SEGMENTS),
        ({'refused': True, 'kept': 0.9}, PRESENCE),
        ({'refused': True, 'kept': 0.1}, FACTS),
        ({'given': 0.9}, PROGRAM),
        ({'given': 0.9, 'named': 0.9}, PROGRAM),
        ({'given': 0.1}, FACTS),
        ({'given': 0.1, 'named': 0.9}, NAMES),
        ({'named': 0.9}, NAMES),
        ({'named': None}, PROGRAM),
        ({}, FACTS),
        ({'positive': False, 'refused': True}, RIGHT),
        ({'positive': False}, PRESENCE),
    ],
)
def test_the_first_step_that_failed_is_named(case, step):
    plain = {'positive': True, 'refused': False, 'iou': 0.1, 'oracle': 0.9, 'kept': 0.1, 'given': None, 'named': 0.2}
    numbers = {**plain, **case}
    named_iou = numbers.pop('named')
    assert step_of(**numbers, named=lambda: named_iou) == step


@pytest.mark.parametrize('case', [{'iou': 0.8}, {'oracle': 0.3}, {'given': 0.9}, {'positive': False}])
def test_names_are_made_known_only_where_no_earlier_step_failed(case):
    plain = {'positive': True, 'refused': False, 'iou': 0.1, 'oracle': 0.9, 'kept': 0.1, 'given': None}
    step_of(**{**plain, **case}, named=lambda: pytest.fail('nothing to find out'))


def test_the_report_has_the_share_of_each_step():
    @dataclass
    class Scored:
        step: str

    assert ladder([Scored('')]) is None
    table = ladder([Scored(RIGHT), Scored(RIGHT), Scored(FACTS), Scored(NAMES), Scored('')])
    assert table['n'] == 4 and table[RIGHT] == 0.5 and table[NAMES] == table[FACTS] == 0.25 and table[PRESENCE] == 0


class Table:
    """Proposes the regions of the blocks, and reads the name of a thing as the thing."""

    def __init__(self, segments):
        self.segments = segments

    def propose(self, view):
        return self.segments

    def parse_all(self, texts):
        return [self._read(text) for text in texts]

    @staticmethod
    def _read(text):
        if not text.startswith('the '):
            return InputError(f'{text!r} is not understood', where='instruction', do='say it in other words')
        return Read(Select('one', named(text.removeprefix('the '))))


@dataclass(frozen=True)
class Read:
    program: Node
    confidence: float = 0.95


ON_THE_BOX = Select('one', Relate('on', named('mug'), named('box')))
WHITE_MUG_ONE = Select('one', Filter('colour', 'white', named('mug')))


@pytest.mark.parametrize(
    ('prompt', 'target', 'gold', 'step'),
    [
        ('the bowl', BOWL, None, RIGHT),
        ('the box', BOX, None, NAMES),  # it is taken for a vase, and the book for a box
        ('the box', BOX, Select('one', named('box')), NAMES),
        ('the bowl', WHITE_MUG, WHITE_MUG_ONE, PROGRAM),
        ('the mug', WHITE_MUG, ON_THE_BOX, PROGRAM),  # what is on the book, which is taken for a box, is the white mug
        ('the bowl', RED_MUG, ON_THE_BOX, FACTS),  # it is not on it, whatever it is called
        ('mug, please', RED_MUG, None, PROGRAM),  # not understood
        ('the bowl', None, None, PRESENCE),
    ],
)
def test_a_network_fails_at_the_step_that_is_wrong(prompt, target, gold, step):
    known = facts(BLOCKS, depth=False)
    called = {'box': 'vase', 'book': 'box'}
    seen = tuple(replace(b, name=called.get(b.name, b.name)) for b in [*BLOCKS, replace(BLOCKS[0], name='table')])
    table = Table(known.segments)
    network = ThingsNetwork(Parts(table, BlockNamer(seen), table, torch.device('cpu')), name='blocks')
    view = Frame(np.ascontiguousarray(known.image))
    masks = known.segments.masks
    truth = np.zeros(masks.shape[1:], bool) if target is None else masks[target]
    program = None if gold is None else program_to_json(gold)
    sample = Sample('item', 'table', prompt, lambda: view, lambda: truth, gold=program)
    (answer,) = Runner(network, report=lambda _: None).run([sample])[MODEL]
    assert answer.score.step == step
