"""Move the geometry of one image to a newer image."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import Geometry, Placement, Plane
from converseg_ros.lifting.depth import depth_sigma, ray_table
from converseg_ros.lifting.transform import transform_geometry

RISES = 0.02  # metres above the support, in addition to depth noise, from which a point blocks a placement
MAX_NOISE_POINTS = 3  # number of such points that is attributed to noise
SAMPLES = (np.arange(16) + 0.5) / 8 - 1  # in units of the radius of a disc
NONE, NO_PIXELS = np.zeros((0, 3), np.float32), np.zeros(0, np.int64)


def move_geometry(geometry: Geometry, motion: NDArray[np.float64], frame: Frame) -> Geometry:
    """Return the geometry after a rigid 4x4 motion of the object in the camera frame of `frame`.

    The result has no points, because they were measured in the other image, and no placements that have become
    occupied.
    """
    distance = geometry.distance
    if geometry.centroid is not None:
        distance = float(cv2.norm(motion[:3, :3] @ geometry.centroid + motion[:3, 3]))
    moved = transform_geometry(without_points(geometry), motion, frame.frame_id, distance=distance)
    if not moved.placements or moved.plane is None:
        return moved
    blocked = _blocked(moved.placements, moved.plane, frame)
    if not blocked.any():
        return moved
    reason = '; '.join(r for r in (moved.reason, 'a placement has become occupied') if r)
    return replace(moved, placements=tuple(p for p, hit in zip(moved.placements, blocked) if not hit), reason=reason)


def without_points(geometry: Geometry) -> Geometry:
    """Return the geometry without points and pixels."""
    if not (len(geometry.points) or len(geometry.extra)):
        return geometry
    return replace(geometry, points=NONE, extra=NONE, pixels=NO_PIXELS)


def _blocked(placements: Sequence[Placement], plane: Plane, frame: Frame) -> NDArray[np.bool_]:
    """Return for each placement whether depth shows an object above its disc, sampled at SAMPLES points per axis."""
    k = frame.intrinsics
    if k is None or frame.depth is None:
        return np.zeros(len(placements), np.bool_)
    centres = np.array([p.position for p in placements])
    reach = np.array([p.free_radius for p in placements])
    x, y, z = centres.T
    ahead = np.maximum(z, 1e-3)
    ru, rv = k.fx * reach / ahead, k.fy * reach / ahead
    columns = (k.fx * x / ahead + k.cx)[:, None] + ru[:, None] * SAMPLES
    rows = (k.fy * y / ahead + k.cy)[:, None] + rv[:, None] * SAMPLES
    u, v = (np.clip(np.rint(a), 0, n - 1).astype(np.intp) for a, n in ((columns, frame.width), (rows, frame.height)))
    depth = frame.depth.take(v[:, :, None] * frame.width + u[:, None, :])
    rx, ry = ray_table(k)
    px, py = depth * rx[u][:, None, :], depth * ry[v][:, :, None]
    n = plane.normal
    with np.errstate(invalid='ignore'):
        height = n[0] * px + n[1] * py + n[2] * depth + plane.d
        cx, cy, cz = centres.T[:, :, None, None]
        aside = (px - cx) ** 2 + (py - cy) ** 2 + (depth - cz) ** 2 - height**2
        risen = (height > RISES + 4 * depth_sigma(depth)) & (height < 1.0) & (aside < (reach**2)[:, None, None])
    # number of pixels that a sample represents, without counting a pixel twice
    each = np.minimum(4 * ru * rv / SAMPLES.size**2, 1.0)
    return np.asarray((np.count_nonzero(risen, axis=(1, 2)) * each > MAX_NOISE_POINTS) & (z > 0))
