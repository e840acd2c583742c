"""Promptable networks (the SAM family): masks for points and boxes, and automatic masks from a grid of points.

The automatic masks follow Segment Anything (Kirillov et al., arXiv 2304.02643, appendix B): a regular grid of points,
three masks each; those with a high predicted IoU and a stable outline are kept, without duplicates.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import ConversegError
from converseg_ros.core.mask import iou

GRID = 16  # points per side
MIN_SCORE = 0.7  # predicted IoU
MIN_STABILITY = 0.85  # IoU of the masks at logits -1 and +1 (segment-anything's stability score)
SAME = 0.7  # IoU from which two masks are duplicates (non-maximum suppression)
POINTS = 16  # decoded at once


class Promptable(Protocol):
    """A SAM-like network with a current image."""

    @property
    def name(self) -> str:
        """Return kind and weights."""
        ...

    def set_image(self, rgb: NDArray[np.uint8], size: tuple[int, int] | None = None) -> None:
        """Encode an (H, W, 3) image. size: (h, w) of the masks, None for that of the image."""
        ...

    def from_boxes(self, boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, M, h, w) and scores (N, M) of M masks for each of N boxes (x0, y0, x1, y1) in pixels."""
        ...

    def from_points(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (N, M, h, w) and scores (N, M) of M masks for each of N points (x, y) in pixels."""
        ...


def automatic_masks(
    network: Promptable, size: tuple[int, int], *, grid: int = GRID, min_score: float = MIN_SCORE
) -> list[tuple[float, NDArray[np.bool_]]]:
    """Return scores and masks from a grid of points on the current image, best first.

    size: (H, W) of the image. Raises ConversegError if a score is not finite.
    """
    columns = (np.arange(grid) + 0.5) / grid
    points = np.array([(x * size[1], y * size[0]) for y in columns for x in columns], np.float32)
    kept: list[tuple[float, NDArray[np.bool_]]] = []
    for start in range(0, len(points), POINTS):
        logits, scores = network.from_points(points[start : start + POINTS])
        check_scores(scores, network.name)
        for masks, values in zip(logits, scores):
            for mask, value in zip(masks, values):
                if value >= min_score and stability(mask) >= MIN_STABILITY and (mask > 0).any():
                    kept.append((float(value), mask > 0))
    return suppress(kept)


def check_scores(scores: NDArray[np.float32], name: str) -> None:
    """Raise ConversegError with the name of the network if one of its scores (of any shape) is not finite."""
    if not np.isfinite(scores).all():
        raise ConversegError('scores are not finite', where=name, do='fetch the weights again')


def stability(logits: NDArray[np.float32]) -> float:
    """Return the IoU of the masks of logits (H, W) at thresholds -1 and 1."""
    wide = int(np.count_nonzero(logits > -1))
    return int(np.count_nonzero(logits > 1)) / wide if wide else 0.0


def suppress(
    scored: list[tuple[float, NDArray[np.bool_]]], same: float = SAME
) -> list[tuple[float, NDArray[np.bool_]]]:
    """Return the (score, mask (h, w)) pairs, best first, without masks whose IoU with a better one exceeds `same`."""
    kept: list[tuple[float, NDArray[np.bool_]]] = []
    for score, mask in sorted(scored, key=lambda s: -s[0]):
        if all(iou(mask, other) <= same for _, other in kept):
            kept.append((score, mask))
    return kept
