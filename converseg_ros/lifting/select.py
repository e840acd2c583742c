"""Selection of the pixels of a mask whose depth belongs to the object: no flying pixels, no edge bleed, no outliers."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import Box
from converseg_ros.lifting.depth import FAR, DepthScene, square


def _ranges(z: NDArray[np.float32], core: NDArray[np.uint8], size: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the minimum and maximum z of core pixels in a window of `size`; (FAR, 0) if there is none."""
    low, high = np.full_like(z, FAR), np.zeros_like(z)
    cv2.copyTo(z, core, low)
    cv2.copyTo(z, core, high)
    return cv2.erode(low, square(size)), cv2.dilate(high, square(size))


def _large_parts(core: NDArray[np.uint8], least: float) -> NDArray[np.uint8]:
    """Return `core` without connected components of fewer than `least` pixels."""
    # without statistics, which take four times as long and are seldom needed; GRANA is OpenCV's fastest algorithm
    count, labels = cv2.connectedComponentsWithAlgorithm(core, 8, cv2.CV_32S, cv2.CCL_GRANA)
    if count <= 2:
        return core
    area = np.bincount(labels.ravel(), minlength=count)
    area[0] = 0
    keep = (area >= max(least, 1)).astype(np.uint8)
    if not keep.any():
        keep[int(area.argmax())] = 1
    return keep.take(np.asarray(labels, np.int32))  # half the time of indexing


def select_pixels(scene: DepthScene, mask: NDArray[np.bool_], box: Box) -> tuple[NDArray[np.uint8], int]:
    """Return the reliable pixels (h, w) of the mask in its `box`, and the number of its pixels with depth.

    Away from depth discontinuities the mask is unchanged. Within `edge_px` of one, a pixel must agree in depth with the
    interior of the mask nearby, which removes pixels of the neighbouring surface and flying pixels. Small separate
    components (`min_part`) are outliers, for example background in the mask.
    """
    options = scene.options
    inner = box.cells
    m: NDArray[np.uint8] = mask[inner].view(np.uint8) & scene.valid[inner]
    with_depth = cv2.countNonZero(m)
    if with_depth == 0:
        return m, 0
    jump, flying = scene.jumps(box)
    if options.edge_px > 0:
        z = np.ascontiguousarray(scene.z[inner])
        near_edge = jump
        if options.edge_px > 1:
            near_edge = np.asarray(cv2.dilate(jump, square(2 * options.edge_px - 1)), np.uint8)
        core = m & (near_edge ^ np.uint8(1))
        # background in the mask is a thin seam; opening removes it from the interior
        core = np.asarray(cv2.morphologyEx(core, cv2.MORPH_OPEN, square(3)), np.uint8)
        core = _large_parts(core, options.min_part * with_depth)
        # only pixels that are not clearly inside need a second check
        doubtful = np.flatnonzero((m ^ core).view(np.bool_))
        low, high = (a.ravel().take(doubtful) for a in _ranges(z, core, 2 * options.edge_px + 3))
        z = z.ravel().take(doubtful)
        slack = z * np.float32(options.edge_jump)
        stays = (z >= low - slack) & (z <= high + slack)
        # a region that is too thin to have an interior (a fork, a handle) is kept if it is in front of its surroundings
        stays |= (z - scene.nearest(box).ravel().take(doubtful) <= slack) & (high == 0)
        stays &= flying.ravel().take(doubtful) == 0
        m = core
        m.ravel()[doubtful] = stays
    return _large_parts(m, options.min_part * with_depth), with_depth
