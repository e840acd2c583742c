from dataclasses import replace
import json

import numpy as np
import pytest

from converseg_ros.core import InputError, Status
from converseg_ros.network.logistic import balanced
from converseg_ros.network.things.correctness import CorrectnessFit
from converseg_ros.network.things.existence import EVIDENCE, Existence, ExistenceFit, decide, fit_existence

SEEN = {
    'best': 0.9,
    'noisy_or': 0.95,
    'weakest': 0.8,
    'conditions': 2.0,
    'measured': 0.0,
    'in_vocabulary': 1.0,
    'parse': 0.97,
    'unexplained': 0.0,
    'agreement': 1.0,
    'named': 0.9,
    'quality': 0.8,
    'lead': 0.9,
}
NOT_SEEN = SEEN | {'best': 0.03, 'noisy_or': 0.1, 'weakest': 0.02}
FIT = ExistenceFit((0.5, 0.3, 0.4, 0.1, 0.1, 0.2, 0.2, -1.0, 0.3, 0.1), -1.0, no_target=0.4, recall=0.1)
CORRECT = CorrectnessFit((0.6, 0.1, 0.7, 0.4, 2.0), -1.0, confident=0.6)
CALIBRATION = Existence({'rgb': FIT, 'rgbd': FIT}, CORRECT)


def answers(count=200, seed=0):
    """Evidence that tells what is there from what is not, most of the time."""
    random = np.random.default_rng(seed)
    rows, truth = [], []
    for i in range(count):
        there = bool(i % 2)
        best = float(np.clip(random.normal(0.7 if there else 0.25, 0.2), 0.01, 0.99))
        rows.append(SEEN | {'best': best, 'noisy_or': min(best + 0.05, 0.99), 'weakest': best, 'unexplained': 0.02})
        truth.append(there)
    return rows, truth, [0.8] * count, [f'image {i // 4}' for i in range(count)]


def test_a_fit_separates_what_is_there_from_what_is_not():
    fit = fit_existence(*answers())
    assert fit.probability(SEEN) > 0.9 and fit.probability(NOT_SEEN) < 0.1
    assert fit.report['n_acc'] > 0.75 and fit.report['t_acc'] > 0.75 and fit.report['safety_t_acc'] >= 0.95


def test_half_of_the_weight_is_half_among_the_absent_and_changes_no_share():
    truth = np.array([True, True, False, False, False])
    counts = balanced(truth, np.array([1, 1, 1, 0.5, 0.5]), 2 / 3)
    assert counts[3] == counts[4] == pytest.approx(counts[2] / 2)
    assert counts.mean() == pytest.approx(1) and counts[truth].sum() / counts.sum() == pytest.approx(2 / 3)
    rows, truth, ious, groups = answers()
    equal, half = (fit_existence(rows, truth, ious, groups, weights=[1.0] * 150 + [w] * 50) for w in (1.0, 0.5))
    assert half.weights != equal.weights


def test_more_evidence_never_means_less_probability():
    rows, truth, ious, groups = answers()
    backwards = fit_existence(rows, [not t for t in truth], ious, groups)  # evidence that points the wrong way
    for fit in (fit_existence(rows, truth, ious, groups), backwards):
        for name in set(EVIDENCE) - {'unexplained'}:
            assert fit.probability(SEEN | {name: 0.99}) >= fit.probability(SEEN | {name: 0.3}) - 1e-9
        assert fit.probability(SEEN | {'unexplained': 0.2}) <= fit.probability(SEEN) + 1e-9


def test_a_small_product_of_many_conditions_is_not_absence():
    """Ten conditions of 0.6 each are more probable than one of 0.01."""
    random = np.random.default_rng(1)
    rows, truth = [], []
    for i in range(400):
        there, count = bool(i % 2), int(random.integers(1, 5))
        best = float(np.clip(random.normal(0.6 if there else 0.25, 0.1), 0.05, 0.95)) ** count
        rows.append(SEEN | {'best': best, 'noisy_or': best, 'weakest': 0.3, 'conditions': float(count)})
        truth.append(there)
    fit = fit_existence(rows, truth, [0.8] * 400, [f'image {i // 4}' for i in range(400)])
    alike = SEEN | {'best': 0.12, 'noisy_or': 0.12, 'weakest': 0.3}
    assert fit.probability(alike | {'conditions': 4.0}) > 0.8 > 0.3 > fit.probability(alike | {'conditions': 1.0})


def test_more_labels_of_absent_things_do_not_change_what_a_probability_means():
    rows, truth, ious, groups = answers(400)
    more = [i for i, t in enumerate(truth) if not t] * 4
    fit = fit_existence(rows, truth, ious, groups)
    repeated = fit_existence(
        rows + [rows[i] for i in more],
        truth + [False] * len(more),
        ious + [0.0] * len(more),
        groups + [groups[i] for i in more],
    )
    for best in (0.2, 0.4, 0.5, 0.6, 0.8):
        evidence = SEEN | {'best': best, 'noisy_or': best, 'weakest': best}
        assert repeated.probability(evidence) == pytest.approx(fit.probability(evidence), abs=0.1)
    assert repeated.no_target == pytest.approx(fit.no_target, abs=0.1)


def test_conditions_that_no_single_region_fulfils_are_evidence_of_absence():
    random = np.random.default_rng(2)
    rows, truth = [], []
    for i in range(400):
        there = bool(i % 2)
        best = float(random.uniform(0.05, 0.9))
        agreement = float(np.clip(random.normal(0.8 if there else 0.2, 0.2), 0.01, 1))
        rows.append(SEEN | {'best': best, 'noisy_or': best, 'weakest': best, 'agreement': agreement})
        truth.append(there)
    fit = fit_existence(rows, truth, [0.8] * 400, [f'image {i // 4}' for i in range(400)])
    assert fit.probability(SEEN) > 0.7 > 0.3 > fit.probability(SEEN | {'agreement': 0.05})


def test_status_follows_from_evidence_and_from_the_executor():
    def status(evidence, said, **given):
        return decide(CALIBRATION, 'rgb', evidence, status=said, reason='', **given).status

    assert status(SEEN, Status.OK) == Status.OK
    assert status(SEEN, Status.OK, doubtful=True) == Status.LOW_CONFIDENCE  # the executor's doubt stands
    assert status(NOT_SEEN, Status.OK) == Status.NO_TARGET
    doubtful = SEEN | {'best': 0.3, 'noisy_or': 0.4, 'weakest': 0.3}
    assert FIT.recall < FIT.probability(doubtful) < FIT.no_target
    assert status(doubtful, Status.OK) == Status.NO_TARGET
    assert status(doubtful, Status.OK, recall=True) == Status.LOW_CONFIDENCE  # present, as far as safety is concerned
    assert status(SEEN | {'best': float('nan')}, Status.OK) == Status.ERROR


def test_an_answer_is_ok_only_if_its_mask_is_probably_right():
    def verdict(**evidence):
        return decide(CALIBRATION, 'rgb', SEEN | evidence, status=Status.LOW_CONFIDENCE, reason='unsure')

    good = verdict()
    assert good.status == Status.OK and not good.reason and good.confidence > CORRECT.confident
    for doubt in ({'quality': 0.2}, {'quality': 0.4, 'lead': 0.2}):
        bad = verdict(**doubt)
        assert bad.score == good.score  # that there is a target is as certain as before
        assert bad.status == Status.LOW_CONFIDENCE and bad.confidence < CORRECT.confident
        assert f'probability {bad.confidence:.2f} of a right mask' in bad.reason


def test_no_answer_is_ok_if_it_is_not_known_how_often_masks_are_right():
    verdict = decide(Existence({'rgb': FIT}), 'rgb', SEEN, status=Status.OK, reason='')
    assert verdict.status == Status.LOW_CONFIDENCE and verdict.confidence is None and 'too few' in verdict.reason


def test_a_mask_that_is_hardly_ever_right_is_no_answer():
    """A dog on a carpet: the number of conditions makes a target probable, although no region is like a dog."""
    poor = SEEN | {'weakest': 0.02, 'quality': 0.2, 'lead': 0.5, 'conditions': 12.0}
    verdict = decide(CALIBRATION, 'rgb', poor, status=Status.NO_TARGET, reason='unsure', none='no dog is seen')
    assert verdict.score > FIT.no_target and (verdict.status, verdict.reason) == (Status.NO_TARGET, 'no dog is seen')
    assert decide(CALIBRATION, 'rgb', poor, status=Status.NO_TARGET, reason='', recall=True).status != Status.NO_TARGET


def test_for_safety_the_mask_need_not_be_right():
    def verdict(status, evidence):
        return decide(CALIBRATION, 'rgb', evidence, status=status, reason='', recall=True)

    assert verdict(Status.OK, SEEN | {'quality': 0.1}).status == Status.OK
    assert verdict(Status.LOW_CONFIDENCE, SEEN).status == Status.LOW_CONFIDENCE
    doubtful = verdict(Status.OK, SEEN | {'best': 0.3, 'noisy_or': 0.4, 'weakest': 0.3})
    assert doubtful.status == Status.LOW_CONFIDENCE and 'of a target' in doubtful.reason


def test_for_safety_nothing_is_absent_if_something_is_unknown():
    assert FIT.probability(NOT_SEEN) < FIT.recall

    def verdict(recall, unknown):
        return decide(
            CALIBRATION,
            'rgb',
            NOT_SEEN,
            status=Status.LOW_CONFIDENCE,
            reason='half of it is hidden',
            recall=recall,
            unknown=unknown,
        )

    assert verdict(recall=True, unknown=False).status == Status.NO_TARGET
    assert verdict(recall=False, unknown=True).status == Status.NO_TARGET
    kept = verdict(recall=True, unknown=True)
    assert kept.status == Status.LOW_CONFIDENCE and 'half of it is hidden' in kept.reason


def test_without_a_fit_nothing_is_absent_for_safety():
    assert decide(None, 'rgb', NOT_SEEN, status=Status.NO_TARGET, reason='no mug is seen').status == Status.NO_TARGET
    unsure = decide(None, 'rgb', NOT_SEEN, status=Status.NO_TARGET, reason='no mug is seen', recall=True)
    assert unsure.status == Status.LOW_CONFIDENCE and 'not calibrated' in unsure.reason


def test_the_file_is_read_back_and_foreign_ones_are_refused(tmp_path):
    path = tmp_path / 'calibration.json'
    written = Existence({'rgb': FIT, 'rgbd': replace(FIT, bias=0.5)}, CORRECT, 'abc', {'items': 3})
    written.save(path)
    assert Existence.load(path) == written
    replace(written, correct=None).save(path)
    assert Existence.load(path).correct is None
    written.save(path)
    data = json.loads(path.read_text())
    for change in (
        {'format': 3},
        {'evidence': ['best']},
        {'correct': {'bias': 0.0}},
        {'modes': {}},
        {'modes': {'sonar': data['modes']['rgb']}},
    ):
        path.write_text(json.dumps(data | change))
        with pytest.raises(InputError):
            Existence.load(path)
    for text in ('', '[]', '{"format": 4}', json.dumps(data | {'modes': {'rgb': {'bias': float('nan')}}})):
        path.write_text(text)
        with pytest.raises(InputError, match='calibrat'):
            Existence.load(path)


def test_nonsense_is_refused():
    with pytest.raises(InputError, match='order'):
        replace(FIT, recall=0.5)
    with pytest.raises(InputError, match='finite'):
        replace(FIT, bias=float('nan'))
    with pytest.raises(InputError, match='too few'):
        fit_existence(*answers(12))
    with pytest.raises(InputError, match='missing'):
        FIT.probability({'best': 0.5})
