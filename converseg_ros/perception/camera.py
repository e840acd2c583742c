"""The calibration of a camera (the fields of sensor_msgs/CameraInfo), and rectification."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Depth, Intrinsics

Distortion = Literal['rectify', 'refuse', 'ignore']
# model -> possible numbers of coefficients
MODELS = {'plumb_bob': (4, 5), 'rational_polynomial': (8, 12, 14), 'equidistant': (4,)}
# Models that equal a pinhole camera if all their coefficients are zero. A fisheye model does not: its projection
# distorts straight lines for any coefficients.
PERSPECTIVE = (
    'plumb_bob',
    'rational_polynomial',
    'brown_conrady',
    'modified_brown_conrady',
    'inverse_brown_conrady',
    'none',
)
MIN_SEEN = 0.5  # minimum share of the rectified image that must be covered by the camera image


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fields of sensor_msgs/CameraInfo, with its names and order."""

    width: int
    height: int
    k: tuple[float, ...]
    d: tuple[float, ...] = ()
    model: str = 'plumb_bob'
    p: tuple[float, ...] = field(default=())
    binning_x: int = 0
    binning_y: int = 0
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)  # x_offset, y_offset, width, height at full resolution

    @property
    def distorted(self) -> bool:
        """Return whether the images have lens distortion."""
        return any(self.d) or (self.model or 'none').casefold() not in PERSPECTIVE

    def image_size(self) -> tuple[int, int]:
        """Return (width, height) of the images, after region of interest and binning."""
        width, height = (self.roi[2] or self.width), (self.roi[3] or self.height)
        return width // max(self.binning_x, 1), height // max(self.binning_y, 1)

    def intrinsics(self) -> Intrinsics:
        """Return K for the image size of the messages; raise InputError if the camera is not calibrated."""
        x0, y0, wide, high = self.roi
        full = Intrinsics.from_matrix(self.k, wide or self.width, high or self.height)
        full = replace(full, cx=full.cx - x0, cy=full.cy - y0)
        if self.binning_x > 1 or self.binning_y > 1:
            return full.scaled(*self.image_size())
        return full


class Rectifier:
    """Rectifies the images of one camera; the maps are computed once for each calibration."""

    def __init__(self, distortion: Distortion = 'rectify') -> None:
        """Create a rectifier; `distortion` decides what happens to images with lens distortion.

        With 'ignore' the images are assumed to be rectified already, with 'refuse' they are rejected.
        """
        self.distortion = distortion
        self._calibration: Calibration | None = None
        self._maps: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._intrinsics: Intrinsics | None = None

    def prepare(self, calibration: Calibration) -> Intrinsics:
        """Return the intrinsics of the images from `rectify`; raise InputError if rectification is not possible."""
        if calibration != self._calibration or self._intrinsics is None:
            self._intrinsics, self._maps = self._make(calibration)
            self._calibration = calibration
        return self._intrinsics

    def _make(self, c: Calibration) -> tuple[Intrinsics, tuple[NDArray[Any], NDArray[Any]] | None]:
        import cv2

        known = c.intrinsics()
        if self.distortion == 'ignore':
            return self._projected(c, known), None
        if not c.distorted:
            return known, None
        if self.distortion == 'refuse':
            raise InputError(
                'the camera has lens distortion', where='camera_info', do='send rectified images or allow rectification'
            )
        if len(c.d) not in MODELS.get(c.model, ()):
            raise InputError(
                f'distortion model {c.model!r} with {len(c.d)} coefficients is not known',
                where='camera_info',
                do=f'use one of {", ".join(MODELS)}, or send rectified images',
            )
        size, d = (known.width, known.height), np.array(c.d, np.float64)
        if not np.isfinite(d).all():
            raise InputError(
                f'D has coefficients that are not finite ({", ".join(f"{v:g}" for v in c.d)})',
                where='camera_info',
                do='calibrate the camera or fix its camera_info publisher',
            )
        module = cv2.fisheye if c.model == 'equidistant' else cv2
        with np.errstate(all='ignore'):
            columns, rows = module.initUndistortRectifyMap(known.matrix, d, np.eye(3), known.matrix, size, cv2.CV_32FC1)
            inside = (columns > -1) & (columns < known.width) & (rows > -1) & (rows < known.height)
        if inside.mean() < MIN_SEEN:
            raise InputError(
                f'with the distortion D ({", ".join(f"{v:g}" for v in c.d)}) only {inside.mean():.0%} of the rectified'
                ' image would be covered by the camera image',
                where='camera_info',
                do='calibrate the camera or fix its camera_info publisher',
            )
        return known, cv2.convertMaps(columns, rows, cv2.CV_16SC2)

    @staticmethod
    def _projected(c: Calibration, known: Intrinsics) -> Intrinsics:
        """Return the intrinsics in P (of rectified images) at the resolution of the images; K if P is not given."""
        if len(c.p) != 12 or c.p[0] <= 0:
            return known
        k = (*c.p[:3], *c.p[4:7], *c.p[8:11])
        return Calibration(c.width, c.height, k, (), c.model, (), c.binning_x, c.binning_y, c.roi).intrinsics()

    def rectify(self, rgb: NDArray[np.uint8], depth: Depth | None) -> tuple[NDArray[np.uint8], Depth | None]:
        """Return rectified (H, W, 3) colour and (H, W) depth; depth is never interpolated."""
        if self._maps is None:
            return rgb, depth
        import cv2

        straight = np.asarray(cv2.remap(rgb, *self._maps, cv2.INTER_LINEAR), np.uint8)
        return straight, None if depth is None else self.rectify_depth(np.asarray(depth))

    def rectify_depth(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return rectified (H, W) depth, NaN outside of the image; never interpolated."""
        if self._maps is None:
            return depth
        import cv2

        nan = float('nan')
        none: Any = None  # nearest neighbours need no fractions
        flat = cv2.remap(depth, self._maps[0], none, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=nan)
        return np.asarray(flat, np.float32)


def rectified_size(rgb_shape: Sequence[int], calibration: Calibration) -> None:
    """Raise InputError if images of this (H, W, ...) shape do not match the calibration."""
    width, height = calibration.image_size()
    if (rgb_shape[1], rgb_shape[0]) != (width, height):
        raise InputError(
            f'the image is {rgb_shape[1]}x{rgb_shape[0]}, camera_info describes {width}x{height}',
            where='camera_info',
            do='use the camera_info that belongs to the image',
        )
