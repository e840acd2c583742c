"""Warp full-size masks by the motion of a small image: the contours are moved and filled."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import NO_BOX, Box
from converseg_ros.perception.motion import in_rows

MARGIN = 2  # margin in small pixels; small masks are accurate to one pixel
CELL = np.ones((3, 3), np.uint8)


class Outlines:
    """The contours of the masks of one image; contour pixels belong to the masks, so that filling restores them.

    points: (n, m, 2) float32, column and row of the contour pixels in the small image for motion estimation.
    """

    def __init__(self, masks: Sequence[NDArray[np.bool_]] = (), small: tuple[int, int] = (1, 1)) -> None:
        """Find the contours of (H, W) masks, including holes; small: height and width of the small image."""
        self._shapes = [mask.shape for mask in masks]
        height, width = self._shapes[0] if masks else small
        self._scale = width / small[1], height / small[0]
        found = [_borders(mask) for mask in masks]
        borders = [border for some in found for border in some]
        whole = in_rows(np.concatenate(borders) if borders else np.zeros((0, 2)))
        self.points = _scaled(whole, *(1 / s for s in self._scale)) if len(whole) else whole
        spans = list(pairwise(np.cumsum([0, *map(len, borders)]).tolist()))
        counts = np.cumsum([0, *map(len, found)]).tolist()
        self._spans = [spans[a:b] for a, b in pairwise(counts)]  # the range of points of each mask's contours

    def moved(
        self, smalls: Sequence[NDArray[np.uint8]], gone: NDArray[np.float32]
    ) -> list[tuple[NDArray[np.bool_], Box]]:
        """Return the (H, W) masks after a motion, and their boxes; gone: the new positions of `points`.

        smalls: the small masks after the motion. A mask is clipped to its small mask, dilated by a pixel: an object
        that has come in front of it is not part of the mask, although it is inside the contour.
        """
        if not len(gone):
            return [(np.zeros(shape, np.bool_), NO_BOX) for shape in self._shapes]
        points = np.rint(_scaled(gone, *self._scale)).astype(np.int32).reshape(-1, 2)
        return [
            _filled(shape, [points[a:b] for a, b in spans], small)
            for shape, spans, small in zip(self._shapes, self._spans, smalls)
        ]


def _borders(mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """Return the column and row (N, 2) of the vertices of each contour, in order."""
    borders, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [np.asarray(border, np.float32).reshape(-1, 2) for border in borders]


def _scaled(points: NDArray[np.float32], sx: float, sy: float) -> NDArray[np.float32]:
    """Return points (n, m, 2) of an image scaled to another size; pixel centres are at integers."""
    return np.asarray(cv2.transform(points, np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2]])), np.float32)


def _filled(
    shape: tuple[int, ...], borders: list[NDArray[np.int32]], small: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], Box]:
    """Return the (H, W) mask from its contours, clipped to the small mask, and its box."""
    mask = np.zeros(shape, np.bool_)
    x, y, columns, rows = cv2.boundingRect(small)
    if not borders or not columns:
        return mask, NO_BOX
    (h, w), (height, width) = small.shape, shape
    y0, y1, x0, x1 = max(y - MARGIN, 0), min(y + rows + MARGIN, h), max(x - MARGIN, 0), min(x + columns + MARGIN, w)
    top, bottom, left, right = y0 * height // h, -(-y1 * height // h), x0 * width // w, -(-x1 * width // w)
    inside = mask[top:bottom, left:right].view(np.uint8)
    cv2.fillPoly(inside, borders, 1, offset=(-left, -top))
    allowed = cv2.dilate(small[y0:y1, x0:x1], CELL)
    touched = cv2.resize(inside, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    if cv2.compare(touched, allowed, cv2.CMP_GT).any():  # rare: an object has come in front of it
        allowed = cv2.resize(allowed, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)  # 1 from one half
        cv2.bitwise_and(inside, allowed, inside)
    x, y, columns, rows = cv2.boundingRect(inside)
    x, y = (x + left, y + top) if columns else (0, 0)
    return mask, Box(x, y, x + columns, y + rows)
