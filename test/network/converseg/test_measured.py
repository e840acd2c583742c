"""facts: on: geometric conditions are executed on the regions of the network's masks; off changes nothing."""

import numpy as np
import pytest

torch = pytest.importorskip('torch')

import cv2
from facts_blocks import TABLE, Block, H, K, Pose, W, camera, render

from converseg_ros.core import Frame, InputError, Role, Status
from converseg_ros.core.segmentation import Query
from converseg_ros.network import load
from converseg_ros.network.converseg.measured import MeasuredPredictor
from converseg_ros.network.converseg.predictor import Predictor
from converseg_ros.network.features import Decoded

BLOCKS = [Block('box', -0.2, 0.0, (0.12, 0.12, 0.12)), Block('box', 0.2, 0.0, (0.12, 0.12, 0.3)), TABLE]
CELLS = 160  # of a mask of the network along each side


@pytest.fixture(scope='module')
def view() -> tuple[Frame, np.ndarray]:
    depth, label = render(BLOCKS, Pose())
    gravity = -camera(Pose())[1].T @ np.array([0, 0, 1.0])
    return Frame(np.full((H, W, 3), 128, np.uint8), depth, K, gravity=gravity), label


@pytest.fixture
def both_boxes(view, monkeypatch) -> MeasuredPredictor:
    """The micro model with facts, whose decoder marks both boxes for every text, and nothing for 'the lamp'."""
    _, label = view
    asked: list[str] = []
    predictor = load(
        'micro', device='cpu', precision='fp32', preprocess='stretch', outline='network', facts='on', texts=0
    )
    assert isinstance(predictor, MeasuredPredictor)
    encode_text = predictor.network.encode_text

    def recorded(texts, image=None):
        asked[:] = texts  # all of a call: no text is cached
        return encode_text(texts, image)

    def drawn(image, prompts, *, tokens):
        assert len(prompts.sparse) == len(asked), 'all texts of a call are decoded in one chunk'
        boxes = cv2.resize(((label == 0) | (label == 1)).astype(np.float32), (CELLS, CELLS))
        masks = torch.from_numpy(np.stack([boxes * (text != 'the lamp') for text in asked]))
        each = (len(asked), len(tokens))
        return Decoded(20 * masks[:, None].expand(*each, -1, -1) - 10, torch.ones(each), torch.full(each[:1], 5.0))

    monkeypatch.setattr(predictor.network, 'encode_text', recorded)
    monkeypatch.setattr(predictor.network, 'decode', drawn)
    return predictor


@pytest.mark.parametrize(('text', 'index'), [('the taller box', 1), ('the smaller box', 0), ('the leftmost box', 0)])
def test_one_of_two_boxes_in_the_mask_is_chosen_by_its_size_or_place(both_boxes, view, text, index):
    frame, label = view
    both_boxes.set_image(frame)
    (answer,) = both_boxes.predict([text])
    wanted, other = label == index, label == 1 - index
    assert answer.status == Status.OK and answer.program_text
    assert answer.mask[wanted].mean() > 0.9 and not answer.mask[other].any()
    assert answer.candidates[0].name == 'box' and not answer.calibrated


def test_the_network_answers_alone_without_depth_and_for_what_it_does_not_find(both_boxes, view):
    frame, label = view
    both_boxes.set_image(frame.rgb)
    (alone,) = both_boxes.predict(['the taller box'])
    both_boxes.set_image(frame)
    (unfound,) = both_boxes.predict(['the box next to the lamp'])
    for answer in (alone, unfound):
        assert answer.program is None and answer.mask[label == 0].mean() > 0.9 and answer.mask[label == 1].mean() > 0.9


TALLER = {'version': 1, 'root': {'op': 'rank', 'key': 'height', 'order': 'max', 'of': {'op': 'filter', 'by': 'name', 'value': 'box'}}}  # fmt: skip # noqa: E501


@pytest.mark.parametrize('program', [None, TALLER])
def test_nothing_is_taken_from_a_safety_answer(both_boxes, view, program):
    frame, label = view
    both_boxes.set_image(frame)
    (answer,) = both_boxes.predict([Query('the taller box', program, Role.SAFETY)])
    assert answer.mask[label == 0].mean() > 0.9 and answer.mask[label == 1].mean() > 0.9


def test_a_program_may_be_given_instead_of_a_text(both_boxes, view):
    frame, label = view
    both_boxes.set_image(frame)
    (answer,) = both_boxes.predict([Query('', TALLER)])
    assert answer.mask[label == 1].mean() > 0.9 and not answer.mask[label == 0].any()


def test_free_space_is_geometry(both_boxes, view):
    frame, label = view
    both_boxes.set_image(frame)
    (answer,) = both_boxes.predict(['where can I set the plate down?'])
    assert answer.mask[label == 2].mean() > 0.6 and answer.mask[label < 2].mean() < 0.1


def test_facts_off_is_the_network_and_so_is_a_text_without_geometry(view):
    frame, _ = view
    plain, measured = (load('micro', device='cpu', precision='fp32', facts=facts) for facts in ('off', 'on'))
    assert type(plain) is Predictor
    for network in (plain, measured):
        network.set_image(frame)
    for text in ('the red thing', 'who is holding the box?'):
        (a,), (b,) = plain.predict([text]), measured.predict([text])
        np.testing.assert_array_equal(a.mask, b.mask)
        assert (a.score, a.status, a.reason, b.program) == (b.score, b.status, b.reason, None)


def test_a_model_that_always_uses_facts_has_no_such_option():
    with pytest.raises(InputError, match='always uses facts'):
        load('compact', facts='on')
