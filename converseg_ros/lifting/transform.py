"""Transformation of geometry into another frame."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Geometry, Grasp, OrientedBox, Placement, Plane
from converseg_ros.core.status import GeometryStatus


def transform_points(points: NDArray[np.floating], transform: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return (N, 3) float32 points transformed by a rigid 4x4 matrix."""
    if not len(points):
        return points.astype(np.float32, copy=False)
    return (points @ transform[:3, :3].T + transform[:3, 3]).astype(np.float32)


def transform_geometry(
    geometry: Geometry, transform: NDArray[np.float64], frame_id: str, *, distance: float | None = None
) -> Geometry:
    """Return geometry transformed by a rigid 4x4 matrix into `frame_id`.

    distance: the new distance from the camera, if that has moved; otherwise it is unchanged.
    """
    r, t = transform[:3, :3], transform[:3, 3]
    box, plane, grasp = geometry.box, geometry.plane, geometry.grasp
    if plane is not None:
        normal = r @ plane.normal
        plane = Plane(normal, plane.d - float(normal @ t), plane.inlier_ratio, plane.rms)
    placements: tuple[Placement, ...] = ()
    if geometry.placements:
        positions = np.array([p.position for p in geometry.placements]) @ r.T + t
        turned: dict[int, NDArray[np.float64]] = {}  # placements on one plane share their rotation
        for p in geometry.placements:
            if id(p.rotation) not in turned:
                turned[id(p.rotation)] = r @ p.rotation
        placements = tuple(
            Placement(position, turned[id(p.rotation)], p.free_radius, p.score)
            for position, p in zip(positions, geometry.placements)
        )
    return Geometry(
        geometry.status,
        geometry.reason,
        frame_id,
        transform_points(geometry.points, transform),
        geometry.pixels,
        transform_points(geometry.extra, transform),
        geometry.valid_depth_ratio,
        None if geometry.centroid is None else r @ geometry.centroid + t,
        geometry.distance if distance is None else distance,
        None if box is None else OrientedBox(r @ box.center + t, r @ box.rotation, box.size),
        plane,
        None if geometry.principal_axis is None else r @ geometry.principal_axis,
        placements,
        None if grasp is None else Grasp(r @ grasp.position + t, r @ grasp.rotation, grasp.width),
    )


def without_transform(geometry: Geometry, reason: str) -> Geometry:
    """Return geometry that stays in the optical frame because the target frame is not available, with the reason."""
    if geometry.status not in (GeometryStatus.OK, GeometryStatus.PARTIAL):
        return geometry
    text = '; '.join(r for r in (geometry.reason, reason) if r)
    return replace(geometry, status=GeometryStatus.NO_TF, reason=text)
