"""The result of executing a program: the selected regions or area, its certainty, and the reasons as text."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.core.errors import InputError
from converseg_ros.core.status import Status
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.steady import Weighed


@dataclass(frozen=True)
class Options:
    """Thresholds of the decision; all are probabilities or shares of the best.

    present: probability of the best region above which something is seen; absent: below which nothing is. least:
    minimum probability of a region in the mask; between least and absent the mask shows the regions that would be meant
    if something was there. share: of the best, for another member of "all". sure: of the selected region against the
    next, below which both are named. recall: for safety, every region with at least `recall_share` of the best is part
    of the answer if the best has `recall_least`; otherwise there is none. Unexplained parts of the view are unknown.
    belief: what earlier key frames say about a standing instruction, moved to this view (facts/execution/steady.py); it
    is not used for safety. trust: probability that the conditions of the program are meant; the name of the target is
    trusted anyway, because it is copied from the text.
    """

    present: float = 0.5
    absent: float = 0.15
    least: float = 0.04
    share: float = 0.5
    sure: float = 0.7
    recall: bool = False
    recall_least: float = 0.08
    recall_share: float = 0.2
    unexplained: float = 0.01
    belief: Belief | None = field(default=None, compare=False)
    trust: float = 1.0

    def __post_init__(self) -> None:
        """Validate the order of the thresholds."""
        if not 0 <= self.absent <= self.present <= 1 or not 0 < self.share <= 1 or not 0.5 <= self.sure <= 1:
            raise InputError('thresholds are out of order', where='executor', do='use 0 <= absent <= present <= 1')


@dataclass(frozen=True)
class Literal:
    """One condition of a program: its text, the degree of the best region, and the degree of each region.

    reached: degree of the best region for this condition and all before it. main: whether it is a condition of the
    target itself, not of an anchor.
    """

    text: str
    best: float
    reached: float
    degrees: NDArray[np.float64]
    main: bool = True
    noun: str = ''


@dataclass(frozen=True)
class Candidate:
    """A candidate region: its index, its probability, and its degree for each condition."""

    index: int
    p: float
    counted: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Evidence:
    """The evidence that a target exists, and that the mask is right.

    noisy_or: probability of any region, assuming independence. best: that of the best region. weakest: minimum over all
    conditions of the degree of the best region for that condition. in_vocabulary: whether all nouns are known.
    unexplained: share of the view with objects that no region covers. quality: mean IoU that the proposer expects of
    the selected regions, or the certainty of the area. lead: p / (p + q) for the last selected region, of probability
    p, and the next one, of probability q; 0.5 for an area. agreement: probability of the best region for all conditions
    of the target, relative to the product of those of the best region for each; 1 if it has only one. named: degree of
    the best region for the name of the target (the least if there are several), 0.5 without a name.
    """

    noisy_or: float
    best: float
    weakest: float
    in_vocabulary: bool
    unexplained: float
    literals: tuple[Literal, ...] = ()
    quality: float = 0.0
    lead: float = 0.5
    agreement: float = 1.0
    named: float = 0.5


@dataclass(frozen=True, eq=False)
class Answer:
    """The meaning of a program in a view.

    status: a proposal; the calibrated models may change OK, LOW_CONFIDENCE and NO_TARGET, but not to OK if `doubtful`:
    something else than the certainty of the regions speaks against them, such as missing facts (`decided` is false).
    chosen: indices of regions, the most certain first. area: whether the mask is an area (free space, a grip) instead
    of regions; measured: whether depth shows that area. mask: (h, w) at the working resolution. reason: of `status`.
    none: the reason if the existence model finds that nothing fits. unsure: the reason if it finds that something
    might, which is true beside the mask. weighed: the regions under the belief about a standing instruction, or None.
    unknown: for safety, whether a target could be in what is not recognised or not measured, so that the model may not
    find that there is none.
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
    none: str = ''
    unsure: str = ''
    measured: bool = False
    weighed: Weighed | None = None
    unknown: bool = False
    doubtful: bool = False
