"""The camera's side of a node: subscriptions, synchronisation, and the way from messages to a Frame."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from converseg_ros.core import ConversegError, Frame, InputError
from converseg_ros.core.frame import Depth, Intrinsics
from converseg_ros.lifting.registration import register
from converseg_ros.lifting.tf import TransformError
from converseg_ros.perception.camera import Calibration, Rectifier, rectified_size
from converseg_ros.ros.camera.qos import FollowingSubscription
from converseg_ros.ros.camera.subscription_thread import SubscriptionThread
from converseg_ros.ros.camera.sync import Bundle, Synchronizer
from converseg_ros.ros.camera.transforms import TransformListener
from converseg_ros.ros.messages import cdr, conversion
from converseg_ros.ros.parameters import Settings

# a change of one of these makes the subscriptions again
SUBSCRIPTION = {'image_transport', 'depth_transport', 'depth', 'qos_reliability', 'qos_depth'}
DEPTH_INFO = '`depth_camera_info`'
CURE = (
    'the middleware is losing large images: start camera and node with '
    'FASTRTPS_DEFAULT_PROFILES_FILE=<share>/converseg_ros/config/fastdds.xml (FASTDDS_DEFAULT_PROFILES_FILE on '
    'Kilted), or make the publisher reliable'
)


class CameraInput:
    """Subscribes to colour, depth and camera_info; calls `take(bundle)` for each moment, in the intake's thread."""

    def __init__(
        self,
        node: Node,
        settings: Settings,
        take: Callable[[Bundle], None],
        jumped: Callable[[str], None],
        intake: SubscriptionThread,
    ) -> None:
        """Subscribe; `jumped(reason)` is called when stamps go back."""
        self._node, self._take, self._jumped, self._intake = node, take, jumped, intake
        self.received: Counter[str] = Counter()
        self.sync = Synchronizer()
        self._lock = Lock()  # messages come in the intake's thread, settings and resets in the executor's
        self._read_info, self._read_depth_info = cdr.InfoReader(), cdr.InfoReader()
        self._subscriptions: dict[str, FollowingSubscription] = {}
        self._window: tuple[float, Counter[str]] = (time.monotonic(), Counter())
        self.losing = ''
        self._depth_info: CameraInfo | None = None
        self.configure(settings, all_anew=True)

    def configure(self, settings: Settings, *, all_anew: bool) -> None:
        """Take new settings; `all_anew` makes the subscriptions again."""
        s = settings
        with self._lock:
            self.sync.configure(s['sync_slop'], s['sync_queue'])
        self._mode = s['depth']
        if all_anew:
            self.destroy()
            qos: dict[str, Any] = {'reliability': s['qos_reliability'], 'depth': s['qos_depth']}
            colour = CompressedImage if s['image_transport'] == 'compressed' else Image
            deep = CompressedImage if s['depth_transport'] == 'compressedDepth' else Image
            topics: list[tuple[str, str, type, Callable[[bytes], None]]] = [
                ('image', 'image', colour, self._taker('image', colour)),
                ('info', 'camera_info', CameraInfo, self._take_info),
            ]
            if self._mode != 'off':
                topics.append(('depth', 'depth', deep, self._taker('depth', deep)))
                topics.append(('depth_info', 'depth_camera_info', CameraInfo, self._take_depth_info))
            for kind, topic, message, callback in topics:
                self._subscriptions[kind] = FollowingSubscription(
                    self._node, message, topic, callback, intake=self._intake, **qos
                )
        self.follow()

    def clear(self) -> None:
        """Forget the messages that wait for their partners."""
        with self._lock:
            self.sync.clear()

    # --- in the intake's thread ---------------------------------------------------------------------------------------

    def _taker(self, kind: str, message: type) -> Callable[[bytes], None]:
        read = cdr.read_compressed if message is CompressedImage else cdr.read_image

        def take(raw: bytes) -> None:
            image = read(raw)
            self._add(kind, conversion.to_ns(image.header.stamp), image)

        return take

    def _take_info(self, raw: bytes) -> None:
        self._add('info', *self._read_info(raw))

    def _take_depth_info(self, raw: bytes) -> None:
        self.received['depth_info'] += 1
        self._depth_info = self._read_depth_info(raw)[1]

    def _add(self, kind: str, stamp_ns: int, message: Any) -> None:
        self.received[kind] += 1
        with self._lock:
            if kind == 'depth':
                self.sync.depth = True  # there is depth, whatever discovery knows yet
            bundles, back = self.sync.add(kind, stamp_ns, message)
            self.sync.counts['replaced'] += max(len(bundles) - 1, 0)
        if back:
            self._jumped(f'the stamps of {kind} went back')
        if bundles:
            self._take(replace(bundles[-1], depth_info=self._depth_info))

    # --- in the executor's thread -------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Adapt to who publishes now; called once a second."""
        for subscription in list(self._subscriptions.values()):
            subscription.refresh()
        depth = self._subscriptions.get('depth')
        wanted = self._mode == 'required' or (self._mode == 'auto' and depth is not None and depth.publishers > 0)
        self.sync.depth = wanted

    def watch_losses(self) -> str:
        """Return a warning with its cure if images are sent but do not arrive; judged over some seconds."""
        since, before = self._window
        now = time.monotonic()
        if now - since < 4.0:
            return self.losing
        image, got = self._subscriptions.get('image'), self.received - before
        self._window = (now, self.received.copy())
        self.losing = ''
        if image is not None and image.publishers:
            if image.other_types:
                types = ', '.join(image.other_types)
                self.losing = f'{image.name} is published as {types}: remap `image`, or set image_transport'
            elif got['info'] >= 8 and got['image'] < 0.5 * got['info']:
                self.losing = f'{got["image"]} images for {got["info"]} camera_info messages: {CURE}'
            elif not got['image']:
                self.losing = f'somebody publishes {image.name}, but nothing arrives: its publisher is idle, or {CURE}'
        return self.losing

    def describe(self) -> dict[str, str]:
        """Return topic and quality of service by kind, in words."""
        return {
            kind: f'{s.name} ({s.publishers} publishers; {s.asks}; subscribed {1 + s.remade} times)'
            for kind, s in self._subscriptions.items()
        }

    def destroy(self) -> None:
        """End all subscriptions."""
        ended, self._subscriptions = self._subscriptions, {}
        for subscription in ended.values():
            subscription.destroy()


class FrameMaker:
    """Makes a Frame of messages; belongs to one thread. `problems` counts what could not be used, by cause."""

    def __init__(self, transforms: TransformListener | None) -> None:
        """Keep `transforms`, which tell where down is; None for images that came with a request."""
        self._transforms, self._rectifier, self._depth_rectifier = transforms, Rectifier(), Rectifier()
        self._calibrations: dict[str, tuple[Any, Calibration]] = {}
        self._quiet_until: dict[str, float] = {}
        self.problems: Counter[str] = Counter()
        self.note = ''  # why the newest frame is less than it could be

    def make(self, bundle: Bundle, settings: Settings) -> tuple[Frame, NDArray[np.float64] | None]:
        """Return the frame, and the camera's 4x4 pose in `world_frame` or None; InputError: the image is unusable.

        Depth or camera_info that cannot be used leave a frame without them; `note` says why.
        """
        image = bundle.image
        self.note = ''
        rgb = conversion.to_rgb(image)
        depth: Depth | None = None
        intrinsics = None
        apart = bundle.depth is not None and self._apart(bundle, rgb)
        try:
            if bundle.depth is not None and not apart:
                depth = self._depth(bundle.depth, rgb)
        except InputError as error:
            self._note('depth', error)
        try:
            if bundle.info is not None:
                calibration = self._calibrate('image', bundle.info, image.header.frame_id)
                rectified_size(rgb.shape, calibration)
                if self._rectifier.distortion != settings['distortion']:
                    self._rectifier = Rectifier(settings['distortion'])
                intrinsics = self._rectifier.prepare(calibration)
                rgb, depth = self._rectifier.rectify(rgb, depth)
        except InputError as error:
            self._note('camera_info', error)
        try:
            if apart:
                depth = self._registered(bundle, intrinsics, settings)
        except InputError as error:
            self._note('depth', error)
        pose = self._pose(settings['world_frame'], image.header.frame_id, bundle.stamp_ns, settings)
        level = self._pose(settings['level_frame'], image.header.frame_id, bundle.stamp_ns, settings)
        gravity = None if level is None else -level[2, :3]  # the level frame's down, seen from the camera
        frame = Frame(rgb, depth, intrinsics, bundle.stamp_ns, image.header.frame_id, gravity)
        return frame, pose

    def _note(self, cause: str, error: ConversegError) -> None:
        self.problems[cause] += 1
        self.note = '; '.join(t for t in (self.note, str(error)) if t)

    @staticmethod
    def _apart(bundle: Bundle, rgb: NDArray[np.uint8]) -> bool:
        """Return whether depth is of another camera than colour, or of the same at another size that is calibrated."""
        frame_id = bundle.depth.header.frame_id
        if frame_id and frame_id != bundle.image.header.frame_id:
            return True
        height, width = getattr(bundle.depth, 'height', rgb.shape[0]), getattr(bundle.depth, 'width', rgb.shape[1])
        return bundle.depth_info is not None and (height, width) != rgb.shape[:2]

    @staticmethod
    def _depth(message: Any, rgb: NDArray[np.uint8]) -> Depth:
        depth = conversion.to_depth(message)
        if depth.shape != rgb.shape[:2]:
            raise InputError(
                f'depth is {depth.shape[1]}x{depth.shape[0]}, the image {rgb.shape[1]}x{rgb.shape[0]}',
                where='depth',
                do=f'publish its camera_info on {DEPTH_INFO}, or register depth to colour in the driver',
            )
        return depth

    def _registered(self, bundle: Bundle, colour: Intrinsics | None, settings: Settings) -> NDArray[np.float32]:
        """Return depth of another camera as the (rectified) colour camera sees it; InputError with what is missing."""
        source, target = bundle.depth.header.frame_id, bundle.image.header.frame_id
        apart = f'depth is in frame {source!r}, the image in {target!r}'
        if bundle.depth_info is None:
            do = f'publish it on {DEPTH_INFO}, or use depth that the driver registered to colour'
            raise InputError(f"{apart}, and the depth camera's camera_info is not known", where='depth', do=do)
        if colour is None:
            raise InputError(f"{apart}, and the colour camera's camera_info is not known", where='depth')
        calibration = self._calibrate('depth', bundle.depth_info, source)
        depth = np.asarray(conversion.to_depth(bundle.depth))
        rectified_size(depth.shape, calibration)
        if self._depth_rectifier.distortion != settings['distortion']:
            self._depth_rectifier = Rectifier(settings['distortion'])
        camera = self._depth_rectifier.prepare(calibration)
        depth = self._depth_rectifier.rectify_depth(depth)
        if not source or source == target:
            return register(depth, camera, colour, same_frame=True)
        transform = self._pose(target, source, bundle.stamp_ns, settings)
        if transform is None:
            do = 'publish it on /tf_static, or use depth that the driver registered to colour'
            raise InputError(f'{apart}, and there is no transform between them', where='depth', do=do)
        return register(depth, camera, colour, transform)

    def _calibrate(self, camera: str, message: Any, frame_id: str) -> Calibration:
        if message.header.frame_id and frame_id and message.header.frame_id != frame_id:
            raise InputError(
                f'camera_info is of frame {message.header.frame_id!r}, the {camera} of {frame_id!r}',
                where='camera_info',
                do='use the camera_info that belongs to the image',
            )
        known = self._calibrations.get(camera)
        if known is None or known[0] is not message:
            known = self._calibrations[camera] = (message, conversion.to_calibration(message))
        return known[1]

    def _pose(self, world: str, frame_id: str, stamp_ns: int, settings: Settings) -> NDArray[np.float64] | None:
        """Return the camera in a frame; while there is no such frame nobody waits for it."""
        if self._transforms is None or not world or not frame_id:
            return None
        timeout = settings['tf_timeout'] if time.monotonic() > self._quiet_until.get(world, 0.0) else 0.0
        try:
            return self._transforms.lookup(world, frame_id, stamp_ns, timeout)
        except TransformError:
            self.problems['tf'] += 1
            self._quiet_until[world] = time.monotonic() + 5.0
            return None
