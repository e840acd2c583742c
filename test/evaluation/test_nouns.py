import numpy as np
import pytest

from converseg_ros.core import Frame, Status
from converseg_ros.evaluation.nouns import NounMatcher
from converseg_ros.knowledge.vocabulary import imagenet_names

pytestmark = pytest.mark.skipif(
    bool(NounMatcher.missing()), reason=f'not installed: {", ".join(NounMatcher.missing())} (extra "baselines")'
)


def test_there_is_a_noun_for_each_class():
    names = imagenet_names()
    assert len(names) == 1000
    assert names[954] == 'banana'


def test_it_finds_what_imagenet_has_a_word_for_and_refuses_what_it_has_not(shared):
    from converseg_ros.datasets.images import read_rgb

    rgb = read_rgb(shared / 'data/tabletop/color.png')
    matcher = NounMatcher()
    fruit, nonsense = matcher.answer(Frame(rgb), ['a banana', 'qwertz'], None, [])
    banana = np.zeros(rgb.shape[:2], bool)
    banana[100:370, 450:610] = True  # the box around it
    assert fruit.status == Status.OK
    assert (fruit.mask & banana).sum() > 0.3 * fruit.mask.sum()
    assert nonsense.status == Status.NO_TARGET
