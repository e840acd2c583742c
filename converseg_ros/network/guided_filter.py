"""Outlines that follow the edges of the image, for networks with coarse masks.

A fast guided filter (He and Sun, arXiv 1505.00996): in a window of a few mask cells the probability is fitted as a
linear function of the grey value of the image. It is fitted at one sample per cell and applied at every pixel.
"""

from collections.abc import Sequence
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import mask_box

RADIUS = 2  # of a window, in mask cells
MIN_EDGE_VARIANCE = 2e-4  # variance of grey values (0..1) below which a window has no edge
MARGIN = 2 * RADIUS + 3  # mask cells beyond which a mask has no effect: two windows, and one for each interpolation
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
    shape = rgb.shape[:2]
    if masks[0].shape == shape:
        return list(masks)
    return [_at_full_size(mask, rgb) for mask in masks]


def _at_full_size(mask: NDArray[np.bool_], rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return an (h, w) mask at the size of an (H, W, 3) image.

    Only the surroundings of the mask are computed, unless the cells are not square: then the filter has other cells.
    """
    height, width, _ = rgb.shape
    h, w = mask.shape
    out = np.zeros((height, width), bool)
    x0, y0, x1, y1 = mask_box(mask)
    if not x1:
        return out
    cell = max(height / h, width / w)
    if height * w != width * h:
        x0, y0, x1, y1 = 0, 0, w, h
    rows, large_rows = _window(y0, y1, h, height)
    columns, large_columns = _window(x0, x1, w, width)
    part, image = mask[rows, columns], rgb[large_rows, large_columns]
    size = image.shape[1], image.shape[0]
    smooth = np.asarray(cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_LINEAR), np.float32)
    out[large_rows, large_columns] = (follow_image(smooth[None], image, cell)[0] if cell > 1 else smooth) > 0.5
    return out


def _window(low: int, high: int, cells: int, pixels: int) -> tuple[slice, slice]:
    """Return the cells low to high of an axis and a margin, and the same part of the axis in pixels.

    Both start and end at the same place, so that interpolation gives the same values as on the whole axis.
    """
    common = math.gcd(cells, pixels)
    cells, pixels = cells // common, pixels // common  # the smallest numbers with the same ratio
    first, last = max(0, (low - MARGIN) // cells), min(common, -(-(high + MARGIN) // cells))
    return slice(first * cells, last * cells), slice(first * pixels, last * pixels)
