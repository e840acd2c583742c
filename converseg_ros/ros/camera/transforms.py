"""Fill the transform buffer from /tf and /tf_static, and wait shortly for late transforms."""

from threading import Condition
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from tf2_msgs.msg import TFMessage

from converseg_ros.core.stamps import to_ns
from converseg_ros.lifting.tf import TransformBuffer, TransformError
from converseg_ros.ros.camera.subscription_thread import SubscriptionThread


class TransformListener:
    """Fills a buffer in the subscription thread; worker threads look up transforms and may wait."""

    def __init__(self, node: Node, subscription_thread: SubscriptionThread) -> None:
        """Subscribe to both topics."""
        self._buffer, self._arrived = TransformBuffer(), Condition()
        self._node, self._subscription_thread = node, subscription_thread
        self.problems = 0
        moving = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=100)
        static = QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=100,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
            reliability=ReliabilityPolicy.RELIABLE,
        )
        self._subscriptions = [
            subscription_thread.subscribe(TFMessage, '/tf', self._moving, moving),
            subscription_thread.subscribe(TFMessage, '/tf_static', self._static, static),
        ]

    def _moving(self, message: Any) -> None:
        self._take(message, static=False)

    def _static(self, message: Any) -> None:
        self._take(message, static=True)

    def _take(self, message: Any, *, static: bool) -> None:
        with self._arrived:
            for t in message.transforms:
                p, q, ns = t.transform.translation, t.transform.rotation, to_ns(t.header.stamp)
                place, turn = (p.x, p.y, p.z), (q.x, q.y, q.z, q.w)
                try:
                    self._buffer.set(t.header.frame_id, t.child_frame_id, ns, place, turn, static=static)
                except TransformError as error:
                    self.problems += 1
                    self._node.get_logger().warning(str(error), throttle_duration_sec=10.0)
            self._arrived.notify_all()

    def lookup(self, target: str, source: str, stamp_ns: int, timeout: float = 0.0) -> NDArray[np.float64]:
        """Return the 4x4 transform of points from `source` to `target` at a stamp; wait up to `timeout` seconds."""
        end = time.monotonic() + timeout
        with self._arrived:
            while True:
                try:
                    return self._buffer.lookup(target, source, stamp_ns)
                except TransformError as error:
                    left = end - time.monotonic()
                    if not error.wait or left <= 0:
                        raise
                    self._arrived.wait(left)

    def clear(self) -> None:
        """Clear dynamic transforms (after a clock jump)."""
        with self._arrived:
            self._buffer.clear()

    def destroy(self) -> None:
        """End the subscriptions."""
        for subscription in self._subscriptions:
            self._subscription_thread.unsubscribe(subscription)
