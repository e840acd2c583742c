"""How pixels moved between two small images, by camera pose and depth or by optical flow, and how things did."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.lifting.depth import depth_sigma


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
    if frame.depth is not None and frame.intrinsics is not None:
        depth = np.asarray(cv2.resize(frame.depth, size, interpolation=cv2.INTER_NEAREST), np.float32)
        intrinsics = frame.intrinsics.scaled(*size)
    return LowFrame(frame.stamp_ns, np.asarray(gray, np.uint8), depth, intrinsics, pose)


@lru_cache(maxsize=8)
def grid_of(height: int, width: int) -> NDArray[np.float32]:
    """Return (h, w, 2) float32 column and row of each pixel; read-only."""
    grid = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    grid.flags.writeable = False
    return grid


def flow_back(
    current: NDArray[np.uint8], key: NDArray[np.uint8], guess: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Return (h, w, 2) where each pixel of `current` was in `key` (DIS flow, Kroeger et al. 2016).

    guess: the result for an image shortly before, from which the search starts.
    """
    grid = grid_of(*current.shape)
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
    grid = grid_of(*z.shape)
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


def moved_image(key: NDArray[np.uint8], back: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the key image as the motion predicts the new one; its edge is continued beyond it."""
    return np.asarray(cv2.remap(key, back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)  # type: ignore[call-overload]


def similarity(current: NDArray[np.uint8], moved: NDArray[np.uint8], back: NDArray[np.float32]) -> float:
    """Return how alike the moved key image is to the new one where it covers it, in [-1, 1].

    Correlation of every second pixel, since exposure may change; images without contrast are alike if their brightness
    is. If less than a tenth of the new image is covered, 0.
    """
    if current.shape != moved.shape:
        return 0.0
    h, w = current.shape
    x, y = back[::2, ::2, 0], back[::2, ::2, 1]
    covered = (x > -1) & (x < w) & (y > -1) & (y < h)
    if np.count_nonzero(covered) < 0.1 * covered.size:
        return 0.0
    a, b = current[::2, ::2][covered].astype(np.float32), moved[::2, ::2][covered].astype(np.float32)
    a_mean, b_mean = float(a.mean()), float(b.mean())
    a -= a_mean
    b -= b_mean
    aa, bb = float(a @ a), float(b @ b)
    noise = 9.0 * a.size  # of a plain wall: its variance in gray levels squared
    if aa < noise and bb < noise:
        return 1.0 if abs(a_mean - b_mean) < 40 else 0.0
    return float(a @ b / (np.sqrt(aa * bb) + 1e-6))


# --- in space ---------------------------------------------------------------------------------------------------------

SPACING = 8  # low pixels between two of the points that a motion is fitted to
FEWEST = 24  # points that a motion can be fitted to


def _pairs(
    current: LowFrame, key: LowFrame, back: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return points (N, 3) of pixels of `current`, of the same things in `key`, and their standard deviation (N,)."""
    assert current.depth is not None and key.depth is not None
    k, old = current.intrinsics, key.intrinsics
    assert k is not None and old is not None
    u, v = back[rows, columns, 0].astype(np.float64), back[rows, columns, 1].astype(np.float64)
    at_u, at_v = np.rint(u), np.rint(v)
    height, width = key.depth.shape
    inside = (at_u >= 0) & (at_u < width) & (at_v >= 0) & (at_v < height)
    was = np.zeros(len(rows))
    was[inside] = key.depth[at_v[inside].astype(np.intp), at_u[inside].astype(np.intp)]
    now = current.depth[rows, columns].astype(np.float64)
    with np.errstate(invalid='ignore'):
        known = (was > 0) & (now > 0) & np.isfinite(was) & np.isfinite(now)
    u, v, was, now = (a[known] for a in (u, v, was, now))
    x, y = (a[known].astype(np.float64) for a in (columns, rows))
    here = np.column_stack([(x - k.cx) / k.fx * now, (y - k.cy) / k.fy * now, now])
    there = np.column_stack([(u - old.cx) / old.fx * was, (v - old.cy) / old.fy * was, was])
    return here, there, np.asarray(depth_sigma(np.maximum(now, was)), np.float64)


def rigid_motion(current: LowFrame, key: LowFrame, back: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the 4x4 that takes points of what stands still from the key camera to the current one; None if unknown.

    By both poses, else fitted to pairs of points that depth and the motion of the image give: least squares (Kabsch
    1976) with Tukey's weights, since things move, edges jump and flow errs.
    """
    if current.pose is not None and key.pose is not None:
        return np.asarray(np.linalg.inv(current.pose) @ key.pose)
    if current.depth is None or key.depth is None or current.intrinsics is None or key.intrinsics is None:
        return None
    h, w = current.gray.shape
    rows, columns = (a.ravel() for a in np.mgrid[SPACING // 2 : h : SPACING, SPACING // 2 : w : SPACING])
    here, there, sigma = _pairs(current, key, back, rows, columns)
    if len(here) < FEWEST:
        return None
    precision = sigma**-2.0
    weights, motion, share = precision, np.eye(4), 0.0
    middle = len(here) // 2
    for _ in range(5):
        total = float(weights.sum())
        if total <= 0:
            return None
        a, b = weights @ there / total, weights @ here / total
        u, _, vt = np.linalg.svd((there - a).T @ ((here - b) * weights[:, None]))
        if np.linalg.det(vt) * np.linalg.det(u) < 0:
            vt[2] *= -1  # a turn, not a reflection
        motion[:3, :3] = vt.T @ u.T
        motion[:3, 3] = b - motion[:3, :3] @ a
        off = there @ motion[:3, :3].T
        off += motion[:3, 3] - here
        error = (off * off).sum(1) * precision
        limit = (4.0 * 1.4826) ** 2 * max(float(np.partition(error, middle)[middle]), 0.45)
        trust = np.maximum(1 - error / limit, 0.0)
        share = np.count_nonzero(trust) / len(trust)
        weights = precision * trust * trust
    return motion if share >= 0.5 else None


def own_motion(
    current: LowFrame, key: LowFrame, back: NDArray[np.float32], motion: NDArray[np.float64], mask: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return the motion of a thing, given by its (h, w) mask in the current image: `motion` unless it moves itself.

    Then it is shifted as far as its points are from where `motion` would have them; few points tell no turn.
    """
    if current.depth is None or key.depth is None or current.intrinsics is None or key.intrinsics is None:
        return motion
    rows, columns = np.nonzero(mask)
    stride = max(1, len(rows) // 128)
    here, there, sigma = _pairs(current, key, back, rows[::stride], columns[::stride])
    if len(here) < 12:
        return motion
    shift = np.median(here - there @ motion[:3, :3].T - motion[:3, 3], axis=0)
    if np.linalg.norm(shift) < 0.01 + 2.0 * float(np.median(sigma)):
        return motion
    moved = motion.copy()
    moved[:3, 3] += shift
    return moved
