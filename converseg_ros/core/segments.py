"""The segments of a view, and the interfaces of the parts that propose and name them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame

KINDS = ('object', 'surface', 'structure', 'agent')
"""Movable objects; supporting surfaces (tables, floors); walls and built-in furniture; people, hands, animals."""


@dataclass(frozen=True)
class Segments:
    """S regions of one view, without names.

    Attributes:
        masks: (S, h, w) bool at the working resolution, which has the same field of view as the image.
        size: (H, W) of the view.
        kinds: (S, 4) float32 probabilities of KINDS.
        quality: (S,) float32, the IoU that the proposer predicts.
        flat: (S,) bool, members of the flat cut, which do not overlap; counting and ranking use them.
        parent: (S,) int, for a part the index of the flat region that contains it, else -1.
        plane: (S,) int, for a surface the index of its support plane, else -1.
        planes: (P, 4) float32 rows n, d with n.x + d = 0 in the optical frame (metres); n has unit length and points
            towards the camera.
        up: (3,) unit vector in the optical frame, or None if neither gravity nor a plane is known.
        unexplained: (h, w) float32 in 0..1, the probability that a pixel belongs to an object that no region covers.
    """

    masks: NDArray[np.bool_]
    size: tuple[int, int]
    kinds: NDArray[np.float32]
    quality: NDArray[np.float32]
    flat: NDArray[np.bool_]
    parent: NDArray[np.intp]
    plane: NDArray[np.intp]
    planes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    up: NDArray[np.float32] | None = None
    unexplained: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Validate that shapes agree and that the regions of the flat cut do not overlap."""
        if self.masks.dtype != np.bool_ or self.masks.ndim != 3:
            raise InputError(f'masks are {self.masks.dtype} {self.masks.shape}, not bool (S, h, w)', where='segments')
        count = len(self.masks)
        shapes = {
            'kinds': (self.kinds, (count, len(KINDS))),
            'quality': (self.quality, (count,)),
            'flat': (self.flat, (count,)),
            'parent': (self.parent, (count,)),
            'plane': (self.plane, (count,)),
        }
        for name, (array, shape) in shapes.items():
            if array.shape != shape:
                raise InputError(f'{name} has shape {array.shape}, not {shape}', where='segments')
        covered, total = np.zeros(self.masks.shape[1:], bool), 0
        for index in np.flatnonzero(self.flat):
            covered |= self.masks[index]
            total += int(np.count_nonzero(self.masks[index]))
        if total > np.count_nonzero(covered):
            raise InputError('regions of the flat cut overlap', where='segments')

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self.masks)


@dataclass(frozen=True)
class NameScores:
    """Scores of N nouns for S regions.

    Attributes:
        log_odds: (S, N) float32 log-odds that "this region is a NOUN"; nouns are not exclusive (a mug is a cup).
        known: (N,) bool, whether the noun is in the vocabulary of the namer; otherwise the scores come from similar
            nouns.
        best: for each region, the most natural noun with its log-odds.
    """

    nouns: tuple[str, ...]
    log_odds: NDArray[np.float32]
    known: NDArray[np.bool_]
    best: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Posterior:
    """Probabilities of exclusive nouns: each region is one of them or none of them.

    Attributes:
        nouns: K nouns with evidence.
        p: (S, K) float32 probabilities; a row sums to 1 minus the probability of none of them.
    """

    nouns: tuple[str, ...]
    p: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Validate the shape."""
        if self.p.ndim != 2 or self.p.shape[1] != len(self.nouns):
            raise InputError(f'{len(self.nouns)} nouns, probabilities {self.p.shape}', where='posterior')


class SegmentProposer(Protocol):
    """Interface of a part that proposes regions, for example SAM 2."""

    def propose(self, view: Frame) -> Segments:
        """Return the regions of a view; RGB is sufficient, depth and intrinsics are used if available."""
        ...


class Namer(Protocol):
    """Interface of a part that names regions, for example SigLIP 2 or CLIP."""

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        """Return the log-odds of each noun phrase for each region."""
        ...

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        """Return the probabilities of the exclusive nouns of this namer for each region."""
        ...
