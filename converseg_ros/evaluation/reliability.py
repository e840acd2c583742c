"""Calibration of scores as probabilities, and the trade-off of a threshold."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from converseg_ros.core import InputError

BINS = 10


class Reliability:
    """Reliability diagram and expected calibration error (Guo et al., ICML 2017) of the probability of a target."""

    def __init__(self, bins: int = BINS) -> None:
        if bins < 1:
            raise InputError(f'{bins} bins', where='reliability')
        self.bins = bins
        self.reset()

    def reset(self) -> None:
        """Reset the metric."""
        self.scores: list[float] = []
        self.targets: list[bool] = []

    def update(self, score: float, target: bool) -> None:
        """Add one item: the score in [0, 1] that a target exists, and whether it does."""
        if not 0 <= score <= 1:
            raise InputError(f'a score is {score}, not in [0, 1]', where='reliability')
        self.scores.append(score)
        self.targets.append(target)

    def compute(self) -> dict[str, Any]:
        """Return `ece`, `brier` and `bins` (low, high, mean score, share of targets, count; without empty bins)."""
        scores, targets = np.asarray(self.scores), np.asarray(self.targets, float)
        if not scores.size:
            return {'ece': None, 'brier': None, 'bins': []}
        index = np.minimum((scores * self.bins).astype(int), self.bins - 1)
        table, error = [], 0.0
        for b in range(self.bins):
            inside = index == b
            if not inside.any():
                continue
            confidence, share, count = float(scores[inside].mean()), float(targets[inside].mean()), int(inside.sum())
            error += count / scores.size * abs(confidence - share)
            table.append(
                {
                    'low': b / self.bins,
                    'high': (b + 1) / self.bins,
                    'score': confidence,
                    'target': share,
                    'count': count,
                }
            )
        return {'ece': error, 'brier': float(np.mean((scores - targets) ** 2)), 'bins': table}


def trade_off(scores: Sequence[float], targets: Sequence[bool]) -> list[dict[str, float | None]]:
    """Return N-acc and T-acc for every threshold that changes an answer (lower scores mean NO_TARGET)."""
    values, truth = np.asarray(scores, float), np.asarray(targets, bool)
    table: list[dict[str, float | None]] = []
    for threshold in [0.0, *(np.unique(values) + 1e-9).tolist()]:
        refused = values < threshold
        table.append(
            {
                'threshold': float(threshold),
                'n_acc': float(refused[~truth].mean()) if (~truth).any() else None,
                't_acc': float((~refused[truth]).mean()) if truth.any() else None,
            }
        )
    return table


def area_under_roc(scores: Sequence[float], targets: Sequence[bool]) -> float | None:
    """Return the probability that a target scores above a non-target (ties count half); None without both kinds."""
    values, truth = np.asarray(scores, float), np.asarray(targets, bool)
    if truth.all() or not truth.any():
        return None
    above = values[truth][:, None] - values[~truth][None]
    return float(((above > 0) + 0.5 * (above == 0)).mean())
