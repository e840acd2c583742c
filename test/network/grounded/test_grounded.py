"""The network that looks for what a program names: regions, status rules, and model folders."""

import json
from pathlib import Path
import shutil
from typing import ClassVar

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('transformers')

from micro_detectors import write_detector
from micro_segmenters import write_sam2

from converseg_ros.cli import main
from converseg_ros.core import Box, ConversegError, Frame, InputError, Status
from converseg_ros.core.segmentation import Query
from converseg_ros.core.segments import NameScores, Posterior, Segments
from converseg_ros.network import load
from converseg_ros.network.grounded.boxes import Found
from converseg_ros.network.grounded.finder import BoxFinder
from converseg_ros.network.grounded.network import GroundedNetwork, phrases_of
from converseg_ros.network.grounded.regions import Region, add_region, united
from converseg_ros.network.segments.nodes import ViewMaps
from converseg_ros.network.things.parts import Parts
from converseg_ros.network.weights.inspection import describe
from converseg_ros.programs.nodes import Filter, Rank, Relate, Select, Things, program_to_json

H, W = 60, 80  # of the working grid
MUG, WRENCH, TABLE = (slice(10, 30), slice(10, 30)), (slice(15, 25), slice(50, 75)), (slice(35, 60), slice(0, 80))
RGB = np.full((120, 160, 3), 120, np.uint8)
OF_MUG, OF_WRENCH = Select('one', Filter('name', 'mug')), Select('one', Filter('name', 'torque wrench'))


def drawn(where: tuple[slice, slice]) -> np.ndarray:
    mask = np.zeros((H, W), bool)
    mask[where] = True
    return mask


def maps(view: Frame) -> ViewMaps:
    kinds = np.zeros((4, H, W), np.float32)
    kinds[0], kinds[1][TABLE] = 1, 1
    kinds[0][TABLE] = 0
    empty = np.zeros((H, W), np.float32)
    vote, lab = np.zeros((2, H, W), np.float32), np.zeros((H, W, 3), np.float32)
    return ViewMaps(empty, empty, empty, kinds, vote, empty, lab, np.zeros((0, 5), np.float32))


class Base:
    """Finds the table and one blob that holds the mug and more; its namer knows nothing."""

    def propose(self, view: Frame) -> Segments:
        masks = np.stack([drawn(TABLE), drawn((slice(8, 32), slice(8, 40)))])
        kinds = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0]], np.float32)
        none = np.full(2, -1)
        return Segments(masks, (120, 160), kinds, np.ones(2, np.float32), np.ones(2, bool), none, none)

    def score(self, view: Frame, segments: Segments, nouns: object) -> NameScores:
        names = tuple(nouns)
        odds = np.full((len(segments), len(names)), -3, np.float32)
        return NameScores(names, odds, np.ones(len(names), bool), tuple(('thing', 0.0) for _ in range(len(segments))))

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        return Posterior((), np.zeros((len(segments), 0), np.float32))

    def parse_all(self, texts: object) -> list[object]:
        raise InputError('not needed', where='test')


class Sam:
    """Draws the whole box."""

    name = 'boxes'

    def set_image(self, rgb, size=None):
        self.looked = getattr(self, 'looked', 0) + 1

    def from_boxes(self, boxes):
        out = np.full((len(boxes), 1, H, W), -5.0, np.float32)
        for k, (x0, y0, x1, y1) in enumerate((boxes / 2).astype(int)):
            out[k, 0, y0:y1, x0:x1] = 5
        return out, np.full((len(boxes), 1), 0.9, np.float32)

    from_points = from_boxes


class Detector:
    """Knows where a mug and a torque wrench are; `asked` lists the phrases of each call."""

    name = 'detector'
    known: ClassVar[dict[str, list[Found]]] = {
        'mug': [Found(Box(20, 20, 60, 60), 0.8)],
        'torque wrench': [Found(Box(100, 30, 150, 50), 0.6)],
    }

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.fails = ''

    def find(self, rgb, phrases):
        self.asked.append(list(phrases))
        if self.fails:
            raise ConversegError(self.fails, where='detector')
        return {p: self.known.get(p, []) for p in phrases}


@pytest.fixture
def detector() -> Detector:
    return Detector()


@pytest.fixture
def network(detector: Detector) -> GroundedNetwork:
    base = Base()
    parts = Parts(base, base, base, torch.device('cpu'), 'abc')
    found = GroundedNetwork(parts, BoxFinder(detector, Sam()), maps, name='grounded 1')
    found.set_image(Frame(RGB))
    return found


def ask(network: GroundedNetwork, *programs: object) -> list:
    return network.predict([Query('x', program_to_json(p)) for p in programs])


def test_what_a_program_names_is_looked_for_once_and_drawn(network: GroundedNetwork, detector: Detector) -> None:
    mug, wrench = ask(network, OF_MUG, OF_WRENCH)
    assert detector.asked == [['mug', 'torque wrench']]
    assert (mug.mask[::2, ::2] == drawn(MUG)).mean() > 0.99 and (wrench.mask[::2, ::2] == drawn(WRENCH)).mean() > 0.99
    assert mug.candidates[0].name == 'mug' and mug.status == Status.OK
    assert not mug.calibrated and 'not calibrated' in mug.reason and mug.score <= 0.98
    ask(network, OF_MUG)
    ask(network, Select('one', Rank('size', 'max', Filter('name', 'mug'))))
    assert len(detector.asked) == 1, 'nothing is looked for twice on one view'
    network.set_image(Frame(RGB.copy()))
    ask(network, OF_MUG)
    assert len(detector.asked) == 2


def test_facts_execute_the_rest(network: GroundedNetwork) -> None:
    right = Select('one', Relate('right_of', Things(), Filter('name', 'mug')))
    answer = ask(network, right)[0]
    ask(network, OF_WRENCH)
    assert answer.status != Status.ERROR
    answer = ask(network, right)[0]
    assert (answer.mask[::2, ::2] == drawn(WRENCH)).mean() > 0.99


def test_a_detector_that_finds_nothing_gives_no_target(network: GroundedNetwork) -> None:
    answer = ask(network, Select('one', Filter('name', 'unicorn')))[0]
    assert answer.status in (Status.NO_TARGET, Status.LOW_CONFIDENCE) and not answer.calibrated


def test_a_failure_is_the_error_of_what_asked_for_it_alone(network: GroundedNetwork, detector: Detector) -> None:
    ask(network, OF_MUG)
    detector.fails = 'no answer within 15 s'
    mug, wrench, all_things = ask(network, OF_MUG, OF_WRENCH, Select('all', Things()))
    assert mug.status == Status.OK and all_things.status != Status.ERROR
    assert wrench.status == Status.ERROR and 'no answer within 15 s' in wrench.reason and not wrench.mask.any()
    detector.fails = ''
    assert ask(network, OF_WRENCH)[0].status == Status.OK


def test_phrases_are_singular_and_each_once() -> None:
    program = Select('all', Relate('on', Filter('name', 'mugs'), Filter('name', 'table')))
    assert phrases_of(program) == ['mug', 'table'] and phrases_of(Select('all', Things())) == []


def test_regions_that_were_looked_for_come_first_and_never_overlap() -> None:
    base = Base().propose(Frame(RGB))
    regions: list[Region] = []
    kinds = np.array([1, 0, 0, 0], np.float32)
    for phrase, where in (('mug', MUG), ('cup', MUG), ('handle', (slice(14, 26), slice(26, 30))), ('wrench', WRENCH)):
        add_region(regions, Region(drawn(where), 0.9, kinds, {phrase: 0.5}))
    assert [sorted(r.scores) for r in regions] == [['cup', 'mug'], ['handle'], ['wrench']]
    segments, asked = united(base, regions)
    assert segments.masks[segments.flat].sum(0).max() == 1
    handle = next(i for i, r in enumerate(asked) if r is not None and 'handle' in r.scores)
    assert not segments.flat[handle] and (segments.masks[segments.parent[handle]] == drawn(MUG)).all()
    assert len(segments) == 4 and asked[-1] is None, 'the blob that holds little more than the mug is left out'


def write_folder(folder: Path, **changes: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / 'config.json').write_text(json.dumps({'kind': 'grounded', 'name': 'mine', 'base': 'compact', **changes}))
    return folder


def test_a_folder_with_a_detector_and_sam2_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    detector, masks = write_detector('grounding-dino', tmp_path / 'dino'), write_sam2(tmp_path / 'sam2')
    folder = write_folder(tmp_path / 'model', detector=str(detector), masks=str(masks), threshold=0.0)
    network = load(str(folder), device='cpu', precision='fp32')
    assert not network.calibrated and network.name == 'mine 1' and network.notes
    network.set_image(RGB)
    answer = network.predict(['the red mug'])[0]
    assert answer.status != Status.ERROR and answer.mask.shape == (120, 160) and not answer.calibrated
    assert network.counts['phrases_looked_for'] == 1
    network.close()
    assert main(['weights', 'check', str(folder)]) == 0
    assert 'boxes by zero-shot/dino, masks by sam2/sam2' in capsys.readouterr().out
    assert 'grounded' in describe(folder) and 'kind grounding-dino' in describe(detector)
    shutil.rmtree(masks)
    assert main(['weights', 'check', str(folder)]) == 1
    assert str(masks) in capsys.readouterr().out


def test_what_is_wrong_with_a_folder_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    for changes, match in (
        ({}, 'either a detector or a chat'),
        ({'detector': 'owlv2', 'colour': 1}, 'unknown keys'),
        ({'detector': 'owlv2', 'format': 99}, 'newer'),
        ({'chat': {'kind': 'telepathy', 'model': 'x'}}, 'telepathy'),
        ({'chat': {'kind': 'openai', 'model': 'x', 'key': 'abc'}}, 'key'),
        ({'detector': 'owlv2', 'threshold': 2}, 'threshold'),
    ):
        with pytest.raises(InputError, match=match):
            load(str(write_folder(tmp_path / 'model', **changes)), device='cpu')
    with pytest.raises(InputError, match='weights fetch'):
        load(str(write_folder(tmp_path / 'model', detector='owlv2')), device='cpu')
