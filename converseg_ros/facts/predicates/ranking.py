"""Order of uncertain members by measurements with known noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from converseg_ros.facts.degrees import Degree

Floats = NDArray[np.float64]
EXTENTS = frozenset({'height', 'size', 'width', 'length', 'weight'})  # orders of things by their extents
WHOLE = ((0.15, 0.55), (0.05, 1.0))  # expected IoU of a region, and how far it is a whole object
CUT_OFF = 0.5  # factor on how far a region at the border of the image is a whole object
PRESENT = 0.2  # share of the most certain member's degree from which a region competes in an order


@dataclass(frozen=True, eq=False)
class Scale:
    """A measurement of each of S regions.

    value: (S,), NaN if it cannot be estimated. sigma: (S,) its standard deviation in the same unit. firm: (S,) bool,
    whether the value is measured; other values are estimates that decide nothing, with the reason in `note`.
    """

    value: Floats
    sigma: Floats
    firm: NDArray[np.bool_]
    note: str = ''

    def of(self, index: NDArray[np.intp]) -> 'Scale':
        """Return the scale of the regions with the given indices (N,)."""
        return Scale(self.value[index], self.sigma[index], self.firm[index], self.note)

    def beats(self, order: str) -> Floats:
        """Return the (S, S) probability that region i has a larger ('max') or smaller ('min') value than region j.

        Normal errors are assumed to be independent; 0.5 if one of the two has no value.
        """
        with np.errstate(invalid='ignore', divide='ignore'):
            difference = self.value[:, None] - self.value[None]
            if order == 'min':
                difference = -difference
            spread = np.hypot(self.sigma[:, None], self.sigma[None])
            out = ndtr(difference / np.maximum(spread, 1e-9))
        out = np.where(np.isfinite(difference), out, 0.5)
        np.fill_diagonal(out, 0.0)
        return np.asarray(out)


def wholeness(quality: NDArray[np.floating], cut: NDArray[np.bool_], key: str) -> Floats:
    """Return (S,) how far regions are whole objects, for the order by `key`.

    quality: (S,) their expected IoU. cut: (S,) whether the border of the image cuts them off, so that their extents are
    not known.
    """
    whole: Floats = np.interp(quality, *WHOLE)
    return whole * np.where(cut, CUT_OFF, 1.0) if key in EXTENTS else whole


def ranked(members: Degree, scale: Scale, order: str, first: int, count: int, whole: Floats | None = None) -> Degree:
    """Return the probability that each region is at one of places `first` to `first + count - 1` among the members.

    The number of members that beat a region is a sum of independent binary events (Poisson binomial), each with the
    probability that the other is a member times the probability that it beats this one. Regions that are much less
    likely members than the most certain one do not compete; `whole` (S,), how far each region is a whole object, counts
    for this, because a piece of an elephant is not the smallest elephant. If the value of a region, or of a competitor,
    is not firm, the place is undecided.
    """
    most = float(members.p.max(initial=0.0))
    fit = members.p if whole is None else members.p * whole
    competes = fit >= max(PRESENT * float(fit.max(initial=0.0)), 1e-6)
    among = np.flatnonzero(competes)
    beaten = scale.of(among).beats(order).T * members.p[among]  # [i, j]: j is a member and beats i
    place = _places(beaten, first + count - 1)[:, first - 1 :].sum(1)
    p = np.zeros(len(members.p))
    p[among] = members.p[among] * place
    p = np.clip(
        p / max(1.0, float(p.sum()) / count), 0, 1
    )  # ties are decided pairwise, but the number of places is limited
    low, high = p.copy(), p.copy()
    notes = members.notes
    rivals = competes & (members.high > 0)
    if (rivals & ~scale.firm).any() and np.count_nonzero(rivals) > count:
        low, high = np.zeros_like(p), np.where(rivals, members.high, p)
        notes |= {scale.note} if scale.note else set()
    else:
        doubt = members.doubt & (members.high >= PRESENT * most)
        if doubt.any():  # one member more or less can change every place
            low, high = np.where(doubt, 0, np.minimum(p, members.low)), np.where(doubt | competes, members.high, p)
    return Degree(p, np.minimum(low, p), np.maximum(high, p), notes)


def _places(beaten: Floats, most: int) -> Floats:
    """Return (S, most) probabilities that exactly 0, 1 ... `most` - 1 of the events in each row happen."""
    out = np.zeros((len(beaten), most))
    out[:, 0] = 1.0
    for column in beaten.T:
        shifted = np.concatenate([np.zeros((len(out), 1)), out[:, :-1]], 1)
        out = out * (1 - column[:, None]) + shifted * column[:, None]
    return out
