"""Geometry into another frame."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Geometry, Grasp, OrientedBox, Placement, Plane
from converseg_ros.core.status import GeometryStatus


def transform_points(points: NDArray[np.floating], transform: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return (N, 3) float32 points moved by a rigid 4x4 transform."""
    if not len(points):
        return points.astype(np.float32, copy=False)
    return (points @ transform[:3, :3].T + transform[:3, 3]).astype(np.float32)


def transform_geometry(geometry: Geometry, transform: NDArray[np.float64], frame_id: str) -> Geometry:
    """Return geometry moved by a rigid 4x4 transform into `frame_id`; distances stay those from the camera."""
    r, t = transform[:3, :3], transform[:3, 3]
    box, plane, grasp = geometry.box, geometry.plane, geometry.grasp
    if plane is not None:
        normal = r @ plane.normal
        plane = Plane(normal, plane.d - float(normal @ t), plane.inlier_ratio, plane.rms)
    return replace(
        geometry,
        frame_id=frame_id,
        points=transform_points(geometry.points, transform),
        extra=transform_points(geometry.extra, transform),
        centroid=None if geometry.centroid is None else r @ geometry.centroid + t,
        box=None if box is None else OrientedBox(r @ box.center + t, r @ box.rotation, box.size),
        plane=plane,
        principal_axis=None if geometry.principal_axis is None else r @ geometry.principal_axis,
        placements=tuple(
            Placement(r @ p.position + t, r @ p.rotation, p.free_radius, p.score) for p in geometry.placements
        ),
        grasp=None if grasp is None else Grasp(r @ grasp.position + t, r @ grasp.rotation, grasp.width),
    )


def without_transform(geometry: Geometry, reason: str) -> Geometry:
    """Return geometry that stays in the optical frame because the target frame could not be reached; says so."""
    if geometry.status not in (GeometryStatus.OK, GeometryStatus.PARTIAL):
        return geometry
    text = '; '.join(r for r in (geometry.reason, reason) if r)
    return replace(geometry, status=GeometryStatus.NO_TF, reason=text)
