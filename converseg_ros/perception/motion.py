"""How pixels moved between two small images: by camera pose and depth, or by optical flow."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame, Intrinsics


@dataclass(frozen=True, slots=True)
class LowFrame:
    """A small copy of a frame: gray (h, w) uint8, depth (h, w) float32 metres or None, pose 4x4 or None."""

    stamp_ns: int
    gray: NDArray[np.uint8]
    depth: NDArray[np.float32] | None
    intrinsics: Intrinsics | None
    pose: NDArray[np.float64] | None


def low_frame(frame: Frame, pose: NDArray[np.float64] | None, width: int) -> LowFrame:
    """Return the frame at `width` columns."""
    size = (width, max(16, round(width * frame.height / frame.width)))
    # resize first: a small image is cheaper to turn gray
    gray = cv2.cvtColor(cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    depth: NDArray[np.float32] | None = None
    intrinsics: Intrinsics | None = None
    if frame.depth is not None and frame.intrinsics is not None and pose is not None:
        depth = np.asarray(cv2.resize(frame.depth, size, interpolation=cv2.INTER_NEAREST), np.float32)
        intrinsics = frame.intrinsics.scaled(*size)
    return LowFrame(frame.stamp_ns, np.asarray(gray, np.uint8), depth, intrinsics, pose)


def _grid(height: int, width: int) -> NDArray[np.float32]:
    """Return (h, w, 2) float32 column and row of each pixel."""
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))


def flow_back(
    current: NDArray[np.uint8], key: NDArray[np.uint8], guess: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Return (h, w, 2) where each pixel of `current` was in `key` (DIS flow, Kroeger et al. 2016).

    guess: the result for an image shortly before, from which the search starts.
    """
    grid = _grid(*current.shape)
    if current.shape != key.shape:
        return grid
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    start = np.zeros_like(grid) if guess is None or guess.shape != grid.shape else guess - grid
    return np.asarray(grid + flow.calc(current, key, start), np.float32)


def pose_back(current: LowFrame, key: LowFrame) -> NDArray[np.float32] | None:
    """Return (h, w, 2) where each pixel of `current` was in `key`, by depth and both poses; None if those are unknown.

    Pixels that `key` could not see, because something stood before them, point out of the image.
    """
    if current.depth is None or key.depth is None or current.pose is None or key.pose is None:
        return None
    k = current.intrinsics
    if k is None or key.intrinsics is None or current.gray.shape != key.gray.shape:
        return None
    known = np.isfinite(current.depth) & (current.depth > 0)
    if np.count_nonzero(known) < 0.3 * known.size:
        return None
    z = np.where(known, current.depth, np.float32(0))
    for _ in range(3):  # holes take the depth of what is behind around them
        z = np.where(z > 0, z, cv2.dilate(z, np.ones((9, 9), np.uint8)))
    z = np.where(z > 0, z, np.float32(np.median(current.depth[known])))
    grid = _grid(*z.shape)
    points = np.dstack([(grid[..., 0] - k.cx) / k.fx * z, (grid[..., 1] - k.cy) / k.fy * z, z]).reshape(-1, 3)
    relative = np.linalg.inv(key.pose) @ current.pose
    points = points @ relative[:3, :3].T + relative[:3, 3]
    depth = points[:, 2].reshape(z.shape)
    ahead = np.maximum(depth, 1e-3)
    u = points[:, 0].reshape(z.shape) / ahead * key.intrinsics.fx + key.intrinsics.cx
    v = points[:, 1].reshape(z.shape) / ahead * key.intrinsics.fy + key.intrinsics.cy
    back = np.dstack([u, v]).clip(-1e4, 1e4).astype(np.float32)
    seen = cv2.remap(key.depth, back[..., 0], back[..., 1], cv2.INTER_NEAREST, borderValue=0)
    hidden = known & np.isfinite(seen) & (seen > 0) & (depth > seen * 1.05 + 0.03)
    back[hidden | (depth <= 1e-3)] = -1e4
    return np.asarray(back, np.float32)


def similarity(current: NDArray[np.uint8], key: NDArray[np.uint8], back: NDArray[np.float32]) -> float:
    """Return how alike the moved key image is to the new one where it covers it, in [-1, 1].

    Correlation, since exposure may change; images without contrast are alike if their brightness is. If less than a
    tenth of the new image is covered, 0.
    """
    if current.shape != key.shape:
        return 0.0
    h, w = current.shape
    covered = (back[..., 0] > -1) & (back[..., 0] < w) & (back[..., 1] > -1) & (back[..., 1] < h)
    if np.count_nonzero(covered) < 0.1 * covered.size:
        return 0.0
    moved = cv2.remap(key, back[..., 0], back[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    a, b = current[covered].astype(np.float32), moved[covered].astype(np.float32)
    a_mean, b_mean = float(a.mean()), float(b.mean())
    a -= a_mean
    b -= b_mean
    noise = 9.0  # variance of a plain wall in gray levels squared
    if a.var() < noise and b.var() < noise:
        return 1.0 if abs(a_mean - b_mean) < 40 else 0.0
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-6))
