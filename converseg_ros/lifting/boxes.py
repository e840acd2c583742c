"""Oriented boxes and principal axes; axes from a subsample, sizes from every point."""

from contextlib import suppress

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import OrientedBox
from converseg_ros.lifting.planes import plane_axes


def principal_axes(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a right-handed rotation (3, 3) whose columns are the axes of (N, 3) points, longest variance first."""
    planar = points.T.astype(np.float64)
    planar -= planar.mean(1)[:, None]
    axes = np.linalg.eigh(planar @ planar.T)[1][:, ::-1].copy()
    for column in (0, 1):  # a sign that does not flip from frame to frame: the largest component is positive
        if axes[np.abs(axes[:, column]).argmax(), column] < 0:
            axes[:, column] *= -1
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    return axes


def _hull_axes(sample: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the principal axes of the vertices of the convex hull, as Open3D's get_oriented_bounding_box has them."""
    from scipy.spatial import ConvexHull, QhullError

    points = sample.astype(np.float64)
    with suppress(QhullError, ValueError):  # flat or too few: the points themselves have the axes
        points = points[ConvexHull(points).vertices]
    return principal_axes(points)


def _upright_axes(sample: NDArray[np.float32], up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return axes with z = up and x, y along the rectangle of least area around the points seen along `up`."""
    frame = plane_axes(up)
    flat = sample @ frame[:, :2].astype(np.float32)
    angle = np.deg2rad(cv2.minAreaRect(np.ascontiguousarray(flat))[2])
    x = frame[:, 0] * np.cos(angle) + frame[:, 1] * np.sin(angle)
    return np.column_stack([x, np.cross(up, x), up])


def oriented_box(
    planar: NDArray[np.float32], sample: NDArray[np.float32], up: NDArray[np.float64] | None = None
) -> OrientedBox:
    """Return the box around all points, given coordinate by coordinate (3, N), with axes from a sample (M, 3) of them.

    The box is upright if `up` (3,) is given, else it lies along the axes of the sample's convex hull.
    """
    rotation = _hull_axes(sample) if up is None else _upright_axes(sample, up)
    # relative to one of the points, since float32 is exact near zero only
    origin = planar[:, :1]
    along = rotation.T.astype(np.float32) @ (planar - origin)
    low, high = along.min(1).astype(np.float64), along.max(1).astype(np.float64)
    return OrientedBox(origin[:, 0].astype(np.float64) + rotation @ ((low + high) / 2), rotation, high - low)
