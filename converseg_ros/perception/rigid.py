"""How the camera and things moved in space, by poses or by pixels that depth is known of and that are followed."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.lifting.depth import depth_sigma, ray_table
from converseg_ros.perception.motion import LowFrame, in_rows

SPACING = 9  # low pixels between two of the points that a motion is fitted to
FEWEST = 24  # points that a motion can be fitted to
FEWEST_OWN, MOST_OWN = 12, 64  # points that tell a thing's own shift
STILL = 0.005  # a step of the fit, in metres or of a turn's matrix, after which the weights hardly change any more


class Landmarks:
    """Pixels of a key image by which the camera's motion is told, and each thing's own.

    points: (n, m, 2) float32 column and row of them in the small image.
    """

    def __init__(self, key: LowFrame, masks: Sequence[NDArray[np.uint8]] = ()) -> None:
        """Choose among the pixels that depth is known of; masks: (h, w) small ones of the things."""
        self._key = key
        self._count = len(masks)
        depth = np.zeros(key.gray.shape, np.float32) if key.depth is None or key.intrinsics is None else key.depth
        known = (depth > 0) & (depth < np.inf)
        raster = _raster(*depth.shape)
        inside = [np.flatnonzero(known & m.view(np.bool_)) for m in masks]
        pixels = [raster[known.take(raster)], *(p[:: max(1, -(-p.size // MOST_OWN))] for p in inside)]
        flat = np.concatenate(pixels)
        self._ends = np.cumsum([0, *(p.size for p in pixels)])
        y, x = np.divmod(flat, depth.shape[1])
        self.points = in_rows(np.stack([x, y], 1))
        z = depth.take(flat).astype(np.float64)
        self._there = np.zeros((0, 4))  # points as x, y, z, 1, so that a 4x4 moves them
        if key.intrinsics is not None:
            rx, ry = ray_table(key.intrinsics)
            self._there = np.stack([rx[x] * z, ry[y] * z, z, np.ones_like(z)], 1)
        self._precision = np.asarray(depth_sigma(z), np.float64) ** -2.0  # one by the variance of depth

    def motions(
        self, current: LowFrame, gone: NDArray[np.float32], guess: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float64] | None, list[NDArray[np.float64]]]:
        """Return the 4x4 that takes points of what stands still from the key camera to the current one, or None.

        And the same of each thing; [] if the first is unknown. By both poses, else fitted to the landmarks; gone:
        where `points` have gone. guess: the first result for an image shortly before, from which the fit starts.
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
        """Return where the landmarks are now (N, 4), metres and 1, and the indices of those that depth tells it of."""
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
    """Return the flat pixels that the camera's motion is fitted to."""
    rows, columns = np.mgrid[SPACING // 2 : height : SPACING, SPACING // 2 : width : SPACING]
    return np.asarray((rows * width + columns).ravel(), np.intp)


def _rigid(
    here: NDArray[np.float64],
    there: NDArray[np.float64],
    precision: NDArray[np.float64],
    guess: NDArray[np.float64] | None,
) -> NDArray[np.float64] | None:
    """Return the rigid 4x4 that takes most of `there` to `here` (N, 4); None if there is none.

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
    off = there @ motion.T - here
    error = np.einsum('ij,ij,i->i', off, off, precision)
    middle = len(error) // 2
    limit = (4.0 * 1.4826) ** 2 * max(float(np.partition(error, middle)[middle]), 0.45)
    return np.maximum(1 - error / limit, 0.0)


def _fitted(
    here: NDArray[np.float64], there: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return the rigid 4x4 that takes `there` to `here` (N, 4) with the least weighted squares; None without weight."""
    s = there.T @ (here * weights[:, None])  # of products; what is multiplied with the ones is that of the points
    total = float(s[3, 3])
    if total <= 0:
        return None
    b = s[3, :3] / total
    _, u, vt = cv2.SVDecomp(s[:3, :3] - s[:3, 3:] * b)  # a fifth of NumPy's time for so small a matrix
    turn = (u @ vt).T
    if cv2.determinant(turn) < 0:
        vt[2] *= -1  # a turn, not a reflection
        turn = (u @ vt).T
    motion = np.eye(4)
    motion[:3, :3], motion[:3, 3] = turn, b - turn @ s[:3, 3] / total
    return motion


def _own(off: NDArray[np.float64], precision: NDArray[np.float64], camera: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the motion of a thing of which some points are known: the camera's, unless it moves itself.

    Then it is shifted as far as its points are `off` (N, 4) where the camera's motion has them; few tell no turn.
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
