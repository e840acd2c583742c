"""Oriented boxes and principal axes; sizes are computed from all points, axes from a subset."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
import math
import os

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import OrientedBox
from converseg_ros.core.mask import Box
from converseg_ros.core.planes import eigenvectors
from converseg_ros.lifting.depth import FAR, DepthScene, flat_pixels
from converseg_ros.lifting.planes import cross, plane_axes

# regions with more points than the first are sampled on a grid of about as many points as the second
HULL_POINTS, HULL_GRID = 8000, 2000
# Steps (rows, columns) from a pixel to two others whose midpoint it is. Short steps find interior points of curved
# surfaces, long steps those of flat, noisy surfaces.
MIDDLES = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 3), (3, 0), (3, 3), (3, -3))
SIDE_NOISE = 0.004  # metres within which a point counts as lying on a side
_TURN = np.deg2rad(np.arange(0, 90, 1.0))
ANGLES = np.column_stack([np.cos(_TURN), np.sin(_TURN)]).astype(np.float32)
SIDEWAYS = np.column_stack([-np.sin(_TURN), np.cos(_TURN)]).astype(np.float32)


def principal_axes(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a right-handed rotation (3, 3) with the principal axes of (N, 3) points, largest variance first."""
    planar = points.T.astype(np.float64)
    planar -= planar.mean(1)[:, None]
    axes = eigenvectors(planar @ planar.T).copy()
    for column in (0, 1):  # a sign that is stable from frame to frame: the largest component is positive
        if axes[np.abs(axes[:, column]).argmax(), column] < 0:
            axes[:, column] *= -1
    axes[:, 2] = cross(axes[:, 0], axes[:, 1])
    return axes


def _outermost(scene: DepthScene, chosen: NDArray[np.uint8], box: Box) -> NDArray[np.int64]:
    """Return flat indices of pixels that include all vertices of the convex hull of the chosen ones (h, w).

    A pinhole projection preserves straight lines, so convex hulls have the same vertices in (column, row, 1 / z). There
    a pixel is inside if it is not in front of the midpoint of two others and not behind the midpoint of two others.
    Regions of more than HULL_POINTS pixels are sampled on a regular grid.
    """
    count = cv2.countNonZero(chosen)
    stride = 1 if count <= HULL_POINTS else math.ceil(math.sqrt(count / HULL_GRID))
    chosen = np.ascontiguousarray(chosen[::stride, ::stride])
    z = np.ascontiguousarray(scene.z[box.y0 : box.y1 : stride, box.x0 : box.x1 : stride])
    height, width = z.shape
    near = 1.0 / np.maximum(z, np.float32(1e-3))
    reach = max(dy for dy, _ in MIDDLES)
    padded = (height + 2 * reach, width + 2 * reach)
    low, high = np.full(padded, -FAR), np.full(padded, FAR)
    inner = np.s_[reach : reach + height, reach : reach + width]
    cv2.copyTo(near, chosen, low[inner])
    cv2.copyTo(near, chosen, high[inner])
    nearest, farthest = np.full_like(z, -FAR), np.full_like(z, FAR)
    for dy, dx in MIDDLES:
        a = np.s_[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
        b = np.s_[reach - dy : reach - dy + height, reach - dx : reach - dx + width]
        cv2.max(nearest, cv2.add(low[a], low[b]), nearest)
        cv2.min(farthest, cv2.add(high[a], high[b]), farthest)
    near += near
    outer = (near > nearest) | (near < farthest)
    rows, columns = np.divmod(np.flatnonzero(outer & chosen.view(np.bool_)), width)
    return np.asarray((box.y0 + rows * stride) * scene.frame.width + box.x0 + columns * stride)


def outermost(scene: DepthScene, chosen: NDArray[np.uint8], box: Box) -> NDArray[np.float64]:
    """Return a small subset (N, 3) of the points of a region that has the same convex hull.

    chosen: (h, w) uint8, 1 for the pixels of the region in `box`, all of them with depth.
    """
    points = scene.points(_outermost(scene, chosen, box))
    if len(points) < 3:  # the grid missed a thin region
        points = scene.points(flat_pixels(chosen, box, scene.frame.width))
    return points.astype(np.float64)


def hull_axes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the principal axes (3, 3) of the vertices of the convex hull of (N, 3) points.

    These are the axes of Open3D's get_oriented_bounding_box.
    """
    from scipy.spatial import ConvexHull, QhullError

    with suppress(QhullError, ValueError):  # degenerate: use the axes of the points instead
        points = points[ConvexHull(points).vertices]
    return principal_axes(points)


@lru_cache(maxsize=1)
def _thread(process: int) -> ThreadPoolExecutor:
    """Return the thread for hulls of this process; a forked process starts its own."""
    return ThreadPoolExecutor(1, thread_name_prefix='hull')


def start_hull_axes(points: NDArray[np.float64]) -> Future[NDArray[np.float64]]:
    """Start `hull_axes` in a thread: Qhull takes a fourth of the time of lifting and releases the interpreter lock."""
    return _thread(os.getpid()).submit(hull_axes, points)


def upright_axes(sample: NDArray[np.float32], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return axes (3, 3) with z = up and x, y along the sides of the points (M, 3) seen along `up`.

    A camera sees two faces of a box, an L shape from above, and the rectangle of least area of an L can be rotated.
    Therefore the angle is the one at which the points are closest to the sides of the rectangle (Zhang, Xu, Dong,
    Dolan, "Efficient L-shape fitting", IV 2017, closeness criterion).
    """
    frame = plane_axes(up)
    flat = sample[:500] @ frame[:, :2].astype(np.float32)
    x, y = ANGLES @ flat.T, SIDEWAYS @ flat.T  # (angles, points)
    to_x = np.minimum(x - x.min(1, keepdims=True), x.max(1, keepdims=True) - x)
    to_y = np.minimum(y - y.min(1, keepdims=True), y.max(1, keepdims=True) - y)
    closeness = (1 / np.maximum(np.minimum(to_x, to_y), SIDE_NOISE)).sum(1)
    cosine, sine = ANGLES[int(closeness.argmax())].astype(np.float64)
    forward = frame[:, 0] * cosine + frame[:, 1] * sine
    return np.column_stack([forward, cross(up, forward), up])


def oriented_box(planar: NDArray[np.float32], rotation: NDArray[np.float64]) -> OrientedBox:
    """Return the box with the axes `rotation` (columns) around all points, given by coordinate (3, N)."""
    # relative to one of the points, to keep float32 precision
    origin = planar[:, :1]
    along = rotation.T.astype(np.float32) @ (planar - origin)
    low, high = along.min(1).astype(np.float64), along.max(1).astype(np.float64)
    return OrientedBox(origin[:, 0].astype(np.float64) + rotation @ ((low + high) / 2), rotation, high - low)
