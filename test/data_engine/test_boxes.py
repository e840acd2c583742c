"""Boxes as families of models write them become the same pixels."""

from typing import Any

import numpy as np
import pytest

from converseg_ros.data_engine.contracts import Picture, Verdict
from converseg_ros.data_engine.judges.model_judge import Description, ModelJudge
from converseg_ros.llm.boxes import BoxConvention, convention_of

SIZE = (640, 480)
SHARES = [[0.1, 0.2, 0.5, 0.6], [0.3, 0.4, 0.9, 0.95]]


@pytest.mark.parametrize(
    ('model', 'unit', 'order'),
    [
        ('openai/qwen2.5-vl-7b', 'pixels', 'left first'),
        ('openai/Qwen/Qwen2.5-VL-72B-Instruct-AWQ', 'pixels', 'left first'),
        ('local/Qwen2_5_VL', 'pixels', 'left first'),
        ('openai/Qwen3-VL-8B', 'thousandths', 'left first'),
        ('openai/Qwen2-VL-7B', 'thousandths', 'left first'),
        ('gemini/gemini-2.5-flash', 'thousandths', 'top first'),
        ('openai/gpt-4.1', 'thousandths', 'left first'),
    ],
)
def test_a_family_is_asked_in_its_own_convention(model: str, unit: str, order: str) -> None:
    convention = convention_of(model)
    assert (convention.unit, convention.order) == (unit, order)
    words = convention.words(*SIZE)
    assert ('640' in words) == (unit == 'pixels') and words.startswith('[top' if order == 'top first' else '[left')


@pytest.mark.parametrize('unit', ['thousandths', 'pixels'])
@pytest.mark.parametrize('order', ['left first', 'top first'])
def test_what_is_written_is_read_again(unit: Any, order: Any) -> None:
    convention = BoxConvention(unit, order)
    boxes = [[float(v) for v in convention.write(s, SIZE)] for s in SHARES]
    assert np.allclose(convention.read(boxes, SIZE), SHARES, atol=0.002)


def test_a_model_that_answers_in_another_unit_is_understood() -> None:
    asked = BoxConvention()
    assert np.allclose(asked.read(SHARES, SIZE), SHARES)
    large = (1024, 1400)
    pixels = [[v * large[i % 2] for i, v in enumerate(s)] for s in SHARES]
    assert np.allclose(asked.read(pixels, large), SHARES)
    thousandths = [[v * 1000 for v in s] for s in SHARES]
    assert np.allclose(BoxConvention('pixels').read(thousandths, SIZE), SHARES)
    assert asked.read([], SIZE) == []


@pytest.mark.parametrize('model', ['qwen2.5-vl-7b', 'gemini-2.5', 'other'])
def test_a_judge_gives_the_same_region_whatever_its_family(model: str) -> None:
    convention = convention_of(model)

    class Chat:
        name = model

    class Calls:
        chat = Chat()
        asked: list[str] = []  # noqa: RUF012

        def ask(self, question: Any, answer: type) -> Any:
            self.asked.append(question.text)
            if answer is Verdict:
                return Verdict(ok=True, score=1.0, reason='')
            box = convention.write([0.25, 0.5, 0.75, 1.0], (800, 400))
            return Description.model_validate({'regions': [{'text': 'a mug', 'category': 'mug', 'box': box}]})

    calls = Calls()
    judge = ModelJudge(calls)  # type: ignore[arg-type]
    picture = Picture('p', np.zeros((400, 800, 3), np.uint8))
    (region,) = judge.describe(picture)
    assert region.box == (200, 200, 600, 400)
    judge.verify(picture, region, np.ones((400, 800), bool))
    assert all(convention.words(800, 400) in text for text in calls.asked)
    assert str(convention.write([0.25, 0.5, 0.75, 1.0], (800, 400))) in calls.asked[1]


def test_the_size_that_is_asked_about_is_the_size_that_is_sent() -> None:
    import cv2

    from converseg_ros.llm.chat import sent_image, sent_mask, sent_size

    for shape in ((480, 640), (1200, 1600), (3000, 1000)):
        width, height = sent_size(shape)
        sent = cv2.imdecode(np.frombuffer(sent_image(np.zeros((*shape, 3), np.uint8)), np.uint8), cv2.IMREAD_COLOR)
        mask = cv2.imdecode(np.frombuffer(sent_mask(np.zeros(shape, bool)), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert sent.shape[:2] == mask.shape == (height, width)
