from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.core.mask import iou, overlap
from converseg_ros.evaluation.metrics import (
    CumulativeIoU,
    MeanIoU,
    NoTargetAccuracy,
    Score,
    Summary,
    boundary_f,
    mask_boundary,
    summarize,
)

MASKS = hnp.arrays(bool, (9, 11), elements=st.booleans())


def score(id_, positive, intersection=0, union=0, **more):
    return Score(id_, more.pop('image_id', id_), 'text', positive, intersection=intersection, union=union, **more)


def test_iou_by_hand():
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:2], b[1:3] = True, True
    assert overlap(a, b) == (4, 12)
    assert iou(a, b) == pytest.approx(1 / 3)


def test_two_empty_masks_agree_and_one_empty_mask_does_not():
    empty, full = np.zeros((3, 3), bool), np.ones((3, 3), bool)
    assert iou(empty, empty) == 1
    assert iou(empty, full) == 0
    assert boundary_f(empty, empty) == 1
    assert boundary_f(empty, full) == 0


def test_sizes_must_agree():
    with pytest.raises(InputError, match='truth'):
        overlap(np.zeros((2, 2), bool), np.zeros((2, 3), bool))
    with pytest.raises(InputError):
        boundary_f(np.zeros((2, 2), bool), np.zeros((2, 3), bool))


@given(MASKS, MASKS)
def test_iou_is_symmetric_bounded_and_one_only_for_equal_masks(a, b):
    value = iou(a, b)
    assert value == iou(b, a)
    assert 0 <= value <= 1
    assert (value == 1) == bool((a == b).all())


@given(MASKS, MASKS)
def test_boundary_f_is_symmetric_and_bounded(a, b):
    assert boundary_f(a, b) == pytest.approx(boundary_f(b, a))
    assert 0 <= boundary_f(a, b) <= 1
    assert boundary_f(a, a) == 1


def test_boundary_f_forgives_one_pixel_and_not_ten():
    truth, near, far = (np.zeros((100, 100), bool) for _ in range(3))
    truth[30:60, 30:60], near[31:61, 30:60], far[42:72, 42:72] = True, True, True
    assert boundary_f(near, truth) == 1
    assert boundary_f(far, truth) < 0.2


def test_the_boundary_is_one_pixel_wide_and_not_the_image_border():
    mask = np.zeros((5, 5), bool)
    mask[1:4, 1:4] = True
    assert mask_boundary(mask).sum() == 8
    assert not mask_boundary(np.ones((5, 5), bool)).any()


def test_giou_and_ciou_by_hand():
    mean, cumulative = MeanIoU(), CumulativeIoU()
    for intersection, union in ((50, 100), (10, 10), (0, 0)):
        mean.update(intersection, union)
        cumulative.update(intersection, union)
    assert mean.compute() == pytest.approx((0.5 + 1 + 1) / 3)
    assert cumulative.compute() == pytest.approx(60 / 110)
    mean.reset()
    assert mean.compute() is None


def test_a_failed_item_scores_nothing_even_where_there_was_nothing_to_find():
    mean, refusals = MeanIoU(), NoTargetAccuracy()
    mean.update(0, 0, failed=True)
    refusals.update(False, True, failed=True)
    assert mean.compute() == 0
    assert refusals.compute() == (0, None)


def test_n_acc_and_t_acc_by_hand():
    metric = NoTargetAccuracy()
    for positive, refused in ((False, True), (False, False), (True, False), (True, False), (True, True)):
        metric.update(positive, refused)
    assert metric.compute() == (0.5, pytest.approx(2 / 3))


def test_summary_by_hand():
    scores = [
        score('a', True, 30, 60, family='spatial', boundary=0.5, swapped=0.1),
        score('b', True, 0, 40, family='physics', refused=True),
        score('c', False, 0, 0, family='physics', refused=True),
        score('d', True, union=100, error='broken'),
        score('e', None, error='no truth'),
    ]
    whole = summarize(scores)
    assert whole['giou'] == pytest.approx((0.5 + 0 + 1 + 0 + 0) / 5)
    assert whole['giou_positive'] == pytest.approx(0.5 / 3)
    assert whole['ciou'] == pytest.approx(30 / 200)
    assert whole['n_acc'] == 1
    assert whole['t_acc'] == pytest.approx(1 / 3)
    assert whole['language_sensitivity'] == pytest.approx(0.4)
    assert (whole['n_items'], whole['n_failed'], whole['n_positive'], whole['n_negative']) == (5, 2, 3, 1)
    summary = Summary()
    for s in scores:
        summary.update(s)
    assert summary.compute() == whole
    assert set(summary.grouped('family')) == {'physics', 'spatial'}
    assert summary.grouped('family')['physics']['giou'] == 0.5


def test_perfect_and_empty_predictors():
    perfect = summarize([score('a', True, 9, 9), score('b', False, refused=True)])
    assert perfect['giou'] == perfect['ciou'] == perfect['n_acc'] == perfect['t_acc'] == 1
    refuser = summarize([score('a', True, 0, 9, refused=True), score('b', False, refused=True)])
    assert (refuser['giou'], refuser['ciou'], refuser['n_acc'], refuser['t_acc']) == (0.5, 0, 1, 0)
    assert summarize([])['giou'] is None
