"""Oriented boxes and principal axes; axes from a subsample, sizes from every point."""

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import OrientedBox
from converseg_ros.lifting.planes import plane_axes, subsample


def principal_axes(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a right-handed rotation (3, 3) whose columns are the axes of (N, 3) points, longest variance first."""
    local = points - points.mean(0)
    axes = np.linalg.eigh((local.T @ local).astype(np.float64))[1][:, ::-1]
    # a sign that does not flip from frame to frame: the largest component is positive
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), range(3)])
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    return np.asarray(axes)


def _directions() -> NDArray[np.float32]:
    """Return 32 unit vectors spread over a half sphere (a Fibonacci lattice)."""
    i = np.arange(32) + 0.5
    z, angle = i / 32, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.column_stack([r * np.cos(angle), r * np.sin(angle), z]).astype(np.float32)


DIRECTIONS = _directions()


def _hull_axes(points: NDArray[np.float32], most: int) -> NDArray[np.float64]:
    """Return the principal axes of the vertices of the convex hull, as Open3D's get_oriented_bounding_box has them."""
    from scipy.spatial import ConvexHull, QhullError

    sample = subsample(points, most).astype(np.float64)
    try:
        vertices = sample[ConvexHull(sample).vertices]
    except (QhullError, ValueError):  # flat or too few: the points themselves have the axes
        vertices = sample
    return principal_axes(vertices)


def _upright_axes(points: NDArray[np.float32], up: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return axes with z = up and x, y along the rectangle of least area around the points seen along `up`."""
    frame = plane_axes(up)
    flat = (subsample(points, 4 * most) @ frame[:, :2]).astype(np.float32)
    angle = np.deg2rad(cv2.minAreaRect(np.ascontiguousarray(flat))[2])
    x = frame[:, 0] * np.cos(angle) + frame[:, 1] * np.sin(angle)
    return np.column_stack([x, np.cross(up, x), up])


def oriented_box(points: NDArray[np.float32], *, most: int, up: NDArray[np.float64] | None = None) -> OrientedBox:
    """Return the box around all (N, 3) points; upright if `up` is given, else along the axes of their convex hull."""
    rotation = _hull_axes(points, most) if up is None else _upright_axes(points, up, most)
    # relative to the first point, since float32 is exact near zero only
    origin = points[0].astype(np.float64)
    along = rotation.T.astype(np.float32) @ (points - points[0]).T
    low, high = along.min(1).astype(np.float64), along.max(1).astype(np.float64)
    return OrientedBox(origin + rotation @ ((low + high) / 2), rotation, high - low)
