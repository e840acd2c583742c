import numpy as np
import pytest

from converseg_ros.core import Frame, Status
from converseg_ros.evaluation.boxes import DetectorMatcher
from converseg_ros.network import load


@pytest.fixture(scope='module')
def network():
    compact = load('compact')
    yield compact
    compact.close()


def test_compact_has_the_detector_that_the_baseline_uses(network):
    assert DetectorMatcher.fits(network)


def test_it_finds_what_coco_has_a_name_for_and_refuses_what_it_has_not(network, shared):
    from converseg_ros.datasets.images import read_rgb

    rgb = read_rgb(shared / 'data/tabletop/color.png')
    network.set_image(rgb)
    fruit, nonsense = DetectorMatcher().answer(Frame(rgb), ['a banana', 'qwertz'], network, [])
    banana = np.zeros(rgb.shape[:2], bool)
    banana[100:370, 450:610] = True  # the box around it
    assert fruit.status == Status.OK
    assert (fruit.mask & banana).sum() > 0.5 * fruit.mask.sum()
    assert nonsense.status == Status.NO_TARGET
