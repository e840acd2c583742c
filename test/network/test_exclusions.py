"""What the shipped network answers to texts that leave something out, on a picture of the shipped demo."""

import numpy as np
import pytest

pytest.importorskip('torch')

from converseg_ros.core import Status
from converseg_ros.core.paths import share
from converseg_ros.evaluation.bag.reader import Bag
from converseg_ros.network import load


@pytest.fixture(scope='module')
def network():
    loaded = load('compact', device='cpu', precision='fp32')
    with Bag(share('demo', 'bag')) as bag:
        loaded.set_image(next(bag.frames()).frame)
    yield loaded
    loaded.close()


@pytest.mark.parametrize('noun', ['bottle', 'mug', 'bowl', 'chair'])
def test_nothing_of_what_is_left_out_is_in_the_answer(network, noun):
    texts = [f'the {noun}s', f'everything except the {noun}s', f'anything that is not a {noun}', f'no {noun}s']
    own, *others = network.predict(texts)
    assert own.mask.any() or noun != 'bottle'  # which of the others are seen is a matter of the weights
    for answer in others:
        assert answer.mask.any() and not (answer.mask & own.mask).any(), answer.program_text
        assert (answer.mask == others[0].mask).all()
        assert answer.status == Status.LOW_CONFIDENCE or 'it is not certain that' not in own.reason
        if answer.status == Status.LOW_CONFIDENCE:
            assert answer.reason


def test_a_number_that_is_not_there_is_at_most_low_confidence(network):
    answer = network.predict(['the five bottles'])[0]
    assert answer.status in (Status.LOW_CONFIDENCE, Status.NO_TARGET) and answer.reason


def test_closing_marks_change_nothing(network):
    plain, *marked = network.predict(['the bottle', 'the bottle.', 'the bottle?', ' the bottle ! '])
    for answer in marked:
        assert (answer.status, answer.score) == (plain.status, plain.score)
        assert np.array_equal(answer.mask, plain.mask)


def test_a_text_that_is_too_long_is_an_error_and_not_cut(network):
    answer = network.predict(['the bottle next to ' + 'the mug and ' * 60 + 'the bowl'])[0]
    assert answer.status == Status.ERROR and 'words are more than' in answer.reason and not answer.mask.any()
