"""Ridge-regularised logistic regression with weights of given signs, and predictions for held-out groups."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

FOLDS = 5


def fit_logistic(
    x: NDArray[np.float64], truth: NDArray[np.bool_], signs: Sequence[int], ridge: float = 1.0
) -> NDArray[np.float64]:
    """Return (D + 1,) weights and bias for x (N, D), fitted by L-BFGS-B.

    signs: 1 or -1 for each weight, which is then not negative or not positive. The ridge acts on standardized features.
    """
    from scipy.optimize import minimize

    mean, scale = x.mean(0), x.std(0) + 1e-3
    z = (x - mean) / scale
    target = truth.astype(np.float64)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        linear = z @ w[:-1] + w[-1]
        p = expit(linear)
        value = float((np.logaddexp(0, linear) - target * linear).sum() + 0.5 * ridge * (w[:-1] ** 2).sum())
        return value, np.append(z.T @ (p - target) + ridge * w[:-1], (p - target).sum())

    bounds = [(0, None) if s > 0 else (None, 0) for s in signs] + [(None, None)]
    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, bounds=bounds, method='L-BFGS-B').x
    weights = w[:-1] / scale
    return np.append(weights, w[-1] - weights @ mean)


def apply_logistic(weights: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N,) probabilities for x (N, D) and weights with bias (D + 1,)."""
    return np.asarray(expit(x @ weights[:-1] + weights[-1]))


def held_out_probabilities(
    x: NDArray[np.float64], truth: NDArray[np.bool_], groups: Sequence[str], signs: Sequence[int]
) -> NDArray[np.float64]:
    """Return (N,) cross-validated probabilities; rows of one group stay together. 0 if no fit is possible."""
    held_out = np.zeros(len(truth))
    order = {name: i % FOLDS for i, name in enumerate(dict.fromkeys(groups))}
    fold = np.array([order[g] for g in groups])
    for f in np.unique(fold):
        rest = fold != f
        if truth[rest].any() and (~truth[rest]).any():
            held_out[fold == f] = apply_logistic(fit_logistic(x[rest], truth[rest], signs), x[fold == f])
    return held_out
