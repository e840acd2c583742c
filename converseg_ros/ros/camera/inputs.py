"""Camera input of a node: subscriptions and synchronisation."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
import time
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from converseg_ros.core.stamps import to_ns
from converseg_ros.perception.frames import Bundle
from converseg_ros.ros.camera.qos import FollowingSubscription
from converseg_ros.ros.camera.subscription_thread import SubscriptionThread
from converseg_ros.ros.camera.sync import Synchronizer
from converseg_ros.ros.messages import cdr
from converseg_ros.ros.settings import Settings

# a change of one of these creates the subscriptions again
SUBSCRIPTION = {'image_transport', 'depth_transport', 'depth', 'qos_reliability', 'qos_depth'}
CURE = (
    'the middleware is losing large images: start camera and node with '
    'FASTRTPS_DEFAULT_PROFILES_FILE=<share>/converseg_ros/config/fastdds.xml (FASTDDS_DEFAULT_PROFILES_FILE on '
    'Kilted), or make the publisher reliable'
)


class CameraInput:
    """Subscribes to colour, depth and camera_info; calls `take(bundle)` for each frame, in the subscription thread."""

    def __init__(
        self,
        node: Node,
        settings: Settings,
        take: Callable[[Bundle], None],
        jumped: Callable[[str], None],
        subscription_thread: SubscriptionThread,
    ) -> None:
        """Subscribe; `jumped(reason)` is called when stamps jump back."""
        self._node, self._take, self._jumped, self._subscription_thread = node, take, jumped, subscription_thread
        self.received: Counter[str] = Counter()
        self.sync = Synchronizer()
        self._lock = Lock()  # messages arrive in the subscription thread, settings and resets in the executor's
        self._read_info, self._read_depth_info = cdr.InfoReader(), cdr.InfoReader()
        self._subscriptions: dict[str, FollowingSubscription] = {}
        self._window: tuple[float, Counter[str]] = (time.monotonic(), Counter())
        self.losing = ''
        self._depth_info: CameraInfo | None = None
        self.configure(settings, all_anew=True)

    def configure(self, settings: Settings, *, all_anew: bool) -> None:
        """Set new settings; `all_anew` creates the subscriptions again."""
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
                    self._node, message, topic, callback, subscription_thread=self._subscription_thread, **qos
                )
        self.follow()

    def clear(self) -> None:
        """Clear the messages that wait for synchronisation."""
        with self._lock:
            self.sync.clear()

    # --- in the subscription thread -----------------------------------------------------------------------------------

    def _taker(self, kind: str, message: type) -> Callable[[bytes], None]:
        read = cdr.read_compressed if message is CompressedImage else cdr.read_image

        def take(raw: bytes) -> None:
            image = read(raw)
            self._add(kind, to_ns(image.header.stamp), image)

        return take

    def _take_info(self, raw: bytes) -> None:
        self._add('info', *self._read_info(raw))

    def _take_depth_info(self, raw: bytes) -> None:
        self.received['depth_info'] += 1
        self._depth_info = self._read_depth_info(raw)[1]

    def _add(self, kind: str, stamp_ns: int, message: Any) -> None:
        self.received[kind] += 1
        if kind != 'info' and stamp_ns <= 0:  # without a stamp the age of an answer would be unknown
            self.received['unstamped'] += 1
            return
        with self._lock:
            if kind == 'depth':
                self.sync.depth = True  # depth exists, even if discovery has not reported its publisher
            bundles, back = self.sync.add(kind, stamp_ns, message)
            self.sync.counts['replaced'] += max(len(bundles) - 1, 0)
        if back:
            self._jumped(f'the stamps of {kind} went back')
        if bundles:
            self._take(replace(bundles[-1], depth_info=self._depth_info))

    # --- in the executor's thread -------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Adapt to the current publishers; called once a second."""
        for subscription in list(self._subscriptions.values()):
            subscription.refresh()
        depth = self._subscriptions.get('depth')
        wanted = self._mode == 'required' or (self._mode == 'auto' and depth is not None and depth.publishers > 0)
        self.sync.depth = wanted

    def watch_losses(self) -> str:
        """Return a warning with a remedy if images are sent but do not arrive; judged over some seconds."""
        since, before = self._window
        now = time.monotonic()
        if now - since < 4.0:
            return self.losing
        image, got = self._subscriptions.get('image'), self.received - before
        self._window = (now, self.received.copy())
        self.losing = ''
        if image is not None and image.other_types:
            types = ', '.join(image.other_types)
            self.losing = f'{image.name} is published as {types}: remap `image`, or set image_transport'
        elif image is not None and got['unstamped']:
            self.losing = 'images or depth without a stamp (0) are not used: set the stamps in the camera driver'
        elif image is not None and image.publishers:
            if got['info'] >= 8 and got['image'] < 0.5 * got['info']:
                self.losing = f'{got["image"]} images for {got["info"]} camera_info messages: {CURE}'
            elif not got['image']:
                self.losing = f'somebody publishes {image.name}, but nothing arrives: its publisher is idle, or {CURE}'
        return self.losing

    def describe(self) -> dict[str, str]:
        """Return topic and QoS by kind, as text."""
        return {
            kind: f'{s.name} ({s.publishers} publishers; {s.asks}; subscribed {1 + s.remade} times)'
            for kind, s in self._subscriptions.items()
        }

    def destroy(self) -> None:
        """End all subscriptions."""
        ended, self._subscriptions = self._subscriptions, {}
        for subscription in ended.values():
            subscription.destroy()
