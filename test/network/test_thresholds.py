"""Thresholds on probabilities: answers at a threshold do not depend on how a processor rounds."""

import numpy as np
import pytest

from converseg_ros.network.thresholds import precision_threshold, recall_threshold

P = np.array([0.9, 0.8, 0.6, 0.6 + 1e-9, 0.4, 0.2])


@pytest.mark.parametrize('rounding', [0.0, 1e-7, -1e-7])
def test_no_answer_of_the_calibration_is_flipped_by_rounding(rounding: float) -> None:
    targets = np.array([True, True, True, True, False, True])
    right = np.array([0.8, 0.9, 0.7, 0.6, 0.1, 0.0])
    safe = recall_threshold(P, targets, 0.8)
    sure = precision_threshold(P, right, 0.9)
    assert list(P + rounding >= safe) == [True] * 4 + [False] * 2, 'four of five targets are kept'
    assert list(P + rounding >= sure) == [True] * 4 + [False] * 2, 'all answers above are right'


def test_all_targets_can_be_kept_and_no_answer_may_be_sure() -> None:
    assert recall_threshold(P, np.ones(6, bool), 1.0) <= P.min()
    assert precision_threshold(P, np.zeros(6), 0.9) == 1.0
