"""Depth images: noise model, and per-frame computations that all regions share."""

from functools import cache, cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.mask import Box
from converseg_ros.lifting.options import LiftOptions

# limit of |x/z| of a ray; steeper rays (89 degrees off the axis) are not possible for a pinhole camera
MAX_SLOPE = 50.0
FAR = np.float32(1e6)  # unknown depth in minimum filters


def depth_sigma(z: NDArray[np.floating] | float) -> NDArray[np.floating]:
    """Return the axial noise in metres of a structured-light camera at depth z (Nguyen, Izadi, Lovell 2012)."""
    return np.asarray(0.0012 + 0.0019 * (np.asarray(z) - 0.4) ** 2)


@lru_cache(maxsize=8)
def ray_table(k: Intrinsics) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x/z of every column (W,) and y/z of every row (H,), float32; NaN beyond MAX_SLOPE."""
    with np.errstate(all='ignore'):
        rx = (np.arange(k.width, dtype=np.float64) - k.cx) / k.fx
        ry = (np.arange(k.height, dtype=np.float64) - k.cy) / k.fy
        rx[~(np.abs(rx) <= MAX_SLOPE)] = np.nan
        ry[~(np.abs(ry) <= MAX_SLOPE)] = np.nan
    rx32, ry32 = rx.astype(np.float32), ry.astype(np.float32)
    rx32.flags.writeable = ry32.flags.writeable = False
    return rx32, ry32


@lru_cache(maxsize=2)
def ray_maps(k: Intrinsics) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x/z and y/z of every pixel, (H * W,) float32 each: the values of `ray_table` for lookup by flat index."""
    rx, ry = ray_table(k)
    maps = np.tile(rx, k.height), np.repeat(ry, k.width)
    for table in maps:
        table.flags.writeable = False
    return maps


@cache
def square(size: int) -> NDArray[np.uint8]:
    """Return the (size, size) window of OpenCV's morphology."""
    return np.ones((size, size), np.uint8)


def flat_pixels(mask: NDArray[np.uint8], box: Box, width: int) -> NDArray[np.int64]:
    """Return the flat indices, in an image of `width`, of the ones in a contiguous crop (h, w) at `box`, ascending."""
    inside = np.flatnonzero(mask.view(np.bool_))  # nonzero of a flat bool array is ten times faster than in 2D
    rows = inside // mask.shape[1]
    rows *= width - mask.shape[1]
    inside += rows
    inside += box.y0 * width + box.x0
    return inside


def row_wise(planar: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (N, 3) of points given by coordinate (3, N), ten times as fast as a transposed copy."""
    if not planar.size:
        return np.zeros((0, 3), np.float32)
    return np.asarray(cv2.merge(list(planar)), np.float32).reshape(-1, 3)


class DepthScene:
    """The depth of one frame, cleaned once for all its regions.

    z: (H, W) float32 metres, 0 where unknown. valid: (H, W) uint8, 1 where z and the ray are valid.
    """

    def __init__(self, frame: Frame, options: LiftOptions) -> None:
        """Clean the depth of a frame that has depth and intrinsics."""
        if frame.depth is None or frame.intrinsics is None:
            raise InputError('the frame has no depth or no intrinsics', where='lifting')
        self.frame, self.options = frame, options
        self.rx, self.ry = ray_table(frame.intrinsics)
        self._depth: NDArray[np.float32] = np.ascontiguousarray(frame.depth)
        # inRange returns 0 for NaN and infinity, and is several times faster than comparisons and np.where
        self.valid = np.asarray(cv2.inRange(self._depth, options.min_depth, options.max_depth), np.uint8)
        self.valid &= np.uint8(1)
        if np.isnan(self.rx).any() or np.isnan(self.ry).any():
            self.valid &= np.isfinite(self.rx)[None, :].view(np.uint8) & np.isfinite(self.ry)[:, None].view(np.uint8)
        self.z = np.zeros_like(self._depth)
        cv2.copyTo(self._depth, self.valid, self.z)

    @cached_property
    def far(self) -> NDArray[np.float32]:
        """Return (H, W) depth in metres, FAR where unknown."""
        far = np.full_like(self._depth, FAR)
        cv2.copyTo(self._depth, self.valid, far)
        return far

    def jumps(self, box: Box) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return, for the pixels of `box`, 1 at depth discontinuities within 3x3, and 1 at flying pixels."""
        y0, y1 = max(box.y0 - 1, 0), min(box.y1 + 1, self.z.shape[0])
        x0, x1 = max(box.x0 - 1, 0), min(box.x1 + 1, self.z.shape[1])
        around = np.s_[y0:y1, x0:x1]
        inner = np.s_[box.y0 - y0 : box.y1 - y0, box.x0 - x0 : box.x1 - x0]
        high = np.asarray(cv2.dilate(self.z[around], square(3)), np.float32)[inner]
        low = np.asarray(cv2.erode(self.far[around], square(3)), np.float32)[inner]
        inner = box.cells
        z = self.z[inner]
        limit = z * np.float32(self.options.edge_jump)
        jump = np.asarray(cv2.compare(cv2.subtract(high, low), limit, cv2.CMP_GT), np.uint8) & self.valid[inner]
        limit *= np.float32(0.5)
        above = np.asarray(cv2.compare(cv2.subtract(z, low), limit, cv2.CMP_GT), np.uint8)
        below = np.asarray(cv2.compare(cv2.subtract(high, z), limit, cv2.CMP_GT), np.uint8)
        return jump, jump & above & below

    def nearest(self, box: Box) -> NDArray[np.float32]:
        """Return, for the pixels of `box`, the nearest depth of the crop within 5x5; FAR where nothing is known."""
        return np.asarray(cv2.erode(self.far[box.cells], square(5)))

    def planar(self, pixels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the points of valid pixels with flat indices, by coordinate (3, N), which is faster to use."""
        assert self.frame.intrinsics is not None
        rx, ry = ray_maps(self.frame.intrinsics)
        out = np.empty((3, pixels.size), np.float32)
        z = self.z.ravel().take(pixels, out=out[2])
        np.multiply(z, rx.take(pixels), out=out[0])
        np.multiply(z, ry.take(pixels), out=out[1])
        return out

    def points(self, pixels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the (N, 3) points of valid pixels with flat indices."""
        return row_wise(self.planar(pixels))
