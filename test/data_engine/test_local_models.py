"""Local models of transformers, tiny and random, built here from their configurations: no weights are needed."""

import json
from pathlib import Path

from micro_detectors import write_qwen
import numpy as np
import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.core.mask import box_iou
from converseg_ros.data_engine.contracts import Picture, Region, Verdict
from converseg_ros.data_engine.judges.model_judge import ModelJudge
from converseg_ros.data_engine.proposers.grounding import DetectorGrounder
from converseg_ros.llm.calls import Calls, NoAnswerError
from converseg_ros.llm.chat import Question, sent_image
from converseg_ros.llm.local import LocalChat

transformers = pytest.importorskip('transformers')

PICTURE = Picture('p', np.random.default_rng(0).integers(0, 255, (56, 84, 3)).astype(np.uint8))
REGIONS = [
    Region(key='a', text='the red mug', category='mug', box=(0, 0, 20, 20)),
    Region(key='b', text='the blue mug', category='mug', box=(0, 0, 20, 20)),
    Region(
        key='c', text='a plate with quite a long description that no detector can read to its end', category='plate'
    ),
]


@pytest.fixture(scope='module')
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_qwen(tmp_path_factory.mktemp('qwen'))


def test_a_local_model_generates_and_its_babble_rejects_the_mask(qwen, tmp_path):
    chat = LocalChat(str(qwen), longest=8)
    assert not chat.remote and chat.name == f'local/{qwen.name}'
    judge = ModelJudge(Calls(chat, tmp_path / 'cache'))
    mask = np.zeros((56, 84), bool)
    mask[10:30, 10:30] = True
    verdict = judge.verify(PICTURE, REGIONS[0], mask)
    assert not verdict.ok and 'no usable answer' in verdict.reason
    rows = [json.loads(f.read_text()) for f in (tmp_path / 'cache').rglob('*.json')]
    assert len(rows) == 3 and all(0 < r['tokens_out'] <= 8 and r['tokens_in'] > 500 for r in rows)
    with pytest.raises(InputError, match='no usable answer'):
        judge.describe(PICTURE)


def test_what_a_local_model_says_is_parsed_and_held_to_the_schema(qwen, tmp_path):
    """A model that has learned one answer gives it, and the schema decides what becomes of it."""
    chat = LocalChat(str(qwen), longest=60)
    images = (sent_image(PICTURE.rgb),)
    question = Question('verify', 'You look.', 'ok?', images, {'type': 'object'})
    good, bad = '{"ok": true, "score": 0.9, "reason": "fits"}', '{"ok": "yes", "score": 7}'
    _teach(chat, question, good)
    assert chat.ask(question).text == good
    verdict = Calls(chat, tmp_path / 'a').ask(question, Verdict)
    assert verdict.ok and verdict.score == 0.9
    _teach(chat, question, bad)
    with pytest.raises(NoAnswerError):
        Calls(chat, tmp_path / 'b').ask(question, Verdict)


def _teach(chat: LocalChat, question: Question, answer: str) -> None:
    """Make the model's last layer give one answer, token by token, whatever it is asked."""
    import torch

    tokenizer = chat.processor.tokenizer
    ids = [*tokenizer(answer, add_special_tokens=False)['input_ids'], tokenizer.eos_token_id]

    class Parrot(torch.nn.Module):
        said = -1

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            out = torch.zeros(*hidden.shape[:-1], 264)
            self.said = (self.said + 1) % len(ids)  # after the last token the next conversation begins
            out[..., ids[self.said]] = 1.0
            return out

    chat.network.lm_head = Parrot()


@pytest.fixture(scope='module', params=['owlvit', 'grounding-dino'])
def detector(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny random detector."""
    from micro_detectors import write_detector

    return write_detector(request.param, tmp_path_factory.mktemp(request.param))


def test_a_detector_gives_boxes_in_pixels_and_no_box_twice(detector):
    ground = DetectorGrounder(detector, threshold=0.0).ground
    found = ground(PICTURE, REGIONS)
    assert found and {r.key for r in found} <= {'a', 'b', 'c'}
    for region in found:
        x0, y0, x1, y1 = region.box
        assert 0 <= x0 < x1 <= 84 and 0 <= y0 < y1 <= 56
    mugs = [r for r in found if r.category == 'mug']
    assert len(mugs) < 2 or box_iou(mugs[0].box, mugs[1].box) <= 0.85
    assert ground(PICTURE, []) == []
    assert DetectorGrounder(detector, threshold=1.1).ground(PICTURE, REGIONS) == []


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match='vision-language'):
        LocalChat(str(tmp_path))
    with pytest.raises(InputError, match=r'config\.json'):
        DetectorGrounder(tmp_path)
