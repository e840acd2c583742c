from dataclasses import replace

import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.network.things.correctness import EVIDENCE, CorrectnessFit, fit_correctness

SEEN = {'weakest': 0.8, 'parse': 0.97, 'quality': 0.8, 'lead': 0.9, 'measured': 0.0}


def answers(count=400, seed=0):
    """Masks that are right more often the better the outline and the larger the lead of the region."""
    random = np.random.default_rng(seed)
    rows, ious = [], []
    for _ in range(count):
        quality, lead = random.uniform(0.3, 0.95, 2)
        rows.append(SEEN | {'quality': float(quality), 'lead': float(lead)})
        ious.append(0.8 if random.random() < (quality + lead) / 2 - 0.1 else 0.2)
    return rows, ious, [f'image {i // 4}' for i in range(count)]


def fit_all(rows, ious, groups, **given):
    """Fit with all answers clear and counting alike, unless given."""
    return fit_correctness(rows, ious, groups, **{'clear': [True] * len(rows), 'counts': [1.0] * len(rows), **given})


def test_the_share_of_right_masks_above_the_threshold_is_as_wanted_on_new_answers():
    fit = fit_all(*answers(), precision=0.75)
    assert fit is not None
    rows, ious, _ = answers(2000, seed=1)
    sure = np.array([fit.probability(r) >= fit.confident for r in rows])
    right = np.array(ious) >= 0.5
    assert sure.mean() > 0.1 and right[sure].mean() > 0.68 > right.mean()
    assert fit.report['ok_right'] >= 0.75 and fit.report['ok_share'] > 0.1


def test_more_evidence_never_means_less_confidence():
    rows, ious, groups = answers()
    for fit in (fit_all(rows, ious, groups), fit_all(rows, [1 - i for i in ious], groups)):
        for name in EVIDENCE:
            assert fit.probability(SEEN | {name: 0.99}) >= fit.probability(SEEN | {name: 0.3}) - 1e-9


def test_the_threshold_is_that_of_answers_that_may_be_ok():
    """Answers with a doubt of another kind are right less often, and do not raise the threshold for the others."""
    rows, ious, groups = answers(800)
    clear = [i % 2 == 0 for i in range(800)]
    ious = [iou if c else 0.2 for iou, c in zip(ious, clear)]
    fit, strict = fit_all(rows, ious, groups, clear=clear), fit_all(rows, ious, groups)
    assert fit is not None and strict is not None and fit.confident < strict.confident
    assert fit.report['ok_right'] >= 0.79 and fit.report['clear_share'] == 0.5


def test_too_few_answers_are_not_fitted():
    assert fit_all(*answers(12)) is None


def test_nonsense_is_refused():
    fit = CorrectnessFit((0.5, 0.0, 0.5, 0.3, 2.0), 0.0, confident=0.6)
    with pytest.raises(InputError, match='probability'):
        replace(fit, confident=1.5)
    with pytest.raises(InputError, match='finite'):
        replace(fit, weights=(1.0,))
    with pytest.raises(InputError, match='missing'):
        fit.probability({'weakest': 0.5})
