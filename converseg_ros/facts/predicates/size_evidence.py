"""Evidence of the measured size of a region for a noun: the sizes of the class, relative to those of all objects.

Regions are compared by their two largest extents, since an object may lie in any pose. Occlusion makes an object look
smaller, never larger, so that a measurement that is too small has less weight than one that is too large.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from converseg_ros import knowledge
from converseg_ros.facts.geometry.measures import Measures

Floats = NDArray[np.float64]
# Logarithm of measured over typical size, fitted to objects in 120 rendered views with noisy depth.
USUAL, SMALLER, LARGER = -0.15, 0.55, 0.3  # mode, and spreads below and above it
ASPECT = 0.45  # spread of the logarithm of the second extent over the first, against the typical ones
ODD, ODD_SPREAD = 0.15, 1.6  # share of objects with unusual size or wrong segments, and their spread
MIN_EXTENT = 0.005  # minimum extent in metres


class SizeEvidence:
    """Evidence of the measured sizes of the regions of one view; the comparison with all objects is computed once."""

    def __init__(self, measures: Measures) -> None:
        """Take the measurements of S regions."""
        measured = _measured(measures)
        self._known = np.asarray(np.isfinite(measured).all(1))
        self._seen = np.log(np.maximum(measured[self._known], MIN_EXTENT))
        self._cut = measures.cut[self._known]
        self._any = np.log(_likelihood(self._seen, self._cut, _all_sizes()).mean(1))

    def __call__(self, nouns: Sequence[str]) -> Floats:
        """Return (S, N): log-likelihood ratio of each region's size for each noun against any object; 0 if unknown."""
        out = np.zeros((len(self._known), len(nouns)))
        typical = [sorted_size(noun) for noun in nouns]
        known = np.array([size is not None for size in typical], bool)
        if known.any() and self._known.any():
            sizes = np.log([size for size in typical if size is not None])
            ratio = np.log(_likelihood(self._seen, self._cut, sizes)) - self._any[:, None]
            out[np.ix_(self._known, known)] = ratio
        return out


@cache
def sorted_size(noun: str) -> tuple[float, float] | None:
    """Return the two largest typical extents of a class in metres, or None if unknown."""
    found = knowledge.thing(noun)
    if found is None or found.size is None:
        return None
    first, second = sorted((max(side, MIN_EXTENT) for side in found.size), reverse=True)[:2]
    return first, second


@cache
def _all_sizes() -> Floats:
    return np.log([size for name in knowledge.things() if (size := sorted_size(name)) is not None])


def _measured(measures: Measures) -> Floats:
    """Return (S, 2): the two largest extents in metres."""
    sides = np.stack([measures.length, measures.width, measures.high - measures.low], 1)
    return np.asarray(-np.sort(-sides, 1)[:, :2])


def _likelihood(measured: Floats, cut: NDArray[np.bool_], typical: Floats) -> Floats:
    """Return (S, N) densities of logarithms of measured sizes (S, 2), given typical ones (N, 2)."""
    x = measured[:, None, 0] - typical[None, :, 0] - USUAL
    x = np.where(cut[:, None], np.maximum(x, 0), x)  # an object at the edge of the image is at least this large
    aspect = (measured[:, 1] - measured[:, 0])[:, None] - (typical[:, 1] - typical[:, 0])[None]
    aspect = np.where(cut[:, None], 0, aspect)
    near = np.exp(-0.5 * (x / np.where(x < 0, SMALLER, LARGER)) ** 2) / (0.5 * (SMALLER + LARGER))
    near *= np.exp(-0.5 * (aspect / ASPECT) ** 2) / ASPECT
    odd = np.exp(-0.5 * (x / ODD_SPREAD) ** 2 - 0.5 * (aspect / ODD_SPREAD) ** 2) / ODD_SPREAD**2
    return np.asarray((1 - ODD) * near + ODD * odd)
