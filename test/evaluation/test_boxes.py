import numpy as np

from converseg_ros.core import Frame, Status
from converseg_ros.evaluation.boxes import DetectorMatcher


def test_it_finds_what_coco_has_a_name_for_and_refuses_what_it_has_not(shared):
    from converseg_ros.datasets.images import read_rgb

    rgb = read_rgb(shared / 'data/tabletop/color.png')
    fruit, nonsense = DetectorMatcher().answer(Frame(rgb), ['a banana', 'qwertz'], None, [])
    banana = np.zeros(rgb.shape[:2], bool)
    banana[100:370, 450:610] = True  # the box around it
    assert fruit.status == Status.OK
    assert (fruit.mask & banana).sum() > 0.5 * fruit.mask.sum()
    assert nonsense.status == Status.NO_TARGET
