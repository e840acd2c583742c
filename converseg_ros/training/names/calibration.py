"""Factors of the log-odds of nouns, fitted on objects that a head was not trained on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from converseg_ros.core.probability import log_odds
from converseg_ros.network.names.head import NameHead
from converseg_ros.network.names.weights import Scaling
from converseg_ros.training.names.labels import own_noun
from converseg_ros.training.names.prepared import SHOWN, Prepared

ENOUGH = 20  # labelled objects of a noun for its own factor
LogOdds = dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]
"""By noun, the log-odds that a head gives to objects, and whether they may be called so."""


def noun_log_odds(prepared: Prepared, head: NameHead, chosen: NDArray[np.bool_]) -> LogOdds:
    """Return the log-odds of the nouns of the selected objects, without the detector."""
    table, words = prepared.table, prepared.words
    out = chosen & table.named
    p = np.exp(prepared.answers(head, out, SHOWN, detector=False).numpy()[:, :-1].astype(np.float64))
    place = {noun: i for i, noun in enumerate(head.sources.nouns)}
    labels = (own_noun(str(label), words) for label in np.unique(table.labels[out]))
    found: LogOdds = {}
    for own in sorted({n for n in labels if n is not None}):
        noun = words.names[own]
        if noun not in place:
            continue
        columns = [(place[n], s) for k, s in words.denoted(noun).items() if (n := words.names[k]) in place]
        total = np.asarray(sum(p[:, c] * share for c, share in columns))
        found[noun] = (np.asarray(log_odds(total), np.float64), table.allowed[out][:, own])
    return found


def scaling(folds: Sequence[LogOdds]) -> Scaling:
    """Return the factors that fit the objects of all folds best: of nouns with enough objects, and of all others."""
    joined = {
        noun: tuple(np.concatenate(parts) for parts in zip(*(f[noun] for f in folds if noun in f), strict=True))
        for noun in dict.fromkeys(n for f in folds for n in f)
    }
    shared = _factor(*(np.concatenate(parts) for parts in zip(*joined.values(), strict=True)))
    return Scaling(shared, {n: _factor(x, y) for n, (x, y) in joined.items() if y.sum() >= ENOUGH})


def _factor(log_odds: NDArray[np.float64], true: NDArray[np.bool_]) -> float:
    """Return the factor of log-odds with the least cross-entropy (temperature scaling, Guo et al., 1706.04599)."""
    sign = np.where(true, -1.0, 1.0)

    def cost(log_factor: float) -> float:
        return float(np.logaddexp(0, sign * log_odds * np.exp(log_factor)).mean())

    return float(np.exp(minimize_scalar(cost, bounds=(-1.6, 1.6), method='bounded').x))
