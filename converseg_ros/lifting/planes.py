"""The plane of one region: RANSAC (Fischler and Bolles 1981), then least squares trimmed, and weighted by noise."""

import math

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.core.planes import least_squares_plane, planes_through
from converseg_ros.lifting.depth import depth_sigma

HYPOTHESES, SCORED = 72, 256
_SPREAD = np.random.default_rng(0).random(1 << 15)
_TRIPLES = np.random.default_rng(1).random((3, HYPOTHESES))


def subsample(points: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Return at most `most` rows (and at most 32768), selected pseudo-randomly and deterministically."""
    if len(points) <= most:
        return points
    return np.asarray(points.take((_SPREAD[:most] * len(points)).astype(np.intp), axis=0))


def unit(vector: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the vector normalized to length 1 in float64; a zero vector is unchanged."""
    v = np.asarray(vector, np.float64)
    length = math.sqrt(v @ v)
    return v / length if length > 0 else v


def cross(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the cross product (3,) of two vectors; NumPy's general function takes fifty times as long."""
    (a0, a1, a2), (b0, b1, b2) = a.tolist(), b.tolist()
    return np.array([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0])


def _distances(planar: NDArray[np.float32], normal: NDArray[np.float64], d: float) -> NDArray[np.float32]:
    """Return the distance of (3, N) points from a plane, (N,)."""
    off = normal.astype(np.float32) @ planar
    off += np.float32(d)
    return np.asarray(np.abs(off, out=off))


def fit_plane(
    points: NDArray[np.float32],
    *,
    tolerance: float,
    up: NDArray[np.float64] | None = None,
    tilt: float = 90.0,
) -> Plane | None:
    """Return the plane that most of (N, 3) points lie on, or None; a subsample of thousands of points is sufficient.

    tolerance: metres, added to three sigmas of depth noise. up: unit vector; the normal then points along it and is
    within `tilt` degrees of it. Without `up` the normal points to the camera (the origin).
    """
    if len(points) < 3:
        return None
    scored = np.ascontiguousarray(points[:SCORED])
    normals, offsets = planes_through(*scored[(_TRIPLES * len(scored)).astype(np.intp)])
    cosine = math.cos(math.radians(tilt))
    if up is not None and len(normals):
        level = np.abs(normals @ up.astype(np.float32)) >= cosine
        normals, offsets = normals[level], offsets[level]
    if not len(normals):
        return None
    planar = np.ascontiguousarray(points.T)
    noise = depth_sigma(planar[2]).astype(np.float32, copy=False)
    limit = 3 * noise
    limit += np.float32(tolerance)
    off = normals @ scored.T
    off += offsets[:, None]
    near = np.abs(off, out=off) < limit[:SCORED]
    best = int(np.count_nonzero(near, axis=1).argmax())
    centre = planar.mean(1)
    planar -= centre[:, None]  # to keep float32 precision
    normal = normals[best].astype(np.float64)
    d = float(offsets[best]) + float(normal @ centre)  # of the centred points, until the end of this function
    weight = np.reciprocal(np.square(noise))
    for shrink in (1.0, 0.7, 0.5):
        near = _distances(planar, normal, d) < np.maximum(limit * np.float32(shrink), np.float32(0.003))
        if np.count_nonzero(near) < 3:
            return None
        normal, mean = least_squares_plane(planar, weight * near)
        d = -float(normal @ mean)
    residual = _distances(planar, normal, d)
    inside = residual < limit
    d -= float(normal @ centre)
    side = normal @ up if up is not None else d  # the camera is at the origin, at distance d along the normal
    if side < 0:
        normal, d = -normal, -d
    count = int(np.count_nonzero(inside))
    if not count or (up is not None and normal @ up < cosine):
        return None
    residual *= inside
    return Plane(normal, d, count / inside.size, math.sqrt(float(residual @ residual) / count))


def plane_axes(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a rotation (3, 3): z = normal, x = direction to the camera projected into the plane, y = z cross x."""
    for towards in (np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0])):
        x = towards - normal * (towards @ normal)
        if x @ x > 0.01:
            break
    x = unit(x)
    return np.column_stack([x, cross(normal, x), normal])
