"""Conversion of the synchronized messages of a camera to a Frame, for the live node and for bags."""

from collections import Counter
from dataclasses import dataclass, field, replace
import time
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, Frame, InputError
from converseg_ros.core.frame import Depth, Intrinsics
from converseg_ros.lifting.alignment import NO_OFFSET, DepthOffset, RegistrationCheck
from converseg_ros.lifting.registration import register, resized, same_view
from converseg_ros.lifting.tf import TransformError
from converseg_ros.perception.camera import Calibration, Distortion, Rectifier, rectified_size
from converseg_ros.perception.messages import to_calibration, to_depth, to_rgb

DEPTH_INFO = '`depth_camera_info`'
QUIET = 5.0  # seconds without waiting after a transform was not available


@dataclass(frozen=True, slots=True)
class Bundle:
    """Synchronized messages; None for missing ones. depth_info: of the depth camera, the newest."""

    stamp_ns: int
    image: Any
    depth: Any = None
    info: Any = None
    depth_info: Any = None


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """Options of the conversion.

    distortion: how to handle lens distortion. world_frame: a fixed frame, '' for none. level_frame: a frame with z up,
    '' for none. tf_timeout: seconds to wait for a late transform. robot: (H, W) bool, pixels of the (rectified) image
    that show the robot itself, or None. offset: the depth camera, for depth in the frame of the image that is not
    registered to it.
    """

    distortion: Distortion = 'rectify'
    world_frame: str = ''
    level_frame: str = ''
    tf_timeout: float = 0.0
    robot: NDArray[np.bool_] | None = field(default=None, compare=False)
    offset: DepthOffset = NO_OFFSET


class Transforms(Protocol):
    """Interface of a transform tree."""

    def lookup(self, target: str, source: str, stamp_ns: int, timeout: float = 0.0) -> NDArray[np.float64]:
        """Return the 4x4 transform of points from `source` to `target` at a stamp; raise TransformError if unknown."""
        ...


class FrameMaker:
    """Converts messages to a Frame; used by one thread. `problems` counts unusable messages by cause."""

    def __init__(self, transforms: Transforms | None, check: RegistrationCheck | None = None) -> None:
        """Create a converter with `transforms` for the direction of gravity; None for images of a request.

        check: shared by the converters of one camera, so that all of them doubt the same depth.
        """
        self._transforms, self._rectifier, self._depth_rectifier = transforms, Rectifier(), Rectifier()
        self._calibrations: dict[str, tuple[Any, Calibration]] = {}
        self._quiet_until: dict[str, float] = {}
        self._check = check or RegistrationCheck()
        self.problems: Counter[str] = Counter()
        self.note = ''  # why parts of the newest frame are missing
        self.unknown = ''  # the unknown transform of the newest frame, and why

    def make(self, bundle: Bundle, options: FrameOptions) -> tuple[Frame, NDArray[np.float64] | None]:
        """Return the frame, and the 4x4 pose of the camera in `world_frame` or None.

        Depth or camera_info that cannot be used are omitted; `note` has the reason. Raises InputError for an unusable
        image.
        """
        image = bundle.image
        self.note = self.unknown = ''
        rgb = to_rgb(image)
        depth: Depth | None = None
        intrinsics = None
        apart = False
        try:
            depth = None if bundle.depth is None else to_depth(bundle.depth)
            apart = depth is not None and self._apart(bundle, depth, rgb)
            if depth is not None and not apart:
                depth = self._own(bundle, depth, rgb)
        except InputError as error:
            depth = None
            self._note('depth', error)
        other, depth = (depth, None) if apart else (None, depth)
        try:
            if bundle.info is not None:
                calibration = self._calibrate('image', bundle.info, image.header.frame_id)
                rectified_size(rgb.shape, calibration)
                if self._rectifier.distortion != options.distortion:
                    self._rectifier = Rectifier(options.distortion)
                intrinsics = self._rectifier.prepare(calibration)
                rgb, depth = self._rectifier.rectify(rgb, depth)
        except InputError as error:
            self._note('camera_info', error)
        try:
            if other is not None:
                depth = self._registered(bundle, other, intrinsics, options)
            elif depth is not None and options.offset:
                depth = _moved(depth, intrinsics, options.offset)
        except InputError as error:
            depth = None
            self._note('depth', error)
        pose = self._pose(options.world_frame, image.header.frame_id, bundle.stamp_ns, options)
        level = self._pose(options.level_frame, image.header.frame_id, bundle.stamp_ns, options)
        gravity = None if level is None else -level[2, :3]  # down of the level frame, in the camera frame
        robot = None if self._transforms is None else options.robot  # images of a request may be of another camera
        if robot is not None and robot.shape != rgb.shape[:2]:
            size = f'{robot.shape[1]}x{robot.shape[0]}, the image {rgb.shape[1]}x{rgb.shape[0]}'
            raise InputError(
                f'the mask of the robot is {size}', where='robot_mask', do='draw it on an image of this camera'
            )
        frame = Frame(rgb, depth, intrinsics, bundle.stamp_ns, image.header.frame_id, gravity, robot)
        if self._transforms is not None and self._check.refutes(frame, options.offset):
            doubt = InputError(
                'its outlines do not match those of the image, so that it seems not to be registered to it',
                where='depth',
                do='register it in the driver, or set depth_offset (`converseg doctor --bag` estimates it)',
            )
            self._note('depth', doubt)
            frame = replace(frame, depth_doubt=str(doubt))
        return frame, pose

    def _note(self, cause: str, error: ConversegError) -> None:
        self.problems[cause] += 1
        self.note = '; '.join(t for t in (self.note, str(error)) if t)

    @staticmethod
    def _apart(bundle: Bundle, depth: Depth, rgb: NDArray[np.uint8]) -> bool:
        """Return whether depth is of another camera than colour, or of the same with another size and a calibration."""
        if not _same_frame(bundle.depth.header.frame_id, bundle.image.header.frame_id):
            return True
        return bundle.depth_info is not None and depth.shape != rgb.shape[:2]

    @staticmethod
    def _own(bundle: Bundle, depth: Depth, rgb: NDArray[np.uint8]) -> Depth:
        """Return depth in the frame of the colour camera, with the size of colour; InputError for another view.

        Without its own calibration, depth with another size but the same aspect ratio counts as the same view and is
        resized; a calibration must confirm that it is the same view.
        """
        height, width = rgb.shape[:2]
        if bundle.depth_info is not None and bundle.info is not None:
            of_depth, of_colour = to_calibration(bundle.depth_info), to_calibration(bundle.info)
            own = _same_frame(bundle.depth_info.header.frame_id, bundle.depth.header.frame_id)
            known = own and any(of_depth.k) and any(of_colour.k)
            if known and not same_view(of_depth.intrinsics(), of_colour.intrinsics()):
                raise InputError(
                    'depth and colour have the same frame_id, but their intrinsics do not agree',
                    where='depth',
                    do='use depth that is registered to colour, or publish depth in a separate frame',
                )
        if depth.shape == (height, width):
            return depth
        if abs(depth.shape[0] * width - depth.shape[1] * height) <= max(width, height):
            return resized(np.asarray(depth), width, height)
        raise InputError(
            f'depth is {depth.shape[1]}x{depth.shape[0]}, the image {width}x{height}: not the same part of the view',
            where='depth',
            do=f'publish its camera_info on {DEPTH_INFO}, or register depth to colour in the driver',
        )

    def _registered(
        self, bundle: Bundle, stored: Depth, colour: Intrinsics | None, options: FrameOptions
    ) -> NDArray[np.float32]:
        """Return depth of another camera registered to the (rectified) colour camera, or raise InputError."""
        source, target = bundle.depth.header.frame_id, bundle.image.header.frame_id
        apart = f'depth is in frame {source!r}, the image in {target!r}'
        if bundle.depth_info is None:
            do = f'publish it on {DEPTH_INFO}, or use depth that the driver registered to colour'
            raise InputError(f"{apart}, and the depth camera's camera_info is not known", where='depth', do=do)
        if colour is None:
            raise InputError(f"{apart}, and the colour camera's camera_info is not known", where='depth')
        calibration = self._calibrate('depth', bundle.depth_info, source)
        depth = np.asarray(stored)
        rectified_size(depth.shape, calibration)
        if self._depth_rectifier.distortion != options.distortion:
            self._depth_rectifier = Rectifier(options.distortion)
        camera = self._depth_rectifier.prepare(calibration)
        depth = self._depth_rectifier.rectify_depth(depth)
        if _same_frame(source, target):
            return register(depth, camera, colour, same_frame=True)
        transform = self._pose(target, source, bundle.stamp_ns, options)
        if transform is None:
            do = 'publish it on /tf_static, or use depth that the driver registered to colour'
            raise InputError(f'{apart}, and there is no transform between them', where='depth', do=do)
        return register(depth, camera, colour, transform)

    def _calibrate(self, camera: str, message: Any, frame_id: str) -> Calibration:
        if not _same_frame(message.header.frame_id, frame_id):
            raise InputError(
                f'camera_info is of frame {message.header.frame_id!r}, the {camera} of {frame_id!r}',
                where='camera_info',
                do='use the camera_info that belongs to the image',
            )
        known = self._calibrations.get(camera)
        if known is None or known[0] is not message:
            known = self._calibrations[camera] = (message, to_calibration(message))
        return known[1]

    def _pose(self, world: str, frame_id: str, stamp_ns: int, options: FrameOptions) -> NDArray[np.float64] | None:
        """Return the pose of the camera in a frame; lookups do not wait while there is no such frame."""
        if self._transforms is None or not world or not frame_id:
            return None
        timeout = options.tf_timeout if time.monotonic() > self._quiet_until.get(world, 0.0) else 0.0
        try:
            return self._transforms.lookup(world, frame_id, stamp_ns, timeout)
        except TransformError as error:
            self.problems['tf'] += 1
            self.unknown = str(error)
            self._quiet_until[world] = time.monotonic() + QUIET
            return None


def _same_frame(first: str, second: str) -> bool:
    """Return whether two frame ids name the same frame; an empty one matches any."""
    first, second = first.lstrip('/'), second.lstrip('/')
    return not first or not second or first == second


def _moved(depth: Depth, colour: Intrinsics | None, offset: DepthOffset) -> NDArray[np.float32]:
    """Return depth registered to the colour camera by a given offset; InputError without intrinsics."""
    if colour is None:
        raise InputError('depth_offset needs camera_info', where='depth', do='publish camera_info of the image')
    return offset.registered(np.asarray(depth), colour)
