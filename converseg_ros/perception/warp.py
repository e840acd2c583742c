"""Full-size masks moved by the motion of a small image: their outlines move, and are filled where they come to lie."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import Box
from converseg_ros.perception.motion import HIDDEN, grid_of

MARGIN = 2  # small pixels around what moved; small masks are sharp to one
STEPS = 3  # towards where a point has gone; each leaves of the error what the motion changes from pixel to pixel
AROUND = (31, 31)  # small pixels, whose motion those take that nothing is known of
CELL = np.ones((3, 3), np.uint8)
ROW = 256  # points; OpenCV's images have less than 32768 columns


class Outlines:
    """The borders of the masks of one image, which belong to the masks, so that filling them gives these back."""

    def __init__(self, masks: Sequence[NDArray[np.bool_]] = ()) -> None:
        """Follow the borders of (H, W) masks, holes included."""
        self._shapes = [mask.shape for mask in masks]
        found = [_borders(mask) for mask in masks]
        borders = [border for some in found for border in some]
        ends = np.cumsum([0, *map(len, borders)]).tolist()
        points = np.zeros((-(-ends[-1] // ROW) * ROW, 2), np.float32)
        if borders:
            np.concatenate(borders, out=points[: ends[-1]])
        self._points = points.reshape(-1, ROW, 2)
        spans = list(pairwise(ends))
        counts = np.cumsum([0, *map(len, found)]).tolist()
        self._spans = [spans[a:b] for a, b in pairwise(counts)]  # of each mask's borders among the points

    def moved(
        self, smalls: Sequence[NDArray[np.uint8]], back: NDArray[np.float32]
    ) -> list[tuple[NDArray[np.bool_], Box]]:
        """Return the (H, W) masks after a small motion, and their boxes: back (h, w, 2) says where each pixel was.

        smalls: the masks already moved, at the motion's size. A mask has nothing outside its small one, grown by a
        pixel: what has come before a thing since is no part of it, though its outline goes around both.
        """
        if not len(self._points):
            return [(np.zeros(shape, np.bool_), Box(0, 0, 0, 0)) for shape in self._shapes]
        height, width = self._shapes[0]
        sx, sy = width / back.shape[1], height / back.shape[0]
        gone = _forward(_scaled(self._points, 1 / sx, 1 / sy), back)
        points = np.rint(_scaled(gone, sx, sy)).astype(np.int32).reshape(-1, 2)
        return [
            _filled(shape, [points[a:b] for a, b in spans], small)
            for shape, spans, small in zip(self._shapes, self._spans, smalls)
        ]


def _borders(mask: NDArray[np.bool_]) -> list[NDArray[np.float32]]:
    """Return the column and row (N, 2) of each border's pixels, in order along it."""
    borders, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(border, np.float32).reshape(-1, 2) for border in borders]


def _scaled(points: NDArray[np.float32], sx: float, sy: float) -> NDArray[np.float32]:
    """Return the points (n, m, 2) of an image in the same one at another size; pixel centres are at integers."""
    return np.asarray(cv2.transform(points, np.array([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2]])), np.float32)


def _forward(points: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return where points (n, m, 2) have gone, if `back` (h, w, 2) says where each pixel came from."""
    shift = back - grid_of(*back.shape[:2])
    if back.min() <= HIDDEN:
        known = (back[..., :1] > HIDDEN).astype(np.float32)
        near = cv2.blur(shift * known, AROUND) / np.maximum(cv2.blur(known, AROUND), 1e-6)[..., None]
        shift = np.where(known > 0, shift, near)
    gone = points
    for _ in range(STEPS):  # it came from `points` if it is as far from there as the motion says where it is
        gone = points - cv2.remap(shift, gone, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(gone, np.float32)


def _filled(
    shape: tuple[int, ...], borders: list[NDArray[np.int32]], small: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], Box]:
    """Return the (H, W) mask of its borders, where the small one allows it, and its box."""
    mask = np.zeros(shape, np.bool_)
    x, y, columns, rows = cv2.boundingRect(small)
    if not borders or not columns:
        return mask, Box(0, 0, 0, 0)
    (h, w), (height, width) = small.shape, shape
    y0, y1, x0, x1 = max(y - MARGIN, 0), min(y + rows + MARGIN, h), max(x - MARGIN, 0), min(x + columns + MARGIN, w)
    top, bottom, left, right = y0 * height // h, -(-y1 * height // h), x0 * width // w, -(-x1 * width // w)
    inside = mask[top:bottom, left:right].view(np.uint8)
    cv2.fillPoly(inside, borders, 1, offset=(-left, -top))
    allowed = cv2.dilate(small[y0:y1, x0:x1], CELL)
    allowed = cv2.resize(allowed, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)  # 1 from a half on
    cv2.bitwise_and(inside, allowed, inside)
    x, y, columns, rows = cv2.boundingRect(inside)
    x, y = (x + left, y + top) if columns else (0, 0)
    return mask, Box(x, y, x + columns, y + rows)
