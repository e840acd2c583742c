"""Geometry measured in one image, moved to a newer one that nobody has measured yet."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import Geometry, Placement, Plane
from converseg_ros.lifting.depth import depth_sigma, ray_table
from converseg_ros.lifting.transform import transform_geometry

RISES = 0.02  # metres above the support, beyond depth noise, that stand in the way
FEW = 3  # points that may do so by chance
NONE = np.zeros((0, 3), np.float32)


def move_geometry(geometry: Geometry, motion: NDArray[np.float64], frame: Frame) -> Geometry:
    """Return the geometry after a rigid 4x4 motion of the thing in the camera's frame, to which `frame` belongs.

    Its points are left behind: they were measured in the other image. Placements that something has come upon since
    are dropped.
    """
    moved = transform_geometry(replace(geometry, points=NONE, extra=NONE), motion, frame.frame_id)
    free = moved.placements
    if free and moved.plane is not None:
        plane = moved.plane
        free = tuple(p for p in free if not _blocked(p, plane, frame))
    reason = moved.reason
    if len(free) < len(moved.placements):
        reason = '; '.join(r for r in (reason, 'something has come upon a placement') if r)
    distance = moved.distance if moved.centroid is None else float(np.linalg.norm(moved.centroid))
    return replace(moved, pixels=np.zeros(0, np.int64), placements=free, reason=reason, distance=distance)


def _blocked(placement: Placement, plane: Plane, frame: Frame) -> bool:
    """Return whether depth shows something above the free disc of a placement."""
    k = frame.intrinsics
    x, y, z = placement.position.tolist()
    if k is None or frame.depth is None or z <= 0:
        return False
    reach = placement.free_radius
    u, v, ru, rv = k.fx * x / z + k.cx, k.fy * y / z + k.cy, k.fx * reach / z, k.fy * reach / z
    x0, x1 = max(int(u - ru), 0), min(int(u + ru) + 1, frame.width)
    y0, y1 = max(int(v - rv), 0), min(int(v + rv) + 1, frame.height)
    step = max(1, min(x1 - x0, y1 - y0) // 24)
    depth = frame.depth[y0:y1:step, x0:x1:step].astype(np.float64)
    rx, ry = ray_table(k)
    px, py = depth * rx[x0:x1:step], depth * ry[y0:y1:step, None]
    n, c = plane.normal, placement.position
    with np.errstate(invalid='ignore'):
        height = n[0] * px + n[1] * py + n[2] * depth + plane.d
        aside = (px - c[0]) ** 2 + (py - c[1]) ** 2 + (depth - c[2]) ** 2 - height**2
        risen = (height > RISES + 4 * depth_sigma(depth)) & (height < 1.0) & (aside < reach**2)
    return int(np.count_nonzero(risen)) > FEW
