"""How pixels moved between two small images, by camera pose and depth or by optical flow, and how things did."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.lifting.depth import depth_sigma, ray_maps


@dataclass(frozen=True)
class LowFrame:
    """A small copy of a frame: gray (h, w) uint8, depth (h, w) float32 metres or None, pose 4x4 or None."""

    stamp_ns: int
    gray: NDArray[np.uint8]
    depth: NDArray[np.float32] | None
    intrinsics: Intrinsics | None
    pose: NDArray[np.float64] | None

    @cached_property
    def points(self) -> NDArray[np.float32]:
        """Its points (h, w, 3) in metres, NaN where unknown."""
        assert self.depth is not None and self.intrinsics is not None
        known = np.where(self.depth > 0, self.depth, np.float32(np.nan))
        return known[..., None] * _rays(self.intrinsics).reshape(*known.shape, 3)


@lru_cache(maxsize=8)
def _spread(height: int, width: int, rows: int, columns: int) -> NDArray[np.intp]:
    """Return the flat indices (rows, columns) of pixels spread evenly over an image."""
    return (np.arange(rows) * height // rows)[:, None] * width + np.arange(columns) * width // columns


@lru_cache(maxsize=8)
def _scaled(k: Intrinsics, width: int, height: int) -> Intrinsics:
    """Return the same camera at another resolution."""
    return k.scaled(width, height)


@lru_cache(maxsize=8)
def _rays(k: Intrinsics) -> NDArray[np.float32]:
    """Return the points (h * w, 3) of all pixels at a depth of one metre; read-only."""
    x, y = ray_maps(k)
    rays = np.stack([x, y, np.ones_like(x)], 1)
    rays.flags.writeable = False
    return rays


def low_frame(frame: Frame, pose: NDArray[np.float64] | None, width: int) -> LowFrame:
    """Return the frame at `width` columns."""
    size = (width, max(16, round(width * frame.height / frame.width)))
    every = 2 if frame.height >= 4 * size[1] else 1  # row; half of them tell as much
    gray = cv2.cvtColor(frame.rgb[::every], cv2.COLOR_RGB2GRAY)
    while gray.shape[0] >= 2 * size[1] and gray.shape[1] >= 2 * size[0]:  # halving is fast
        gray = cv2.resize(gray, (gray.shape[1] // 2, gray.shape[0] // 2), interpolation=cv2.INTER_AREA)
    gray = cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR)
    depth: NDArray[np.float32] | None = None
    intrinsics: Intrinsics | None = None
    if frame.depth is not None and frame.intrinsics is not None:
        depth = frame.depth.take(_spread(frame.height, frame.width, size[1], size[0]))
        intrinsics = _scaled(frame.intrinsics, *size)
    return LowFrame(frame.stamp_ns, np.asarray(gray, np.uint8), depth, intrinsics, pose)


NOWHERE = (math.nan, math.nan, math.nan, math.nan)
HIDDEN = -1e4  # column and row of a pixel that the other image could not see


@lru_cache(maxsize=8)
def grid_of(height: int, width: int) -> NDArray[np.float32]:
    """Return (h, w, 2) float32 column and row of each pixel; read-only."""
    grid = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    grid.flags.writeable = False
    return grid


def picked(image: NDArray[Any], back: NDArray[np.float32]) -> NDArray[Any]:
    """Return what stands in an image at `back` (h, w, 2), nearest neighbour; 0 beyond its edges."""
    return np.asarray(cv2.remap(image, back, None, cv2.INTER_NEAREST))  # type: ignore[call-overload]


def flow_back(
    current: NDArray[np.uint8], key: NDArray[np.uint8], guess: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Return (h, w, 2) where each pixel of `current` was in `key` (DIS flow, Kroeger et al. 2016).

    guess: the result for an image shortly before, from which the search starts.
    """
    grid = grid_of(*current.shape)
    if current.shape != key.shape:
        return grid
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
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
    back = np.dstack([u, v]).clip(HIDDEN + 1, 1e4).astype(np.float32)
    seen = picked(key.depth, back)
    hidden = known & np.isfinite(seen) & (seen > 0) & (depth > seen * 1.05 + 0.03)
    back[hidden | (depth <= 1e-3)] = HIDDEN
    return np.asarray(back, np.float32)


def moved_image(key: NDArray[np.uint8], back: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the key image as the motion predicts the new one; its edge is continued beyond it."""
    return np.asarray(cv2.remap(key, back, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)  # type: ignore[call-overload]


PLAIN = 3.0  # gray levels: the standard deviation of a wall's noise


def similarity(current: NDArray[np.uint8], moved: NDArray[np.uint8], back: NDArray[np.float32]) -> float:
    """Return how alike the moved key image is to the new one where it covers it, in [-1, 1].

    Correlation of every second pixel, since exposure may change; images without contrast are alike if their brightness
    is. If less than a tenth of the new image is covered, 0.
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


# --- in space ---------------------------------------------------------------------------------------------------------

SPACING = 9  # low pixels between two of the points that a motion is fitted to
FEWEST = 24  # points that a motion can be fitted to
FEWEST_OWN, MOST_OWN = 12, 64  # points that tell a thing's own shift
STILL = 0.005  # a step of the fit, in metres or of a turn's matrix, after which the weights hardly change any more


def _pairs(
    current: LowFrame, key: LowFrame, back: NDArray[np.float32], pixels: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return points (N, 3) of flat pixels of `current`, the same things in `key`, and their precision (N,).

    The precision is one by the variance of depth. The last (M,) is which of the pixels those N are: the known ones.
    """
    assert current.depth is not None and current.intrinsics is not None
    source = back.reshape(-1, 2).take(pixels, 0)
    there = _between(key.points, source)
    z = current.depth.ravel().take(pixels)
    here = (_rays(current.intrinsics).take(pixels, 0) * z[:, None]).astype(np.float64)
    far = np.maximum(there[:, 2], z)  # NaN where either is unknown
    known = np.asarray(far < np.inf)
    if not known.all():
        here, there, far = here[known], there[known], far[known]
    return here, there, np.asarray(depth_sigma(far), np.float64) ** -2.0, known


def _between(points: NDArray[np.float32], source: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the points (N, 3) at (N, 2) column and row of (h, w, 3); NaN beside what is unknown or beyond edges."""
    found = cv2.remap(points, source[None], None, cv2.INTER_LINEAR, borderValue=NOWHERE)  # type: ignore[call-overload]
    return np.asarray(found[0], np.float64)


@lru_cache(maxsize=8)
def _raster(height: int, width: int) -> NDArray[np.intp]:
    """Return the flat pixels that the camera's motion is fitted to."""
    rows, columns = np.mgrid[SPACING // 2 : height : SPACING, SPACING // 2 : width : SPACING]
    return np.asarray((rows * width + columns).ravel(), np.intp)


def motions(
    current: LowFrame,
    key: LowFrame,
    back: NDArray[np.float32],
    masks: Sequence[NDArray[np.uint8]] = (),
    guess: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64] | None, list[NDArray[np.float64]]]:
    """Return the 4x4 that takes points of what stands still from the key camera to the current one; None if unknown.

    And the same of each thing, given by its (h, w) mask in the current image; [] if the first is unknown. By both
    poses, else fitted to pairs of points that depth and the motion of the image give. guess: the first result for an
    image shortly before, from which the fit starts.
    """
    camera: NDArray[np.float64] | None = None
    if current.pose is not None and key.pose is not None:
        camera = np.asarray(np.linalg.inv(current.pose) @ key.pose)
    if current.depth is None or key.depth is None or current.intrinsics is None or key.intrinsics is None:
        return camera, [] if camera is None else [camera] * len(masks)
    inside = [np.flatnonzero(m.view(np.bool_)) for m in masks]
    pixels = [_raster(*current.gray.shape), *(p[:: max(1, -(-p.size // MOST_OWN))] for p in inside)]
    here, there, precision, known = _pairs(current, key, back, np.concatenate(pixels))
    counted = np.concatenate(([0], np.cumsum(known)))  # of the known ones among the first n pixels
    ends = counted[np.cumsum([0, *(p.size for p in pixels)])].tolist()
    if camera is None:
        camera = _rigid(here[: ends[1]], there[: ends[1]], precision[: ends[1]], guess)
    if camera is None:
        return None, []
    off = here - _moved(there, camera)
    return camera, [_own(off[a:b], precision[a:b], camera) for a, b in pairwise(ends[1:])]


def _moved(points: NDArray[np.float64], motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (N, 3) after a 4x4 motion."""
    return np.asarray(cv2.transform(points[None], motion[:3])[0]) if len(points) else points


def _rigid(
    here: NDArray[np.float64],
    there: NDArray[np.float64],
    precision: NDArray[np.float64],
    guess: NDArray[np.float64] | None,
) -> NDArray[np.float64] | None:
    """Return the rigid 4x4 that takes most of `there` to `here` (N, 3); None if there is none.

    Least squares (Kabsch 1976) with Tukey's weights, since things move, edges jump and flow errs.
    """
    if len(precision) < FEWEST:
        return None
    motion, trust = guess, np.ones(len(precision))
    if motion is not None:
        trust = _trust(here, there, precision, motion)
    for _ in range(5):
        before, motion = motion, _fitted(here, there, precision * trust * trust)
        if motion is None or (before is not None and cv2.norm(motion, before, cv2.NORM_INF) < STILL):
            break
        trust = _trust(here, there, precision, motion)
    if motion is not None and np.count_nonzero(trust) >= 0.5 * len(precision):
        return motion
    return None if guess is None else _rigid(here, there, precision, None)


def _trust(
    here: NDArray[np.float64], there: NDArray[np.float64], precision: NDArray[np.float64], motion: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far each pair fits a motion, in [0, 1]: the root of Tukey's weight."""
    off = _moved(there, motion) - here
    error = np.einsum('ij,ij,i->i', off, off, precision)
    middle = len(error) // 2
    limit = (4.0 * 1.4826) ** 2 * max(float(np.partition(error, middle)[middle]), 0.45)
    return np.maximum(1 - error / limit, 0.0)


def _fitted(
    here: NDArray[np.float64], there: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return the rigid 4x4 that takes `there` to `here` (N, 3) with the least weighted squares; None without weight."""
    total = float(weights.sum())
    if total <= 0:
        return None
    a, b = weights @ there / total, weights @ here / total
    spread = there.T @ (here * weights[:, None]) - (total * a)[:, None] * b
    _, u, vt = cv2.SVDecomp(spread)  # a fifth of NumPy's time for so small a matrix
    turn = (u @ vt).T
    if cv2.determinant(turn) < 0:
        vt[2] *= -1  # a turn, not a reflection
        turn = (u @ vt).T
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = turn, b - turn @ a
    return motion


def _own(off: NDArray[np.float64], precision: NDArray[np.float64], camera: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the motion of a thing of which some points are known: the camera's, unless it moves itself.

    Then it is shifted as far as its points are `off` (N, 3) where the camera's motion has them; few tell no turn.
    """
    middle = len(precision) // 2
    if len(precision) < FEWEST_OWN:
        return camera
    shift = np.partition(off, middle, 0)[middle]
    if cv2.norm(shift) < 0.01 + 2.0 * float(np.partition(precision, middle)[middle]) ** -0.5:
        return camera
    moved = camera.copy()
    moved[:3, 3] += shift
    return moved
