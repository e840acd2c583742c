"""The rule that decides NO_TARGET, and how it is fitted."""

import json

import numpy as np
import pytest

from converseg_ros.core import InputError, Status
from converseg_ros.network.calibration import Calibration, decide, fit_calibration
from converseg_ros.network.thresholds import expected_calibration_error


def answers(n=400, seed=0, apart=2.0):
    """Scores of n answers whose log-odds lie `apart` for images with and without a target."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.7
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    objects = sigmoid(rng.normal(0, 1, n) + apart * truth - 3)  # far off: the raw score is no probability
    masks = sigmoid(rng.normal(0, 1, n) + 0.5 * apart * truth + 2)
    ious = np.where(truth, rng.random(n), np.nan)
    return objects, truth, ious, masks


def test_the_fit_makes_probabilities_and_keeps_its_promises():
    objects, truth, ious, masks = answers()
    c = fit_calibration(objects, truth, ious, mask_scores=masks, provenance={'items': 'drawn'})
    p = c.probability(objects, masks)
    assert expected_calibration_error(p, truth) < 0.05 < expected_calibration_error(objects, truth)
    assert (p[truth] >= c.recall).mean() >= 0.98
    assert c.recall <= c.no_target <= c.confident
    good = truth & (np.nan_to_num(ious) >= 0.5)
    assert good[p >= c.confident].mean() >= 0.5
    assert c.report['n'] == 400 and c.report['n_acc'] > 0.5 and c.report['t_acc'] > 0.5
    # the threshold of usual answers is no worse than refusing nobody or everybody
    assert (p[truth] >= c.no_target).mean() + (p[~truth] < c.no_target).mean() > 1.2


def test_held_out_answers_keep_the_promise_nearly():
    c = fit_calibration(*answers(1000, 1)[:3], mask_scores=answers(1000, 1)[3])
    objects, truth, _, masks = answers(1000, 2)
    p = c.probability(objects, masks)
    assert (p[truth] >= c.recall).mean() >= 0.96
    assert expected_calibration_error(p, truth) < 0.06


def test_evidence_that_says_nothing_gets_no_weight():
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.5
    c = fit_calibration(np.where(truth, 0.2, 0.8), truth, truth.astype(float), mask_scores=rng.random(300))
    assert c.object_weight == 0  # a score that falls with evidence must not be turned around
    without = fit_calibration(rng.random(300), truth, truth.astype(float))
    assert abs(without.mask_weight) < 1e-6


def test_too_few_or_crooked_answers_are_refused():
    with pytest.raises(InputError, match='too few'):
        fit_calibration([0.5] * 12, [True] * 12, [1.0] * 12)
    with pytest.raises(InputError, match='lengths'):
        fit_calibration([0.5] * 12, [True] * 11, [1.0] * 12)
    with pytest.raises(InputError, match='order'):
        Calibration(1, 0, 0, no_target=0.2, recall=0.5, confident=0.9)


def test_decide():
    c = Calibration(1.0, 0.0, 0.0, no_target=0.4, recall=0.1, confident=0.8)

    def status(score, recall=False, area=5):
        return decide(c, area=area, object_score=score, mask_score=0.5, recall=recall).status

    assert [status(s) for s in (0.3, 0.5, 0.9)] == [Status.NO_TARGET, Status.LOW_CONFIDENCE, Status.OK]
    assert [status(s, recall=True) for s in (0.05, 0.3)] == [Status.NO_TARGET, Status.LOW_CONFIDENCE]
    plain = decide(None, area=5, object_score=0.01, mask_score=0.01)
    assert plain.status == Status.OK and 'not calibrated' in plain.reason
    empty = decide(None, area=0, object_score=0.99, mask_score=0.99)
    assert empty.status == Status.NO_TARGET and 'not calibrated' in empty.reason


@pytest.mark.parametrize('recall', [False, True])
def test_an_empty_mask_does_not_overrule_a_sure_object_score(recall):
    c = Calibration(1.0, 0.0, 0.0, no_target=0.4, recall=0.1, confident=0.8)
    sure = decide(c, area=0, object_score=0.97, mask_score=0.0, recall=recall)
    assert sure.status == Status.LOW_CONFIDENCE and sure.score == pytest.approx(0.97)
    assert 'something may be there' in sure.reason and 'no mask' in sure.reason
    unsure = decide(c, area=0, object_score=0.05, mask_score=0.0, recall=recall)
    assert unsure.status == Status.NO_TARGET and unsure.score == pytest.approx(0.05)


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), float('-inf')])
@pytest.mark.parametrize('area', [0, 5])
def test_scores_that_are_not_finite_are_an_error(bad, area):
    c = Calibration(1.0, 1.0, 0.0, no_target=0.4, recall=0.1, confident=0.8)
    for calibration in (c, None):
        for scores in ((bad, 0.5), (0.5, bad)):
            verdict = decide(calibration, area=area, object_score=scores[0], mask_score=scores[1])
            assert verdict.status == Status.ERROR and 'not finite' in verdict.reason
    with pytest.raises(InputError, match='not finite'):
        Calibration(bad, 0.0, 0.0, no_target=0.4, recall=0.1, confident=0.8)


def test_it_is_kept_in_a_file(tmp_path):
    c = fit_calibration(*answers()[:3], mask_scores=answers()[3], provenance={'items': 'drawn'})
    c.save(tmp_path / 'calibration.json')
    assert Calibration.load(tmp_path / 'calibration.json') == c
    for text in ('{', '[]', '{"format": 99}', '{"no_target": "high"}'):
        (tmp_path / 'broken.json').write_text(text)
        with pytest.raises(InputError, match=r'broken\.json'):
            Calibration.load(tmp_path / 'broken.json')
    data = json.loads((tmp_path / 'calibration.json').read_text())
    (tmp_path / 'later.json').write_text(json.dumps(data | {'something_new': 1}))
    assert Calibration.load(tmp_path / 'later.json') == c
