"""Which pixels of a mask carry depth of the thing itself: no flying pixels, no edge bleed, no stray parts."""

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import Box
from converseg_ros.lifting.depth import DepthScene

FAR = np.float32(1e6)


def _ranges(z: NDArray[np.float32], core: NDArray[np.uint8], size: int) -> tuple[NDArray, NDArray]:
    """Return the lowest and highest z of core pixels in a window of `size`; (FAR, 0) where there is none."""
    kernel = np.ones((size, size), np.uint8)
    low, high = np.full_like(z, FAR), np.zeros_like(z)
    cv2.copyTo(z, core, low)
    cv2.copyTo(z, core, high)
    return cv2.erode(low, kernel), cv2.dilate(high, kernel)


def _large_parts(core: NDArray[np.uint8], least: float) -> NDArray[np.uint8]:
    """Return `core` without its connected parts of fewer than `least` pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8, ltype=cv2.CV_16U)
    if count <= 2:
        return core
    keep = (stats[:, cv2.CC_STAT_AREA] >= least).astype(np.uint8)
    keep[0] = 0
    if not keep.any():
        keep[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())] = 1
    return np.asarray(keep[labels])


def select_pixels(
    scene: DepthScene, mask: NDArray[np.bool_], box: Box
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return rows and columns of the mask's trustworthy pixels, and how many of its pixels have any depth.

    Away from depth discontinuities the mask is kept as it is. Within `edge_px` of one, a pixel must agree in depth
    with the inside of the mask nearby, which drops both what bled in from the neighbour and what flies in between.
    Parts that hang on by nothing and are small (`min_part`) are outliers, such as background under a leaking mask.
    """
    options = scene.options
    inner = np.s_[box.y0 : box.y1, box.x0 : box.x1]
    m = mask[inner].view(np.uint8) & scene.valid[inner]
    with_depth = cv2.countNonZero(m)
    if with_depth == 0:
        return np.zeros(0, np.intp), np.zeros(0, np.intp), 0
    jump, flying = scene.jumps(box)
    if options.edge_px > 0:
        z = scene.z[inner]
        near_edge = jump
        if options.edge_px > 1:
            near_edge = np.asarray(cv2.dilate(jump, np.ones((2 * options.edge_px - 1,) * 2, np.uint8)), np.uint8)
        core = m & (near_edge ^ 1)
        # what a leaking mask shows of the background is a thin seam; opening takes it out of the inside
        core = np.asarray(cv2.morphologyEx(core, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
        core = _large_parts(core, options.min_part * with_depth)
        low, high = _ranges(z, core, 2 * options.edge_px + 3)
        slack = z * np.float32(options.edge_jump)
        agrees = (z >= low - slack) & (z <= high + slack)
        # what is too thin to have an inside (a fork, a handle) stays if it is the front of its surroundings
        front = (z - scene.nearest(box) <= slack) & (high == 0)
        m &= (agrees | front).view(np.uint8) & (flying ^ 1)
    m = _large_parts(m, options.min_part * with_depth)
    rows, columns = np.nonzero(m)
    rows += box.y0
    columns += box.x0
    return rows, columns, with_depth
