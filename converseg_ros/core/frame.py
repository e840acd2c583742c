"""An RGB-D image with intrinsics, in metres and in the optical frame of the camera (REP 103, REP 118)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A rectified pinhole camera: pixel (u, v) = (fx x/z + cx, fy y/z + cy), for an image of width x height."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def __post_init__(self) -> None:
        """Reject intrinsics that no camera has."""
        if self.width <= 0 or self.height <= 0:
            raise InputError(f'image size is {self.width}x{self.height}', where='intrinsics')
        if not np.all(np.isfinite([self.fx, self.fy, self.cx, self.cy])) or self.fx <= 0 or self.fy <= 0:
            raise InputError(
                f'K has fx={self.fx}, fy={self.fy}, cx={self.cx}, cy={self.cy}',
                where='intrinsics',
                do='calibrate the camera or fix its camera_info publisher',
            )

    @classmethod
    def from_matrix(cls, k: Sequence[float], width: int, height: int) -> 'Intrinsics':
        """Return the camera of the nine numbers of K in row-major order; raise InputError if K is not a camera matrix.

        K is [fx 0 cx; 0 fy cy; 0 0 1] (sensor_msgs/CameraInfo). In column-major order cx and cy would silently be lost,
        so every other number is checked. A skew of up to a thousandth of fx is ignored.
        """
        values = [float(v) for v in k]
        if len(values) != 9 or not any(values):
            found = f'{len(values)} numbers' if len(values) != 9 else 'all zero: the camera is not calibrated'
            raise InputError(f'K is {found}', where='camera_info', do='calibrate the camera, and give K row by row')
        fx, skew, cx, k3, fy, cy, k6, k7, k8 = values
        shown = ', '.join(f'{v:g}' for v in values)
        do = 'write K row by row: [fx 0 cx; 0 fy cy; 0 0 1]'
        if not np.isfinite(values).all():
            raise InputError(f'K has numbers that are not finite ({shown})', where='camera_info', do=do)
        if k3 != 0 or k6 != 0 or k7 != 0 or abs(k8 - 1) > 1e-6:
            raise InputError(f'K is not a camera matrix ({shown})', where='camera_info', do=do)
        if abs(skew) > 1e-3 * abs(fx):
            raise InputError(f'K has a skew of {skew:g} pixels, which is not supported', where='camera_info', do=do)
        return cls(fx, fy, cx, cy, width, height)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Return the 3x3 matrix K."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], np.float64)

    def scaled(self, width: int, height: int) -> 'Intrinsics':
        """Return the same camera at another resolution; pixel centres are at integers, as in OpenCV and ROS."""
        sx, sy = width / self.width, height / self.height
        return Intrinsics(
            self.fx * sx, self.fy * sy, (self.cx + 0.5) * sx - 0.5, (self.cy + 0.5) * sy - 0.5, width, height
        )


class StoredDepth:
    """An (H, W) depth image as the sensor stores it, converted to float32 metres on access.

    Propagating a mask to a newer image needs only a few thousand of its pixels. `np.asarray` converts all of them.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, stored: NDArray[Any], metres: Callable[[NDArray[Any]], NDArray[np.float32]]) -> None:
        """Store (H, W) values; `metres` converts an array of any shape to metres, NaN where unknown."""
        self._stored, self._metres = stored, metres
        self.shape: tuple[int, ...] = stored.shape

    @cached_property
    def _all(self) -> NDArray[np.float32]:
        return self._metres(self._stored)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all pixels in metres."""
        return np.array(self._all, dtype, copy=True) if copy else np.asarray(self._all, dtype)

    def take(self, pixels: NDArray[np.signedinteger]) -> NDArray[np.float32]:
        """Return the depth in metres of pixels with given flat indices (row * W + column), in the shape of `pixels`."""
        return self._metres(self._stored.take(pixels))


Depth: TypeAlias = NDArray[np.float32] | StoredDepth


@dataclass(frozen=True, slots=True)
class Frame:
    """A colour image and, optionally, its depth and intrinsics.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 metres along the optical axis, registered to rgb, NaN or 0 where unknown; an array, or a
            StoredDepth that is decoded on access (`np.asarray` returns an array of either).
        stamp_ns: stamp of the source image in nanoseconds.
        frame_id: optical frame of the camera.
        gravity: (3,) unit vector in the optical frame that points down, or None if TF does not provide it.
        robot: (H, W) bool, pixels that show the robot itself, which is never part of an answer; None if unknown.
        depth_doubt: why depth seems not to be registered to rgb, '' if it does.
    """

    rgb: NDArray[np.uint8]
    depth: Depth | None = None
    intrinsics: Intrinsics | None = None
    stamp_ns: int = 0
    frame_id: str = ''
    gravity: NDArray[np.float64] | None = field(default=None)
    robot: NDArray[np.bool_] | None = None
    depth_doubt: str = ''

    def __post_init__(self) -> None:
        """Validate shapes and types."""
        if self.rgb.dtype != np.uint8 or self.rgb.ndim != 3 or self.rgb.shape[2] != 3 or 0 in self.rgb.shape:
            raise InputError(f'rgb is {self.rgb.dtype} {self.rgb.shape}, not uint8 (H, W, 3)', where='frame')
        if self.depth is not None and (self.depth.dtype != np.float32 or self.depth.shape != self.rgb.shape[:2]):
            raise InputError(
                f'depth is {self.depth.dtype} {self.depth.shape}, not float32 {self.rgb.shape[:2]}',
                where='frame',
                do='register the depth image to the colour image',
            )
        if self.robot is not None and (self.robot.dtype != np.bool_ or self.robot.shape != self.rgb.shape[:2]):
            raise InputError(
                f'the mask of the robot is {self.robot.dtype} {self.robot.shape}, not bool {self.rgb.shape[:2]}',
                where='frame',
                do='draw it on an image of this camera',
            )
        k = self.intrinsics
        if k is not None and (k.height, k.width) != self.rgb.shape[:2]:
            raise InputError(
                f'intrinsics are for {k.width}x{k.height}, the image is {self.width}x{self.height}', where='frame'
            )

    @property
    def height(self) -> int:
        """Return the number of rows of the colour image."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Return the number of columns of the colour image."""
        return int(self.rgb.shape[1])
