"""Robust planes: consensus of three-point samples (RANSAC, Fischler and Bolles 1981), then trimmed least squares."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.lifting.depth import depth_sigma

HYPOTHESES, SCORED = 96, 768


def subsample(points: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Return at most `most` rows, spread over the array at random but the same every time."""
    if len(points) <= most:
        return points
    return points[np.random.default_rng(0).integers(0, len(points), most)]


def unit(vector: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return a vector of length 1 in float64; a zero vector stays zero."""
    v = np.asarray(vector, np.float64)
    length = float(np.linalg.norm(v))
    return v / length if length > 0 else v


def _hypotheses(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return unit normals (M, 3) and offsets (M,) of planes through three random points each."""
    picks = np.random.default_rng(1).integers(0, len(points), (HYPOTHESES, 3))
    a, b, c = points[picks[:, 0]], points[picks[:, 1]], points[picks[:, 2]]
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    good = length > 1e-9
    normals = normals[good] / length[good, None]
    return normals, -np.einsum('ij,ij->i', normals, a[good])


def fit_plane(
    points: NDArray[np.float32],
    *,
    tolerance: float,
    most: int,
    up: NDArray[np.float64] | None = None,
    tilt: float = 90.0,
) -> Plane | None:
    """Return the plane most of (N, 3) points lie on, or None.

    tolerance: metres a point may be off, on top of three sigmas of depth noise. up: unit vector; the normal then
    points along it and is within `tilt` degrees of it. Without `up` the normal points to the camera (the origin).
    """
    if len(points) < 3:
        return None
    points = subsample(points, most)
    scored = points[:SCORED]
    normals, offsets = _hypotheses(scored)
    if up is not None and len(normals):
        level = np.abs(normals @ up.astype(np.float32)) >= np.cos(np.deg2rad(tilt))
        normals, offsets = normals[level], offsets[level]
    if not len(normals):
        return None
    noise = depth_sigma(points[:, 2]).astype(np.float32)
    limit = tolerance + 3 * noise
    # the share of the ray that is along the normal turns depth noise into distance; 1 is the safe side
    off = np.abs(scored @ normals.T + offsets) < limit[:SCORED, None]
    best = int(off.sum(0).argmax())
    normal, d = normals[best].astype(np.float64), float(offsets[best])
    centre = points.mean(0, dtype=np.float64)
    local = points.astype(np.float64) - centre
    weight = 1.0 / noise.astype(np.float64) ** 2
    for shrink in (1.0, 0.7, 0.5):
        inside = np.abs(local @ normal + (d + normal @ centre)) < np.maximum(limit * shrink, 0.003)
        if np.count_nonzero(inside) < 3:
            return None
        chosen, w = local[inside], weight[inside]
        mean = (w @ chosen) / w.sum()
        chosen = chosen - mean
        normal = np.linalg.eigh((chosen * w[:, None]).T @ chosen)[1][:, 0]
        d = float(-normal @ (mean + centre))
    side = normal @ up if up is not None else d  # the camera is at the origin, at distance d along the normal
    if side < 0:
        normal, d = -normal, -d
    if up is not None and normal @ up < np.cos(np.deg2rad(tilt)):
        return None
    residual = local @ normal + (d + normal @ centre)
    inside = np.abs(residual) < limit
    if not inside.any():
        return None
    rms = float(np.sqrt(np.mean(residual[inside] ** 2)))
    return Plane(normal, d, float(np.mean(inside)), rms)


def plane_axes(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a rotation (3, 3): z = normal, x = the direction to the camera laid into the plane, y = z cross x."""
    for towards in (np.array([0.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0])):
        x = towards - normal * (towards @ normal)
        if np.linalg.norm(x) > 0.1:
            break
    x = unit(x)
    return np.column_stack([x, np.cross(normal, x), normal])
