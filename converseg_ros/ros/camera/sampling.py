"""Sample images that differ from the previous one from a camera topic, and write them as PNG files."""

from collections.abc import Callable
from pathlib import Path
import time
from typing import Any

from rclpy.node import Node
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image

from converseg_ros.core.errors import ConversegError
from converseg_ros.core.image_files import write_image
from converseg_ros.perception.keyframes import Keyframes
from converseg_ros.perception.messages import to_rgb
from converseg_ros.ros.camera.qos import FollowingSubscription


class FrameSampler:
    """Subscribes while needed; calls `on_done` when there are enough images. Existing images in the folder count."""

    def __init__(
        self,
        node: Node,
        folder: Path,
        count: int,
        *,
        period: float,
        change: float,
        compressed: bool,
        on_frame: Callable[[int], None],
        on_done: Callable[[str], None],
    ) -> None:
        self.folder, self.count, self.period = folder, count, period
        self._on_frame, self._on_done = on_frame, on_done
        self._keyframes = Keyframes(change)
        self._next = 0.0
        self._node = node
        self.taken = len(list(folder.glob('*.png')))
        self._subscription: FollowingSubscription | None = None
        kind = CompressedImage if compressed else Image
        if self.taken < count:
            self._subscription = FollowingSubscription(node, kind, 'image', self._take)
        self._timer: Timer | None = node.create_timer(0.5, self._tick)

    def _tick(self) -> None:
        if self._subscription is not None:
            self._subscription.refresh()
        if self.taken >= self.count:
            self.stop('')

    def _take(self, message: Any) -> None:
        """Write the image if the period has passed and it differs from the last one."""
        if time.monotonic() < self._next or self.taken >= self.count:
            return
        try:
            rgb = to_rgb(message)
            if not self._keyframes.accepts(rgb):
                return
            write_image(self.folder / f'frame_{self.taken:05d}.png', rgb)
        except (ConversegError, OSError) as error:
            self.stop(str(error))
            return
        self._next = time.monotonic() + self.period
        self.taken += 1
        self._on_frame(self.taken)

    def stop(self, trouble: str) -> None:
        """End sampling once, and call `on_done`."""
        if self._timer is None:
            return
        self._node.destroy_timer(self._timer)
        self._timer = None
        if self._subscription is not None:
            self._subscription.destroy()
        self._on_done(trouble)
