"""Full-size masks moved by the motion of a small image, at the cost of the boxes around them."""

from collections.abc import Sequence
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.perception.motion import grid_of

Span = tuple[int, int, int, int]  # y0, y1, x0, x1
MARGIN = 2  # small pixels around what moved; small masks are sharp to one


def _box(small: NDArray[np.uint8]) -> Span | None:
    """Return the box around a small mask with a margin; None where it is empty."""
    x, y, w, h = cv2.boundingRect(small)
    if w == 0:
        return None
    height, width = small.shape
    return max(y - MARGIN, 0), min(y + h + MARGIN, height), max(x - MARGIN, 0), min(x + w + MARGIN, width)


def _sources(back: NDArray[np.float32], box: Span, full: Span, height: int, width: int) -> NDArray[np.int16]:
    """Return (h, w, 2) int16: the pixel of the old image for each pixel of a full-size box.

    Shifts are interpolated in fixed point, with as many bits for fractions as leave a shift out of the image possible.
    """
    h, w = back.shape[:2]
    y0, y1, x0, x1 = box
    bits = max(0, 14 - math.ceil(math.log2(max(height, width))))
    most = float(2**15 // 2**bits - 1)
    shift = back[y0:y1, x0:x1] - grid_of(h, w)[y0:y1, x0:x1]
    shift *= np.array([width / w, height / h], np.float32)
    np.clip(shift, -most, most, out=shift)
    shift *= np.float32(2**bits)
    size = (full[3] - full[2], full[1] - full[0])
    out = np.asarray(cv2.resize(np.rint(shift).astype(np.int16), size, interpolation=cv2.INTER_LINEAR), np.int16)
    if bits:
        half = np.full(4, 2 ** (bits - 1), np.float64)
        out = np.asarray(cv2.add(out, half), np.int16)  # saturates, so that far stays far
        out >>= bits
    out[..., 0] += np.arange(full[2], full[3], dtype=np.int16)
    out[..., 1] += np.arange(full[0], full[1], dtype=np.int16)[:, None]
    return out


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
            source = _sources(back, box, full, height, width)
            none = np.empty(0, np.uint16)  # nearest neighbours need no fractions
            part = cv2.remap(mask.view(np.uint8), source, none, cv2.INTER_NEAREST)
            moved[full[0] : full[1], full[2] : full[3]] = np.asarray(part, np.uint8).view(np.bool_)
        out.append(moved)
    return out
