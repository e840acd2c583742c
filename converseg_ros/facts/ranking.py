"""Which of several uncertain members comes first, second or last, from measurements with known noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from converseg_ros.facts.degrees import Degree

Floats = NDArray[np.float64]
PRESENT = 0.2  # of the surest member's degree that a region needs to compete in an order


@dataclass(frozen=True, eq=False)
class Scale:
    """A measurement of each of S regions.

    value: (S,), NaN where it cannot even be guessed. sigma: (S,) its standard deviation in the same unit. firm: (S,)
    bool, whether the value is measured; others are guesses that decide nothing, and `note` says why.
    """

    value: Floats
    sigma: Floats
    firm: NDArray[np.bool_]
    note: str = ''

    def beats(self, order: str) -> Floats:
        """Return the (S, S) probability that region i has a larger ('max') or smaller ('min') value than region j.

        Independent normal errors; 0.5 where one of the two has no value.
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


def ranked(members: Degree, scale: Scale, order: str, first: int, count: int) -> Degree:
    """Return how probably each region is one of places `first` to `first + count - 1` among the members.

    The number of members that beat a region is a sum of independent yes-or-no events (Poisson binomial), each with the
    probability that the other is a member times that it beats this one. Regions that are much less likely members than
    the surest one do not compete. A region, or a competitor, whose value is not firm leaves the place open.
    """
    most = float(members.p.max(initial=0.0))
    competes = members.p >= max(PRESENT * most, 1e-6)
    beaten = scale.beats(order).T * np.where(competes, members.p, 0)[None]  # [i, j]: j is a member and beats i
    place = _places(beaten, first + count - 1)[:, first - 1 :].sum(1)
    p = np.where(competes, members.p * place, 0)
    p = np.clip(
        p / max(1.0, float(p.sum()) / count), 0, 1
    )  # ties are decided pair by pair, but there are only so many places
    low, high = p.copy(), p.copy()
    notes = members.notes
    rivals = competes & (members.high > 0)
    if (rivals & ~scale.firm).any() and np.count_nonzero(rivals) > count:
        low, high = np.zeros_like(p), np.where(rivals, members.high, p)
        notes |= {scale.note} if scale.note else set()
    else:
        doubt = members.doubt & (members.high >= PRESENT * most)
        if doubt.any():  # another member, or one member less, can change every place
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
