"""The probability that a mask is right: a logistic model over the executor's evidence.

An answer is right if its mask has an IoU of at least 0.5 with what was meant. That a target exists is not enough for
this: the mask may show another thing, or half of the right one. The model decides whether an answer is OK. It was
fitted on the answers to labelled real images that existence (`existence.py`) does not refuse. As there, more evidence
never means a lower probability. The threshold of OK is chosen on the answers that may be OK: those against which
nothing but the certainty of the regions speaks (`clear`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from converseg_ros.core import InputError
from converseg_ros.core.probability import log_odds
from converseg_ros.network.logistic import fit_logistic, held_out_probabilities
from converseg_ros.network.thresholds import RIGHT_IOU, expected_calibration_error, precision_threshold

EVIDENCE = ('weakest', 'parse', 'quality', 'lead', 'measured')
"""weakest: the minimum over all conditions of the degree of the best region; parse: the confidence of the parser;
quality: the IoU that the proposer expects of the selected regions; lead: share of the last selected region against the
next one; measured: 1 if the answer is an area that depth shows. All but the last are converted to log-odds.
"""
CLIP = 1e-4
MIN_ANSWERS = 10
REMEDY = 'calibrate again: converseg eval calibrate'


@dataclass(frozen=True, slots=True)
class CorrectnessFit:
    """The weights in the order of EVIDENCE, and the probability `confident` from which an answer is OK.

    report: metrics on held-out images.
    """

    weights: tuple[float, ...]
    bias: float
    confident: float
    report: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate that numbers are finite and the threshold is a probability."""
        if len(self.weights) != len(EVIDENCE) or not np.isfinite([*self.weights, self.bias, self.confident]).all():
            raise InputError('weights are missing or not finite', where='calibration', do=REMEDY)
        if not 0 <= self.confident <= 1:
            raise InputError(f'the threshold {self.confident} is no probability', where='calibration', do=REMEDY)

    def probability(self, evidence: Mapping[str, float]) -> float:
        """Return the probability that the mask is right."""
        return float(expit(np.dot(self.weights, features(evidence)) + self.bias))


def features(evidence: Mapping[str, float]) -> NDArray[np.float64]:
    """Return (5,) the input of the weights; raise InputError for missing evidence."""
    missing = [k for k in EVIDENCE if k not in evidence]
    if missing:
        raise InputError(f'evidence {", ".join(missing)} is missing', where='calibration')
    *probabilities, measured = (float(evidence[k]) for k in EVIDENCE)
    return np.append(log_odds(np.array(probabilities), CLIP), measured)


def fit_correctness(
    evidence: Sequence[Mapping[str, float]],
    ious: Sequence[float],
    groups: Sequence[str],
    *,
    clear: Sequence[bool],
    counts: Sequence[float],
    precision: float = 0.85,
) -> CorrectnessFit | None:
    """Fit the model on N answers that are not refused; None if fewer than MIN_ANSWERS are right or wrong.

    ious: of mask and ground truth, 0 without a target. groups: image ids; answers on one image stay together in the
    cross-validation, from which the threshold and the report follow. clear: whether an answer may be OK. counts: how
    much each answer counts. precision: share of the clear answers above the threshold that are right.
    """
    right, weight, may = np.asarray(ious, np.float64) >= RIGHT_IOU, np.asarray(counts, float), np.asarray(clear, bool)
    if min(right.sum(), (~right).sum()) < MIN_ANSWERS:
        return None
    x, signs = np.stack([features(e) for e in evidence]), (1,) * len(EVIDENCE)
    weights, p = fit_logistic(x, right, signs, weight), held_out_probabilities(x, right, groups, signs, weight)
    confident = precision_threshold(p[may], np.asarray(ious, np.float64)[may], precision, weight[may])
    sure = may & (p >= confident)
    report = {
        'n': float(right.size),
        'share_right': float(np.average(right, weights=weight)),
        'ece': expected_calibration_error(p, right, weight),
        'clear_share': float(may.mean()),
        'ok_share': float(sure.mean()),
        'ok_right': float(np.average(right[sure], weights=weight[sure])) if sure.any() else 0.0,
    }
    return CorrectnessFit(tuple(weights[:-1].tolist()), float(weights[-1]), confident, report)
