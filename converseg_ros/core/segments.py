"""What a view is divided into: regions without names, and the contracts of the parts that find and name them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame

KINDS = ('object', 'surface', 'structure', 'agent')
"""Movable things; what carries things (tables, floors); walls, ceilings, built-in furniture; people, hands, animals."""


@dataclass(frozen=True)
class Segments:
    """S regions of one view, found without names.

    masks: (S, h, w) bool at the working resolution, which covers the same field as the view. size: (H, W) of the view.
    kinds: (S, 4) float32 probabilities of KINDS. quality: (S,) float32, the IoU that the proposer expects.
    flat: (S,) bool, members of the one flat cut, which do not overlap; counting and ranking run on them. parent: (S,)
    int, for a part the index of the flat region that it lies in, else -1. plane: (S,) int, the index of the support
    plane that a surface lies in, else -1. planes: (P, 4) float32 rows n, d with n.x + d = 0 in the camera's optical
    frame (metres), n of unit length and towards the camera; up: (3,) unit vector in the optical frame, or None where
    neither gravity nor a plane tells. unexplained: (h, w) float32 in 0..1, how likely a pixel belongs to an object that
    no region covers.
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
        """Check that shapes agree and that the flat cut has no overlaps."""
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
        if count and self.masks[self.flat].sum(0).max(initial=0) > 1:
            raise InputError('regions of the flat cut overlap', where='segments')

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self.masks)


@dataclass(frozen=True)
class NameScores:
    """How well each of N nouns fits each of S regions.

    log_odds: (S, N) float32 log-odds that "this region is a NOUN" is true; nouns are not exclusive (a mug is a cup).
    known: (N,) bool, whether the namer knows the noun itself; else the scores come from nouns of similar meaning.
    best: for each region, the noun that a person would say, with its log-odds.
    """

    nouns: tuple[str, ...]
    log_odds: NDArray[np.float32]
    known: NDArray[np.bool_]
    best: tuple[tuple[str, float], ...] = ()


class SegmentProposer(Protocol):
    """Finds regions; other models (SAM 2) can take its place."""

    def propose(self, view: Frame) -> Segments:
        """Return the regions of a view; RGB alone is enough, depth and intrinsics are used where they are there."""
        ...


class Namer(Protocol):
    """Names regions; other models (SigLIP 2, CLIP) can take its place."""

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        """Return the log-odds of each noun for each region; nouns may be any noun phrase."""
        ...
