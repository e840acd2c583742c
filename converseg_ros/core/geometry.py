"""The 3D geometry of a region, in metres and in the frame `frame_id`, and poses of cameras."""

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


def look_at(eye: NDArray[np.float64], target: NDArray[np.float64], roll: float = 0.0) -> NDArray[np.float64]:
    """Return the 4x4 pose of an optical frame (x right, y down, z forward) at `eye` that looks at `target`.

    roll: rotation about the viewing direction in radians.
    """
    z = target - eye
    z /= np.linalg.norm(z)
    x = np.cross(z, [0.0, 0.0, 1.0])
    x /= max(float(np.linalg.norm(x)), 1e-9)
    y = np.cross(z, x)
    c, s = np.cos(roll), np.sin(roll)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = c * x + s * y, -s * x + c * y, z, eye
    return pose
