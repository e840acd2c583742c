"""Pixel motion between two small images, from camera pose and depth or by optical flow."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Depth, Frame, Intrinsics


@lru_cache(maxsize=8)
def _spread(height: int, width: int, rows: int, columns: int) -> NDArray[np.int32]:
    """Return the flat indices (rows, columns) of pixels distributed evenly over an image."""
    indices = (np.arange(rows) * height // rows)[:, None] * width + np.arange(columns) * width // columns
    return indices.astype(np.int32)


@dataclass(frozen=True)
class LowFrame:
    """A small copy of a frame: gray (h, w) uint8; source: its depth at full size or None; pose: 4x4 or None."""

    stamp_ns: int
    gray: NDArray[np.uint8]
    source: Depth | None
    intrinsics: Intrinsics | None
    pose: NDArray[np.float64] | None

    @cached_property
    def depth(self) -> NDArray[np.float32] | None:
        """Return (h, w) metres, or None."""
        return None if self.source is None else self.source.take(_spread(*self.source.shape, *self.gray.shape))

    def small(self) -> 'LowFrame':
        """Return the same with its depth at the small size only, to be stored for long."""
        return LowFrame(self.stamp_ns, self.gray, self.depth, self.intrinsics, self.pose)

    def depth_at(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `depth` at (n, m, 2) columns and rows, nearest neighbour, (n * m,); NaN outside of the image.

        This does not compute the depth of the other pixels, since only a few hundred points are needed in the newest
        image.
        """
        assert self.source is not None
        indices = _spread(*self.source.shape, *self.gray.shape)
        pixels = cv2.remap(indices, points, None, cv2.INTER_NEAREST, borderValue=-1).reshape(-1)  # type: ignore[call-overload]
        metres = self.source.take(pixels)
        metres[pixels < 0] = np.nan
        return metres


@lru_cache(maxsize=8)
def _scaled(k: Intrinsics, width: int, height: int) -> Intrinsics:
    """Return the same camera at another resolution."""
    return k.scaled(width, height)


MIN_FLOW_SIDE = 32  # rows and columns; OpenCV's flow writes out of bounds for wide images with fewer rows


def low_frame(frame: Frame, pose: NDArray[np.float64] | None, width: int) -> LowFrame:
    """Return the frame resized to `width` columns."""
    size = (width, max(MIN_FLOW_SIDE, round(width * frame.height / frame.width)))
    every = max(4 * frame.height // (5 * size[1]), 1)  # row stride of subsampling before the resize
    gray = cv2.cvtColor(frame.rgb[::every], cv2.COLOR_RGB2GRAY)
    while gray.shape[1] >= 2 * size[0]:  # average pairs of columns
        gray = cv2.resize(gray, (gray.shape[1] // 2, gray.shape[0]), interpolation=cv2.INTER_LINEAR)
    small = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if frame.depth is None or frame.intrinsics is None:
        return LowFrame(frame.stamp_ns, small, None, None, pose)
    return LowFrame(frame.stamp_ns, small, frame.depth, _scaled(frame.intrinsics, *size), pose)


HIDDEN = -1e4  # column and row of a pixel that was not visible in the other image


@lru_cache(maxsize=8)
def grid_of(height: int, width: int) -> NDArray[np.float32]:
    """Return (h, w, 2) float32 column and row of each pixel; read-only."""
    grid = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    grid.flags.writeable = False
    return grid


def picked(image: NDArray[Any], back: NDArray[np.float32]) -> NDArray[Any]:
    """Return the pixels of an image at `back` (h, w, 2), nearest neighbour; 0 outside of the image."""
    return np.asarray(cv2.remap(image, back, None, cv2.INTER_NEAREST))  # type: ignore[call-overload]


_OWN = threading.local()


def _flow(current: NDArray[np.uint8], key: NDArray[np.uint8], start: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the flow (h, w, 2), with `start` as initial value, by the DISOpticalFlow object of this thread.

    The object keeps its buffers between images; creating it again costs a tenth of the time. An initial value is always
    given, because otherwise it would use the contents of its buffers.
    """
    if not hasattr(_OWN, 'dis'):
        _OWN.dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    return np.asarray(_OWN.dis.calc(current, key, start), np.float32)


def flow_back(
    current: NDArray[np.uint8], key: NDArray[np.uint8], guess: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Return (h, w, 2), the position of each pixel of `current` in `key` (DIS flow, Kroeger et al. 2016).

    guess: the result for a slightly earlier image, the initial value of the search.
    """
    grid = grid_of(*current.shape)
    if current.shape != key.shape:
        return grid
    start = np.zeros_like(grid) if guess is None or guess.shape != grid.shape else guess - grid
    return grid + _flow(current, key, start)


def pose_back(current: LowFrame, key: LowFrame) -> NDArray[np.float32] | None:
    """Return (h, w, 2), the position of each pixel of `current` in `key` from depth and both poses, or None if unknown.

    Pixels that were occluded in `key` have positions outside of the image.
    """
    if current.pose is None or key.pose is None or current.depth is None or key.depth is None:
        return None
    k = current.intrinsics
    if k is None or key.intrinsics is None or current.gray.shape != key.gray.shape:
        return None
    known = np.isfinite(current.depth) & (current.depth > 0)
    if np.count_nonzero(known) < 0.3 * known.size:
        return None
    z = np.where(known, current.depth, np.float32(0))
    for _ in range(3):  # fill holes with the depth of the background around them
        z = np.where(z > 0, z, cv2.dilate(z, np.ones((9, 9), np.uint8)))
    z = np.where(z > 0, z, np.float32(np.median(current.depth[known])))
    grid = grid_of(*z.shape)
    points = np.dstack([(grid[..., 0] - k.cx) / k.fx * z, (grid[..., 1] - k.cy) / k.fy * z, z]).reshape(-1, 3)
    relative = np.linalg.inv(key.pose) @ current.pose
    points = points @ relative[:3, :3].T + relative[:3, 3]
    depth = points[:, 2].reshape(z.shape)
    ahead = np.maximum(depth, 1e-3)
    u = points[:, 0].reshape(z.shape) / ahead * key.intrinsics.fx + key.intrinsics.cx
    v = points[:, 1].reshape(z.shape) / ahead * key.intrinsics.fy + key.intrinsics.cy
    back = np.dstack([u, v]).clip(HIDDEN + 1, 1e4).astype(np.float32)
    seen = picked(key.depth, back)
    hidden = known & np.isfinite(seen) & (seen > 0) & (depth > seen * 1.05 + 0.03)
    back[hidden | (depth <= 1e-3)] = HIDDEN
    return np.asarray(back, np.float32)


def moved_image(key: NDArray[np.uint8], back: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the new image as predicted from the key image and the motion; the border is replicated."""
    return np.asarray(cv2.remap(key, back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)  # type: ignore[call-overload]


STEPS = 3  # iterations; each reduces the error to the variation of the motion between neighbouring pixels
AROUND = (31, 31)  # window in small pixels that provides the motion of pixels with unknown motion
ROW = 256  # points per row; OpenCV's images have fewer than 32768 columns


def in_rows(points: NDArray[Any]) -> NDArray[np.float32]:
    """Return (N, 2) points as an image (n, ROW, 2), padded with zeros, as OpenCV expects."""
    rows = np.zeros((-(-len(points) // ROW) * ROW, 2), np.float32)
    rows[: len(points)] = points
    return rows.reshape(-1, ROW, 2)


def forward(points: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the new positions of points (n, m, 2), given the previous position `back` (h, w, 2) of each pixel."""
    if not len(points):
        return points
    shift = back - grid_of(*back.shape[:2])
    if back.min() <= HIDDEN:
        known = (back[..., :1] > HIDDEN).astype(np.float32)
        near = cv2.blur(shift * known, AROUND) / np.maximum(cv2.blur(known, AROUND), 1e-6)[..., None]
        shift = np.where(known > 0, shift, near)
    gone = points
    for _ in range(STEPS):  # fixed-point iteration of the inverse map
        gone = points - cv2.remap(shift, gone, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(gone, np.float32)


PLAIN = 3.0  # gray levels; the standard deviation of noise on a uniform wall


def similarity(current: NDArray[np.uint8], moved: NDArray[np.uint8], back: NDArray[np.float32]) -> float:
    """Return the similarity of the predicted and the new image where they overlap, in [-1, 1].

    This is the correlation of every second pixel, because exposure may change; images without contrast are compared by
    brightness. The result is 0 if less than a tenth of the new image is covered.
    """
    if current.shape != moved.shape:
        return 0.0
    h, w = current.shape
    half = (w // 2, h // 2)
    a, b, source = (cv2.resize(i, half, interpolation=cv2.INTER_NEAREST) for i in (current, moved, back))
    covered = np.asarray(cv2.inRange(source, (-1, -1), (w, h)), np.uint8)
    if cv2.countNonZero(covered) < 0.1 * covered.size:
        return 0.0
    (a_mean, a_spread), (b_mean, b_spread) = (np.ravel(cv2.meanStdDev(i, mask=covered)).tolist() for i in (a, b))
    if max(a_spread, b_spread) < PLAIN:
        return 1.0 if abs(a_mean - b_mean) < 40 else 0.0
    together = cv2.mean(cv2.multiply(a, b, dtype=cv2.CV_32F), covered)[0] - a_mean * b_mean
    return float(together / (a_spread * b_spread + 1e-6))
