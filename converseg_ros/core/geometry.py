"""The 3D geometry of a region; metres, in the frame `frame_id`."""

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
    """Points p with normal . p + d = 0; the normal points to the camera, or against gravity if that is known."""

    normal: NDArray[np.float64]
    d: float
    inlier_ratio: float
    rms: float  # metres


@dataclass(frozen=True, slots=True)
class Placement:
    """A pose to set something down; rotation (3, 3): z is the normal of the surface, x points towards the camera."""

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    free_radius: float
    score: float


@dataclass(frozen=True, slots=True)
class Grasp:
    """A grasp hint for a parallel gripper; columns of rotation (3, 3): closing direction, principal axis, approach."""

    position: NDArray[np.float64]
    rotation: NDArray[np.float64]
    width: float


@dataclass(frozen=True, slots=True)
class Geometry:
    """The 3D geometry of one region.

    points: (N, 3) float32, the valid, filtered points. pixels: (N,) int64, the flat pixel index of each point in the
    source image (row * width + column), so that an organized cloud, colours and labels need no copy. extra: (M, 3)
    float32, points of safety regions that no pixel measured (frustums where depth is missing).
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
