"""Rigid motion of the camera and of objects, from poses or from tracked pixels with depth."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.lifting.depth import depth_sigma, ray_table
from converseg_ros.perception.motion import LowFrame, in_rows

SPACING = 9  # distance in small pixels between the points that a motion is fitted to
MIN_POINTS = 24  # minimum number of points for a fit
FEWEST_OWN, MAX_OWN = 12, 64  # minimum and maximum number of points for the shift of an object
STILL = 0.005  # change of the fit (metres, or matrix elements of the rotation) below which the iteration ends


class Landmarks:
    """Pixels of a key image for estimating the motion of the camera and of each object.

    points: (n, m, 2) float32, their column and row in the small image.
    """

    def __init__(self, key: LowFrame, masks: Sequence[NDArray[np.uint8]] = ()) -> None:
        """Select among the pixels with depth; masks: small (h, w) masks of the objects."""
        self._key = key
        self._count = len(masks)
        depth = np.zeros(key.gray.shape, np.float32) if key.depth is None or key.intrinsics is None else key.depth
        known = (depth > 0) & (depth < np.inf)
        raster = _raster(*depth.shape)
        inside = [np.flatnonzero(known & m.view(np.bool_)) for m in masks]
        pixels = [raster[known.take(raster)], *(p[:: max(1, -(-p.size // MAX_OWN))] for p in inside)]
        flat = np.concatenate(pixels)
        self._ends = np.cumsum([0, *(p.size for p in pixels)])
        y, x = np.divmod(flat, depth.shape[1])
        self.points = in_rows(np.stack([x, y], 1))
        z = depth.take(flat).astype(np.float64)
        self._there = np.zeros((0, 4))  # points as x, y, z, 1, for multiplication with a 4x4 matrix
        if key.intrinsics is not None:
            rx, ry = ray_table(key.intrinsics)
            self._there = np.stack([rx[x] * z, ry[y] * z, z, np.ones_like(z)], 1)
        self._precision = np.asarray(depth_sigma(z), np.float64) ** -2.0  # one divided by the variance of depth

    def motions(
        self, current: LowFrame, gone: NDArray[np.float32], guess: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float64] | None, list[NDArray[np.float64]]]:
        """Return the 4x4 transform of static points from the key camera to the current one, and that of each object.

        The first is None if it is unknown; the second is then []. The motion follows from both poses, or is fitted to
        the landmarks. gone: the new positions of `points`. guess: the first result for a slightly earlier image, the
        initial value of the fit.
        """
        camera: NDArray[np.float64] | None = None
        if current.pose is not None and self._key.pose is not None:
            camera = np.asarray(np.linalg.inv(current.pose) @ self._key.pose)
        if current.source is None or current.intrinsics is None or not len(self._there):
            return camera, [] if camera is None else [camera] * self._count
        here, known = self._seen(current, gone)
        there, precision, ends = self._there, self._precision, self._ends
        if len(known) < len(here):
            here, there, precision = here.take(known, 0), there.take(known, 0), precision.take(known)
            ends = np.searchsorted(known, ends)
        first = int(ends[1])
        if camera is None:
            camera = _rigid(here[:first], there[:first], precision[:first], guess)
        if camera is None:
            return None, []
        off = here - there @ camera.T
        return camera, [_own(off[a:b], precision[a:b], camera) for a, b in pairwise(ends[1:].tolist())]

    def _seen(self, current: LowFrame, gone: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Return the current positions (N, 4) of the landmarks, in metres and 1, and the indices of the valid ones."""
        k, count = current.intrinsics, len(self._there)
        assert k is not None
        z = current.depth_at(gone)[:count]
        rays = cv2.transform(gone, np.array([[1 / k.fx, 0, -k.cx / k.fx], [0, 1 / k.fy, -k.cy / k.fy]]))
        here = np.ones((count, 4))
        here[:, 2] = z
        here[:, :2] = rays.reshape(-1, 2)[:count]
        here[:, :2] *= z[:, None]
        return here, np.flatnonzero((z > 0) & (z < np.inf))


@lru_cache(maxsize=8)
def _raster(height: int, width: int) -> NDArray[np.intp]:
    """Return the flat indices of the pixels that the motion of the camera is fitted to."""
    rows, columns = np.mgrid[SPACING // 2 : height : SPACING, SPACING // 2 : width : SPACING]
    return np.asarray((rows * width + columns).ravel(), np.intp)


def _rigid(
    here: NDArray[np.float64],
    there: NDArray[np.float64],
    precision: NDArray[np.float64],
    guess: NDArray[np.float64] | None,
) -> NDArray[np.float64] | None:
    """Return the rigid 4x4 transform of most points from `there` to `here` (N, 4), or None.

    Iteratively reweighted least squares (Kabsch 1976) with Tukey's weights, which reject moving objects, depth
    discontinuities and flow errors.
    """
    if len(precision) < MIN_POINTS:
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
    """Return how well each pair fits a motion, in [0, 1]: the square root of Tukey's weight."""
    off = there @ motion.T - here
    error = np.einsum('ij,ij,i->i', off, off, precision)
    middle = len(error) // 2
    limit = (4.0 * 1.4826) ** 2 * max(float(np.partition(error, middle)[middle]), 0.45)
    return np.asarray(np.maximum(1 - error / limit, 0.0))


def _fitted(
    here: NDArray[np.float64], there: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return the rigid 4x4 transform from `there` to `here` (N, 4) by weighted least squares, or None."""
    # sums of products; the products with the column of ones are the sums of the points
    s = there.T @ (here * weights[:, None])
    total = float(s[3, 3])
    if total <= 0:
        return None
    b = s[3, :3] / total
    _, u, vt = cv2.SVDecomp(s[:3, :3] - s[:3, 3:] * b)  # a fifth of NumPy's time for such a small matrix
    turn = (u @ vt).T
    if cv2.determinant(turn) < 0:
        vt[2] *= -1  # a rotation instead of a reflection
        turn = (u @ vt).T
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = turn, b - turn @ s[:3, 3] / total
    return motion


def _own(off: NDArray[np.float64], precision: NDArray[np.float64], camera: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the motion of an object with some tracked points: that of the camera, plus a shift if the object moves.

    The shift is the mean offset `off` (N, 4) of its points from the prediction of the camera's motion; too few points
    are available for a rotation.
    """
    middle = len(precision) // 2
    if len(precision) < FEWEST_OWN:
        return camera
    shift = np.partition(off, middle, 0)[middle, :3]
    if cv2.norm(shift) < 0.01 + 2.0 * float(np.partition(precision, middle)[middle]) ** -0.5:
        return camera
    moved = camera.copy()
    moved[:3, 3] += shift
    return moved
