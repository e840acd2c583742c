"""Thresholds on the probability of a target, fitted on answers with ground truth, and their held-out metrics."""

import math

import numpy as np
from numpy.typing import NDArray

RIGHT_IOU = 0.5  # IoU from which a mask is right
ROUNDING = 1e-6  # probabilities that differ by less are equal; processors round differently


def held_out_report(
    p: NDArray[np.float64],
    truth: NDArray[np.bool_],
    *,
    no_target: float,
    recall: float,
    counts: NDArray[np.float64] | None = None,
) -> dict[str, float]:
    """Return the metrics of two thresholds on N held-out probabilities.

    p: (N,) that a target exists. truth: (N,) whether it does.
    no_target: below it an answer is NO_TARGET. recall: the same for safety instructions. counts: (N,) how much each
    answer counts for the calibration error.
    """
    return {
        'n': float(truth.size),
        'share_positive': float(truth.mean()),
        'ece': expected_calibration_error(p, truth, counts),
        'n_acc': float((p < no_target)[~truth].mean()),
        't_acc': float((p >= no_target)[truth].mean()),
        'safety_t_acc': float((p >= recall)[truth].mean()),
        'safety_n_acc': float((p < recall)[~truth].mean()),
    }


def expected_calibration_error(
    p: NDArray[np.float64], truth: NDArray[np.bool_], counts: NDArray[np.float64] | None = None, bins: int = 10
) -> float:
    """Return the mean gap between probability and frequency over equally wide bins (Guo et al. 2017).

    counts: (N,) how much each answer counts, all alike by default.
    """
    owner = np.minimum((p * bins).astype(int), bins - 1)
    share = np.full(p.size, 1 / max(p.size, 1)) if counts is None else counts / counts.sum()
    return float(sum(abs((share * (p - truth))[owner == b].sum()) for b in np.unique(owner)))


def best_threshold(p: NDArray[np.float64], truth: NDArray[np.bool_], quality: NDArray[np.float64]) -> float:
    """Return the threshold with the best mean of (IoU kept on targets) and (share of refused non-targets)."""
    candidates = _between(p)
    kept = np.array([quality[truth & (p >= t)].sum() for t in candidates]) / max(quality[truth].sum(), 1e-9)
    refused = np.array([(p[~truth] < t).mean() for t in candidates])
    return float(candidates[int(np.argmax(kept + refused))])


def recall_threshold(p: NDArray[np.float64], truth: NDArray[np.bool_], recall: float) -> float:
    """Return a threshold on p (N,) that keeps the share `recall` of the answers with a target, truth (N,).

    It is the highest one that lies halfway between two values, so that rounding cannot flip an answer.
    """
    ordered = np.sort(p[truth])
    return _below(p, float(ordered[math.floor((1 - recall) * ordered.size + ROUNDING)]))


def precision_threshold(
    p: NDArray[np.float64],
    quality: NDArray[np.float64],
    precision: float,
    counts: NDArray[np.float64] | None = None,
) -> float:
    """Return a threshold on p (N,), as low as possible, above which the share `precision` of the answers is correct.

    quality: (N,) IoU of each answer; it is correct from RIGHT_IOU on. counts: (N,) how much each answer counts, all
    alike by default. Returns 1 if no threshold is high enough.
    """
    order = np.argsort(-p)
    each = np.ones(p.size) if counts is None else counts[order]
    share = np.cumsum(each * (quality[order] >= RIGHT_IOU)) / np.cumsum(each)
    enough = np.flatnonzero(share >= precision)
    return _below(p, float(p[order][enough[-1]])) if enough.size else 1.0


def _below(p: NDArray[np.float64], value: float) -> float:
    """Return the highest of the thresholds of `_between` that keeps a value of p, even if it is rounded differently."""
    candidates = _between(p)[:-1]
    return float(candidates[candidates <= value].max())


def _between(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return thresholds below, between and above all values; values that differ by rounding count as one."""
    values = np.unique(p)
    apart = np.diff(values) > ROUNDING
    middle = (values[1:][apart] + values[:-1][apart]) / 2
    return np.concatenate([[0.0], middle, [min(1.0, values[-1] + ROUNDING)]])
