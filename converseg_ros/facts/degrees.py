"""Truth degrees of statements about regions, with unknown distinguished from false.

A degree has a best estimate and the bounds that missing facts leave open: without depth, "taller than 10 cm" is
estimated, but both true and false remain possible. Conjunction multiplies (statements are assumed to be independent),
disjunction takes the maximum, and both act on the bounds in the same way, so that a statement which is only doubtful
where another one is false leaves no doubt.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from converseg_ros.core.errors import InputError

Floats = NDArray[np.float64]
DOUBT = 0.02  # difference between a bound and the estimate above which a statement is doubtful


@dataclass(frozen=True, eq=False)
class Degree:
    """Probabilities of any shape with bounds: `low` <= `p` <= `high`, equal where everything needed is known.

    notes: the reasons why something is unknown.
    """

    p: Floats
    low: Floats
    high: Floats
    notes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Validate shapes and bounds."""
        if not self.p.shape == self.low.shape == self.high.shape:
            raise InputError(f'shapes {self.p.shape}, {self.low.shape}, {self.high.shape} differ', where='degree')
        if self.settled:
            if self.p.size and not (self.p.min() >= 0 and self.p.max() <= 1):
                raise InputError('probabilities are not within 0 and 1', where='degree')
            return
        if self.p.size and not (self.low.min() >= 0 and self.high.max() <= 1):
            raise InputError('bounds are not within 0 and 1', where='degree')
        if (self.low > self.p + 1e-9).any() or (self.p > self.high + 1e-9).any():
            raise InputError('the estimate is outside of its bounds', where='degree')

    @staticmethod
    def known(p: ArrayLike) -> 'Degree':
        """Return probabilities for which everything needed is known; raise InputError for NaN."""
        values = np.asarray(p, np.float64)
        if np.isnan(values).any():
            raise InputError('a known probability is NaN', where='degree', do='use Degree.partly')
        return Degree(values, values, values)

    @staticmethod
    def guess(p: ArrayLike, note: str) -> 'Degree':
        """Return estimates that decide nothing: both true and false remain possible."""
        values = np.asarray(p, np.float64)
        return Degree(values, np.zeros_like(values), np.ones_like(values), frozenset({note}))

    @staticmethod
    def unknown(shape: int | tuple[int, ...], note: str) -> 'Degree':
        """Return 0.5 with bounds 0 and 1."""
        return Degree.guess(np.full(shape, 0.5), note)

    @staticmethod
    def partly(p: ArrayLike, note: str, guess: ArrayLike = 0.5) -> 'Degree':
        """Return probabilities in which NaN means unknown; `guess` stands for those."""
        values = np.asarray(p, np.float64)
        missing = np.isnan(values)
        if not missing.any():
            return Degree(values, values, values)
        estimate = np.where(missing, guess, values)
        return Degree(estimate, np.where(missing, 0, estimate), np.where(missing, 1, estimate), frozenset({note}))

    @property
    def settled(self) -> bool:
        """Return whether the bounds are the estimate itself, as those of known probabilities: a cheaper case."""
        return self.low is self.p and self.high is self.p

    @property
    def uninformed(self) -> bool:
        """Return whether nothing is known at all."""
        return not self.settled and bool((self.p == 0.5).all() and (self.low == 0).all() and (self.high == 1).all())

    @property
    def doubt(self) -> NDArray[np.bool_]:
        """Return where missing facts could change the estimate."""
        return np.asarray((self.high - self.p > DOUBT) | (self.p - self.low > DOUBT))

    @property
    def possible(self) -> NDArray[np.intp]:
        """Return the indices of what may be true, of probabilities (S,)."""
        return np.flatnonzero(self.high > 0)

    def __getitem__(self, index: Any) -> 'Degree':
        """Return the degrees at an index of NumPy."""
        if self.settled:
            return _settled(self.p[index])
        return _valid(self.p[index], self.low[index], self.high[index], self.notes)

    def looked_up(self, index: NDArray[np.intp]) -> 'Degree':
        """Return the degrees (S,) at indices; 0 for negative indices, which mean none."""
        return self[index].scaled(index >= 0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the arrays."""
        return self.p.shape

    @property
    def T(self) -> 'Degree':  # noqa: N802 - as in NumPy
        """Return the converse of a relation."""
        if self.settled:
            return _settled(self.p.T)
        return _valid(self.p.T, self.low.T, self.high.T, self.notes)

    def __and__(self, other: 'Degree') -> 'Degree':
        """Return the conjunction, with broadcasting."""
        if self.settled and other.settled:
            return _settled(self.p * other.p)
        return _made(self.p * other.p, self.low * other.low, self.high * other.high, self, other)

    def __or__(self, other: 'Degree') -> 'Degree':
        """Return the disjunction, the maximum."""
        if self.settled and other.settled:
            return _settled(np.maximum(self.p, other.p))
        return _made(
            np.maximum(self.p, other.p), np.maximum(self.low, other.low), np.maximum(self.high, other.high), self, other
        )

    def __invert__(self) -> 'Degree':
        """Return the negation."""
        if self.settled:
            return _settled(1 - self.p)
        return _valid(1 - self.p, 1 - self.high, 1 - self.low, self.notes)

    def scaled(self, factor: ArrayLike) -> 'Degree':
        """Return the degree multiplied by known factors in 0 to 1."""
        return self & Degree.known(np.broadcast_to(np.asarray(factor, np.float64), self.shape))

    def doubted(self, trust: float, otherwise: float | Floats) -> 'Degree':
        """Return the degree of a statement that is meant with a probability; if not, it is replaced by `otherwise`."""
        if trust >= 1:
            return self
        p, low, high = (trust * x + (1 - trust) * otherwise for x in (self.p, self.low, self.high))
        return Degree(p, low, high, self.notes)

    def any(self, axis: int) -> 'Degree':
        """Return the maximum along an axis; 0 for an empty axis."""
        if self.settled:
            return _settled(self.p.max(axis, initial=0.0))
        p, low, high = (x.max(axis, initial=0.0) for x in (self.p, self.low, self.high))
        return _made(p, low, high, self)

    def sharpened(self, least: float = 0.95) -> 'Degree':
        """Return truth values: at least `least` is true, at most 1 - `least` is false, others are undecided."""
        yes, no = self.low >= least, self.high <= 1 - least
        p = np.where(yes, 1.0, np.where(no, 0.0, np.clip(self.p, 0, 1)))
        notes = self.notes or frozenset({'opinions could differ'})
        return _made(p, np.where(yes, 1.0, 0.0), np.where(no, 0.0, 1.0), Degree(p, p * 0, p * 0 + 1, notes))


def narrowed(degree: Degree, quantity: str | int) -> Degree:
    """Return the most certain members of a nested selection; others keep a degree relative to the last selected one.

    Equally certain ones are all kept: further conditions may decide which of two mugs "the mug" means.
    """
    if quantity == 'all' or not len(degree.p):
        return degree
    count = min(1 if quantity == 'one' else int(quantity), len(degree.p))
    last = np.sort(degree.p)[-count]
    if last <= 0:
        return degree
    factor = np.clip(degree.p / last, 0, 1)
    return Degree(degree.p * factor, degree.low * factor, degree.high * np.maximum(factor, degree.doubt), degree.notes)


def related(relation: Degree, anchors: Degree) -> Degree:
    """Return the degree of each of S regions for a relation (S, A) to one of the anchors (A,)."""
    near = anchors.possible
    return (relation[:, near] & anchors[near]).any(1)


def chained(step: Degree, most: int = 16) -> Degree:
    """Return the transitive closure of a relation (S, S): the maximum over chains of at most `most` steps."""
    if step.settled:
        return _settled(_closure(step.p, most))
    p, low, high = (_closure(x, most) for x in (step.p, step.low, step.high))
    return _made(p, low, high, step)


def _closure(step: Floats, most: int) -> Floats:
    out = step
    for _ in range(most - 1):
        longer = np.maximum(out, (out[:, :, None] * step[None]).max(1, initial=0.0))
        if (longer <= out).all():
            break
        out = longer
    return out


def _settled(p: Floats) -> Degree:
    return _valid(p, p, p, frozenset())


def _made(p: Floats, low: Floats, high: Floats, *sources: Degree) -> Degree:
    """Return a degree with the notes of its sources, unless no doubt is left."""
    if (low == high).all():
        return _settled(p)
    doubtful = (high - p).max() > DOUBT or (p - low).max() > DOUBT
    notes: Iterable[frozenset[str]] = (s.notes for s in sources) if doubtful else ()
    return _valid(p, low, high, frozenset().union(*notes))


def _valid(p: Floats, low: Floats, high: Floats, notes: frozenset[str]) -> Degree:
    """Return the result of an operation on degrees without validating it again, which would take longer than most."""
    out = object.__new__(Degree)
    vars(out).update(p=p, low=low, high=high, notes=notes)
    return out
