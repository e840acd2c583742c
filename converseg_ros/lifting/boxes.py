"""Oriented boxes and principal axes; axes from a subsample, sizes from every point."""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import OrientedBox
from converseg_ros.lifting.planes import eigenvectors, plane_axes

SIDE_NOISE = 0.004  # metres within which a point counts as lying on a side
_TURN = np.deg2rad(np.arange(0, 90, 1.0))
ANGLES = np.column_stack([np.cos(_TURN), np.sin(_TURN)]).astype(np.float32)
SIDEWAYS = np.column_stack([-np.sin(_TURN), np.cos(_TURN)]).astype(np.float32)


def principal_axes(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a right-handed rotation (3, 3) whose columns are the axes of (N, 3) points, longest variance first."""
    planar = points.T.astype(np.float64)
    planar -= planar.mean(1)[:, None]
    axes = eigenvectors(planar @ planar.T).copy()
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
    """Return axes with z = up and x, y along the sides of the points seen along `up`.

    Of a box one camera sees two faces, an L from above, whose rectangle of least area may lie askew. So the angle is
    the one at which points are closest to the rectangle's sides (Zhang, Xu, Dong, Dolan, "Efficient L-shape fitting",
    IV 2017, closeness criterion).
    """
    frame = plane_axes(up)
    flat = sample[:500] @ frame[:, :2].astype(np.float32)
    x, y = ANGLES @ flat.T, SIDEWAYS @ flat.T  # (angles, points)
    to_x = np.minimum(x - x.min(1, keepdims=True), x.max(1, keepdims=True) - x)
    to_y = np.minimum(y - y.min(1, keepdims=True), y.max(1, keepdims=True) - y)
    closeness = (1 / np.maximum(np.minimum(to_x, to_y), SIDE_NOISE)).sum(1)
    cosine, sine = ANGLES[int(closeness.argmax())].astype(np.float64)
    forward = frame[:, 0] * cosine + frame[:, 1] * sine
    return np.column_stack([forward, np.cross(up, forward), up])


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
