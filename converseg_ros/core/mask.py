"""Binary masks: bounding boxes, other resolutions, and COCO run-length encoding."""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError


class Box(NamedTuple):
    """Pixels x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def cells(self) -> tuple[slice, slice]:
        """Return the index (rows, columns) of the pixels in an array (H, W)."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)


NO_BOX = Box(0, 0, 0, 0)  # the box of an empty mask


def mask_box(mask: NDArray[np.bool_]) -> Box:
    """Return the tightest box around a (H, W) mask; all zeros for an empty one."""
    import cv2

    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask, bool).view(np.uint8))
    return Box(x, y, x + width, y + height)


def mask_area(mask: NDArray[np.bool_], box: Box) -> int:
    """Return the number of pixels of a (H, W) mask whose box is known."""
    import cv2

    inside = np.ascontiguousarray(mask, bool).view(np.uint8)[box.cells]
    return cv2.countNonZero(inside) if box.x1 else 0


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> tuple[int, int]:
    """Return intersection and union of two (H, W) masks in pixels; raise InputError if their sizes differ."""
    if a.shape != b.shape:
        raise InputError(f'the mask is {a.shape}, the truth {b.shape}', where='metrics')
    intersection = int(np.count_nonzero(a & b))
    return intersection, int(np.count_nonzero(a)) + int(np.count_nonzero(b)) - intersection


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return intersection over union of two masks (H, W); 1 if both are empty."""
    intersection, union = overlap(a, b)
    return intersection / union if union else 1.0


def box_iou(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """Return intersection over union of two boxes (x0, y0, x1, y1); 0 if both are empty."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / both if both > 0 else 0.0


def resize_mask(mask: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.bool_]:
    """Return an (h, w) mask at another resolution (rows, columns), by the nearest pixel."""
    import cv2

    small = np.ascontiguousarray(mask, bool).view(np.uint8)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_NEAREST)).view(bool)


@lru_cache(maxsize=12)
def plain(shape: tuple[int, ...], value: int) -> NDArray[np.uint8]:
    """Return a cached, read-only image with one value everywhere."""
    image = np.full(shape, value, np.uint8)
    image.flags.writeable = False
    return image


def encode_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return COCO's uncompressed RLE {'size': [H, W], 'counts': [...]}: column-major runs that start with zeros."""
    import cv2

    mask = np.ascontiguousarray(mask, bool)
    height, width = mask.shape
    box = mask_box(mask)
    if not box.x1:
        return {'size': [height, width], 'counts': [mask.size]}
    columns = cv2.transpose(mask.view(np.uint8)[:, box.x0 : box.x1])  # the others are one run before and one after
    flat = columns.ravel()
    first, last = box.x0 * height, box.x1 * height
    changes = first + 1 + np.flatnonzero(flat[1:] != flat[:-1])
    before = [first] if flat[0] else []
    after = [last] if flat[-1] and last < mask.size else []
    runs = np.diff(np.concatenate(([0], before, changes, after, [mask.size])))
    return {'size': [height, width], 'counts': runs.astype(int).tolist()}


def decode_rle(rle: dict[str, Any]) -> NDArray[np.bool_]:
    """Return the (H, W) mask of COCO's uncompressed RLE; raise InputError if the runs do not fill the image."""
    height, width = rle['size']
    counts = np.asarray(rle['counts'], np.int64)
    if counts.ndim != 1 or (counts < 0).any() or int(counts.sum()) != height * width:
        raise InputError(f'the runs do not add up to {height}x{width} pixels', where='RLE')
    values = np.arange(counts.size) % 2 == 1
    return np.repeat(values, counts).reshape((height, width), order='F')
