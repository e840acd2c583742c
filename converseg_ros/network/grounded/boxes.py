"""Boxes for noun phrases, and the interface of a grounder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import Box, box_iou

SAME = 0.7  # intersection over union from which two boxes of a phrase are duplicates
MAX_BOXES = 16  # per phrase
MIN_BOX_SIDE = 2  # pixels per side


@dataclass(frozen=True, slots=True)
class Found:
    """A box in integer pixels inside the image, and its score in 0..1, which is not a probability."""

    box: Box
    score: float


class Grounder(Protocol):
    """Finds noun phrases in an image."""

    @property
    def name(self) -> str:
        """Return a description for messages."""
        ...

    def find(self, rgb: NDArray[np.uint8], phrases: Sequence[str]) -> dict[str, list[Found]]:
        """Return the boxes of each phrase in an (H, W, 3) image, best first; [] if it is not found.

        Raises ConversegError if there is no answer this time.
        """
        ...


def best_boxes(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], size: tuple[int, int], threshold: float
) -> list[Found]:
    """Return the best of (N, 4) boxes in pixels with (N,) scores, without duplicates.

    size: (H, W). Boxes that are not finite, or outside of the image, are dropped; at most MAX_BOXES remain.
    """
    usable = np.isfinite(boxes).all(1) & np.isfinite(scores) & (scores >= threshold)
    order = np.flatnonzero(usable)[np.argsort(-scores[usable], kind='stable')]
    kept: list[Found] = []
    for i in order:
        if len(kept) == MAX_BOXES:
            break
        box = inside(boxes[i], size)
        if box is not None and all(box_iou(box, other.box) <= SAME for other in kept):
            kept.append(Found(box, float(min(max(scores[i], 0.0), 1.0))))
    return kept


def inside(box: NDArray[np.floating], size: tuple[int, int]) -> Box | None:
    """Return a box as integer pixels inside an image of size (H, W), or None if it is outside."""
    if not np.isfinite(box).all():
        return None
    x0, y0 = max(0, round(float(box[0]))), max(0, round(float(box[1])))
    x1, y1 = min(size[1], round(float(box[2]))), min(size[0], round(float(box[3])))
    return Box(x0, y0, x1, y1) if x1 - x0 >= MIN_BOX_SIDE and y1 - y0 >= MIN_BOX_SIDE else None
