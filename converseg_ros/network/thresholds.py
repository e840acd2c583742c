"""Thresholds on the probability of a target, fitted on answers with ground truth, and their held-out metrics."""

import math

import numpy as np
from numpy.typing import NDArray

RIGHT_IOU = 0.5  # IoU from which a mask is right


def held_out_report(
    p: NDArray[np.float64], truth: NDArray[np.bool_], *, no_target: float, recall: float
) -> dict[str, float]:
    """Return the metrics of two thresholds on N held-out probabilities.

    p: (N,) that a target exists. truth: (N,) whether it does.
    no_target: below it an answer is NO_TARGET. recall: the same for safety instructions.
    """
    return {
        'n': float(truth.size),
        'share_positive': float(truth.mean()),
        'ece': expected_calibration_error(p, truth),
        'n_acc': float((p < no_target)[~truth].mean()),
        't_acc': float((p >= no_target)[truth].mean()),
        'safety_t_acc': float((p >= recall)[truth].mean()),
        'safety_n_acc': float((p < recall)[~truth].mean()),
    }


def expected_calibration_error(p: NDArray[np.float64], truth: NDArray[np.bool_], bins: int = 10) -> float:
    """Return the mean gap between probability and frequency over equally wide bins (Guo et al. 2017)."""
    owner = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[owner == b].mean() - truth[owner == b].mean()) * (owner == b).mean() for b in np.unique(owner)]
    return float(np.sum(gaps))


def best_threshold(p: NDArray[np.float64], truth: NDArray[np.bool_], quality: NDArray[np.float64]) -> float:
    """Return the threshold with the best mean of (IoU kept on targets) and (share of refused non-targets)."""
    candidates = _between(p)
    kept = np.array([quality[truth & (p >= t)].sum() for t in candidates]) / max(quality[truth].sum(), 1e-9)
    refused = np.array([(p[~truth] < t).mean() for t in candidates])
    return float(candidates[int(np.argmax(kept + refused))])


def recall_threshold(p: NDArray[np.float64], truth: NDArray[np.bool_], recall: float) -> float:
    """Return the highest threshold on p (N,) that keeps the share `recall` of the answers with a target, truth (N,)."""
    ordered = np.sort(p[truth])
    return float(ordered[math.floor((1 - recall) * ordered.size)])


def precision_threshold(p: NDArray[np.float64], quality: NDArray[np.float64], precision: float) -> float:
    """Return the lowest threshold on p (N,) above which the share `precision` of the answers is correct.

    quality: (N,) IoU of each answer; it is correct from RIGHT_IOU on. Returns 1 if no threshold is high enough.
    """
    order = np.argsort(-p)
    share = np.cumsum(quality[order] >= RIGHT_IOU) / np.arange(1, p.size + 1)
    enough = np.flatnonzero(share >= precision)
    return float(p[order][enough[-1]]) if enough.size else 1.0


def _between(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return thresholds below, between and above all values."""
    values = np.unique(p)
    return np.concatenate([[0.0], (values[1:] + values[:-1]) / 2, [min(1.0, values[-1] + 1e-6)]])
