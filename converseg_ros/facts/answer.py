"""What executing a program gives: the regions or the area meant, how sure that is, and why, in words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.status import Status
from converseg_ros.facts.degrees import Degree


@dataclass(frozen=True)
class Options:
    """Thresholds of a decision; all are probabilities or shares of the best.

    present: of the best region, above which something is seen; absent: below which nothing is. least: of a region to be
    in the mask at all; between least and absent the mask shows what would be meant if something was there. share: of
    the best that another member of "all" needs. sure: of the chosen one against the next, below which both are named.
    recall: for safety, every region above `recall_least` is answered, and what is not explained is unknown.
    """

    present: float = 0.5
    absent: float = 0.15
    least: float = 0.04
    share: float = 0.5
    sure: float = 0.7
    recall: bool = False
    recall_least: float = 0.08
    unexplained: float = 0.01

    def __post_init__(self) -> None:
        """Check that the thresholds are in order."""
        if not 0 <= self.absent <= self.present <= 1 or not 0 < self.share <= 1 or not 0.5 <= self.sure <= 1:
            raise InputError('thresholds are out of order', where='executor', do='use 0 <= absent <= present <= 1')


@dataclass(frozen=True)
class Literal:
    """One condition of a program: its words, how well the best region fits it, and each region's degree.

    reached: how well the best region fits this condition and all before it. main: whether it is said of what is asked
    for, and not of something that this is related to.
    """

    text: str
    best: float
    reached: float
    degrees: NDArray[np.float64]
    main: bool = True
    noun: str = ''


@dataclass(frozen=True)
class Candidate:
    """A region that could be meant: its index, its probability, and how well it fits each condition."""

    index: int
    p: float
    counted: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Evidence:
    """What tells whether something that fits is there.

    noisy_or: that any region fits, if they were independent. best: the best region's. weakest: the least, over all
    conditions, of what the best region for that condition reaches. in_vocabulary: whether all nouns are known.
    unexplained: share of the view that shows objects which no region covers.
    """

    noisy_or: float
    best: float
    weakest: float
    in_vocabulary: bool
    unexplained: float
    literals: tuple[Literal, ...] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """What a program means in a view.

    status: a hint; the calibrated existence model may change OK, LOW_CONFIDENCE and NO_TARGET among each other, but
    never OK for an answer that facts cannot decide (`decided` is false). chosen: indices of regions, the surest first.
    area: whether the mask is an area (free space, a grip) instead of regions. mask: (h, w) at the working resolution.
    """

    status: Status
    reason: str
    score: float
    degree: Degree
    chosen: tuple[int, ...]
    area: bool
    mask: NDArray[np.bool_]
    decided: bool
    evidence: Evidence
    candidates: tuple[Candidate, ...] = ()
