"""Full-size masks moved by the motion of a small image, at the cost of the boxes around them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.perception.motion import grid_of, picked

Span = tuple[int, int, int, int]  # y0, y1, x0, x1
MARGIN = 2  # small pixels around what moved; small masks are sharp to one
RELATIVE: int = getattr(cv2, 'WARP_RELATIVE_MAP', 0)  # from OpenCV 4.10 on; spares adding a large grid


def _box(small: NDArray[np.uint8]) -> Span | None:
    """Return the box around a small mask with a margin; None where it is empty."""
    x, y, w, h = cv2.boundingRect(small)
    if w == 0:
        return None
    height, width = small.shape
    return max(y - MARGIN, 0), min(y + h + MARGIN, height), max(x - MARGIN, 0), min(x + w + MARGIN, width)


def _moved_box(mask: NDArray[np.uint8], back: NDArray[np.float32], box: Span, full: Span) -> NDArray[np.uint8]:
    """Return a full-size box of a mask after a motion, given for a small image and its box."""
    height, width = mask.shape
    h, w = back.shape[:2]
    y0, y1, x0, x1 = box
    shift = back[y0:y1, x0:x1] - grid_of(h, w)[y0:y1, x0:x1]
    shift *= np.array([width / w, height / h], np.float32)
    shift += np.array([full[2], full[0]], np.float32)  # from the pixel of the box
    size = (full[3] - full[2], full[1] - full[0])
    source = np.asarray(cv2.resize(shift, size, interpolation=cv2.INTER_LINEAR), np.float32)
    if not RELATIVE:
        source += grid_of(height, width)[: size[1], : size[0]]
    return picked(mask, source, RELATIVE)


def warp_masks(
    masks: Sequence[NDArray[np.bool_]], smalls: Sequence[NDArray[np.uint8]], back: NDArray[np.float32]
) -> list[NDArray[np.bool_]]:
    """Return (H, W) masks moved by a small motion: back (h, w, 2) says where each pixel was (nearest neighbour).

    smalls: the masks already moved, at the motion's size; nothing is looked at outside the boxes around them.
    """
    h, w = back.shape[:2]
    out = []
    for mask, small in zip(masks, smalls):
        height, width = mask.shape
        moved = np.zeros((height, width), np.bool_)
        box = _box(small)
        if box is not None:
            y0, y1, x0, x1 = box
            full = (y0 * height // h, -(-y1 * height // h), x0 * width // w, -(-x1 * width // w))
            inside = _moved_box(mask.view(np.uint8), back, box, full)
            moved[full[0] : full[1], full[2] : full[3]] = inside.view(np.bool_)
        out.append(moved)
    return out
