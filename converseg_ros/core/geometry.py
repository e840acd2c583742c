"""What lifting says of a region in 3D; metres, in the frame named by `frame_id`."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.status import GeometryStatus


@dataclass(frozen=True, slots=True)
class OrientedBox:
    """A box with centre (3,), rotation (3, 3) whose columns are its axes, and size (3,) along them."""

    center: NDArray[np.float64]
    rotation: NDArray[np.float64]
    size: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plane:
    """Points p with normal . p + d = 0; the normal points to the camera, or against gravity where that is known."""

    normal: NDArray[np.float64]
    d: float
    inlier_ratio: float
    rms: float  # metres


@dataclass(frozen=True, slots=True)
class Placement:
    """Where something can be set down: rotation (3, 3) has z = the surface's normal, x towards the camera."""

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    free_radius: float
    score: float


@dataclass(frozen=True, slots=True)
class Grasp:
    """A hint for a parallel gripper: rotation (3, 3) columns = closing direction, principal axis, approach."""

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    width: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """One region in 3D.

    points: (N, 3) float32, the valid, filtered points. pixels: (N,) int64, the flat pixel index of each point in the
    source image (row * width + column), so that an organized cloud, colours and labels can be made without a copy.
    Safety regions may carry points that no pixel measured (frustums where depth is missing): `extra` (M, 3) float32.
    """

    status: GeometryStatus
    reason: str = ''
    frame_id: str = ''
    points: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    extra: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    valid_depth_ratio: float = 0.0
    centroid: NDArray[np.float64] | None = None
    distance: float = float('nan')
    box: OrientedBox | None = None
    plane: Plane | None = None
    principal_axis: NDArray[np.float64] | None = None
    placements: tuple[Placement, ...] = ()
    grasp: Grasp | None = None


NOT_COMPUTED = Geometry(GeometryStatus.NOT_COMPUTED)
