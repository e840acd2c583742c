"""Outlines that follow the edges of the image, for networks with coarse masks.

A fast guided filter (He and Sun, arXiv 1505.00996): in a window of a few mask cells the probability is fitted as a
linear function of the grey value of the image. It is fitted at one sample per cell and applied at every pixel.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

RADIUS = 2  # of a window, in mask cells
MIN_EDGE_VARIANCE = 2e-4  # variance of grey values (0..1) below which a window has no edge
MIN_COMPONENT_SHARE = 0.1  # components smaller than this share of the largest are removed


def follow_image(probabilities: NDArray[np.float32], rgb: NDArray[np.uint8], cell: float) -> NDArray[np.float32]:
    """Return the (K, H, W) probabilities with the edges of an (H, W, 3) image; cell: pixels per mask cell."""
    height, width = rgb.shape[:2]
    size = (max(1, round(width / cell)), max(1, round(height / cell)))
    grey = np.divide(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 255, dtype=np.float32)
    guide = _shrink(grey, size)
    mean = _mean(guide)
    variance = _mean(guide * guide) - mean * mean + MIN_EDGE_VARIANCE
    out = np.empty_like(probabilities)
    for index, probability in enumerate(probabilities):
        small = _shrink(probability, size)
        level = _mean(small)
        slope = (_mean(guide * small) - mean * level) / variance
        steep, offset = (cv2.resize(_mean(x), (width, height)) for x in (slope, level - slope * mean))
        np.multiply(steep, grey, out=out[index])
        np.add(out[index], offset, out=out[index])
        np.clip(out[index], 0, 1, out=out[index])
    return out


def without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return an (H, W) mask without components that are small relative to its largest."""
    _, parts, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = statistics[1:, cv2.CC_STAT_AREA]
    out = mask.copy()
    for index in np.flatnonzero(areas < MIN_COMPONENT_SHARE * areas.max(initial=0)) + 1:
        x, y, w, h = statistics[index, :4]
        out[y : y + h, x : x + w][parts[y : y + h, x : x + w] == index] = False
    return out


def _shrink(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Average areas; size: (columns, rows)."""
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _mean(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the mean of each sample's window."""
    return np.asarray(cv2.blur(values, (2 * RADIUS + 1, 2 * RADIUS + 1)), np.float32)


def at_full_size(masks: Sequence[NDArray[np.bool_]], rgb: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """Return (h, w) masks at the size of an (H, W, 3) image, with outlines that follow its edges."""
    if not masks:
        return []
    height, width = rgb.shape[:2]
    h, w = masks[0].shape
    if (h, w) == (height, width):
        return list(masks)
    size = (width, height)
    smooth = np.empty((len(masks), height, width), np.float32)
    for mask, large in zip(masks, smooth):
        cv2.resize(mask.astype(np.float32), size, large, interpolation=cv2.INTER_LINEAR)
    cell = max(width / w, height / h)
    return [np.asarray(m) for m in (follow_image(smooth, rgb, cell) if cell > 1 else smooth) > 0.5]
