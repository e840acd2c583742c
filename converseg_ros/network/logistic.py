"""Ridge-regularised logistic regression with weights of given signs, class weights, and held-out predictions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

FOLDS = 5


def balanced(truth: NDArray[np.bool_], weights: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return (N,) weights with a mean of 1 that give the true ones of truth (N,) the share `share` of the sum.

    weights: (N,) how much the answers count among those of the same truth. Without true or without false ones, these
    are scaled to a mean of 1.
    """
    actual = float(np.average(truth, weights=weights))
    factor = np.where(truth, share / actual, (1 - share) / (1 - actual)) if 0 < actual < 1 else np.ones(truth.size)
    found = weights * factor
    return np.asarray(found / found.mean())


def fit_logistic(
    x: NDArray[np.float64],
    truth: NDArray[np.bool_],
    signs: Sequence[int],
    counts: NDArray[np.float64],
    ridge: float = 1.0,
) -> NDArray[np.float64]:
    """Return (D + 1,) weights and bias for x (N, D), fitted by L-BFGS-B.

    signs: 1 or -1 for each weight, which is then not negative or not positive. counts: (N,) how much each row counts.
    The ridge acts on standardized features.
    """
    from scipy.optimize import minimize

    mean = np.average(x, 0, counts)
    scale = np.sqrt(np.average((x - mean) ** 2, 0, counts)) + 1e-3
    z = (x - mean) / scale
    target = truth.astype(np.float64)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        linear = z @ w[:-1] + w[-1]
        p = expit(linear)
        value = float(counts @ (np.logaddexp(0, linear) - target * linear) + 0.5 * ridge * (w[:-1] ** 2).sum())
        slope = counts * (p - target)
        return value, np.append(z.T @ slope + ridge * w[:-1], slope.sum())

    bounds = [(0, None) if s > 0 else (None, 0) for s in signs] + [(None, None)]
    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method='L-BFGS-B').x
    weights = w[:-1] / scale
    return np.append(weights, w[-1] - weights @ mean)


def apply_logistic(weights: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N,) probabilities for x (N, D) and weights with bias (D + 1,)."""
    return np.asarray(expit(x @ weights[:-1] + weights[-1]))


def held_out_probabilities(
    x: NDArray[np.float64],
    truth: NDArray[np.bool_],
    groups: Sequence[str],
    signs: Sequence[int],
    counts: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (N,) cross-validated probabilities; rows of one image stay together. 0 if no fit is possible.

    groups: image ids. If one is the end of another ("a.jpg", "photos/a.jpg"), they are the same image.
    """
    held_out = np.zeros(len(truth))
    images = [_shortest(g, frozenset(groups)) for g in groups]
    order = {name: i % FOLDS for i, name in enumerate(dict.fromkeys(images))}
    fold = np.array([order[g] for g in images])
    for f in np.unique(fold):
        rest = fold != f
        if truth[rest].any() and (~truth[rest]).any():
            weights = fit_logistic(x[rest], truth[rest], signs, counts[rest])
            held_out[fold == f] = apply_logistic(weights, x[fold == f])
    return held_out


def _shortest(image_id: str, known: frozenset[str]) -> str:
    """Return the shortest of the known ids that is the last part of a path."""
    parts = image_id.split('/')
    return next((end for k in range(1, len(parts)) if (end := '/'.join(parts[-k:])) in known), image_id)
