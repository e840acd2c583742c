"""Set the instructions of a segmenter node and record its messages, for the demo."""

from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
import time
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import PointCloud2

from converseg_ros.core import ConversegError, Instruction
from converseg_ros.core.stamps import to_ns
from converseg_ros.msg import Region, RegionArray
from converseg_ros.ros.camera.qos import reliable
from converseg_ros.ros.handshake import Handshake
from converseg_ros.ros.messages import conversion
from converseg_ros.ros.messages.conversion import CLOUDS
from converseg_ros.srv import SetInstructions

KEEP = 40  # answered frames; a cloud of the whole scene has several megabytes


class Recorder:
    """A node in a separate thread; `regions` and `clouds` are keyed by the stamp of the source image in ns."""

    def __init__(self, namespace: str) -> None:
        """Subscribe to the segmenter in a namespace."""
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = Node('demo', context=self.context, namespace=namespace)
        self.regions: dict[int, list[Region]] = {}
        self.clouds: dict[str, dict[int, PointCloud2]] = {name: {} for name in CLOUDS}
        target = f'{namespace}/segmenter'
        self._subscriptions = [
            self.node.create_subscription(RegionArray, f'{target}/regions', self._on_regions, reliable(5))
        ]
        self._subscriptions += [
            self.node.create_subscription(PointCloud2, f'{target}/{name}', self._cloud_keeper(name), reliable(5))
            for name in CLOUDS
        ]
        self._set = self.node.create_client(SetInstructions, f'{target}/set_instructions')
        self._heard_by = Handshake(self.node, target)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = Thread(target=self._spin, daemon=True)

    def start(self) -> None:
        """Start to receive."""
        self._thread.start()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()

    def _on_regions(self, message: RegionArray) -> None:
        segmented = [r for r in message.regions if not r.tracked]
        if segmented:
            self.regions[to_ns(message.header.stamp)] = segmented

    def _cloud_keeper(self, name: str) -> Any:
        kept = self.clouds[name]

        def keep(message: PointCloud2) -> None:
            kept[to_ns(message.header.stamp)] = message
            while len(kept) > KEEP:
                kept.pop(next(iter(kept)))

        return keep

    def ready(self) -> bool:
        """Return whether the segmenter offers its services and publishes."""
        publishers = self.node.count_publishers(self._subscriptions[0].topic_name)
        return self._heard_by.done() and self._set.service_is_ready() and publishers > 0

    def ask(self, instructions: Sequence[Instruction], timeout: float) -> None:
        """Set the standing instructions; raise ConversegError if the node refuses them."""
        request = SetInstructions.Request(confirm=True)
        for i in instructions:
            message = conversion.from_instruction(i)
            message.name, message.standing = i.name or i.id or i.resolved[:40], True
            request.instructions.append(message)
        future = self._set.call_async(request)
        end = time.monotonic() + timeout
        while not future.done():
            if time.monotonic() > end:
                raise ConversegError('no answer to set_instructions', where='demo')
            time.sleep(0.02)
        response = future.result()
        if response is None or not response.success:
            raise ConversegError(response.message if response else 'no response', where='demo')

    def answers(self, count: int) -> bool:
        """Return whether a frame answers all `count` instructions."""
        return any(len(regions) >= count for regions in list(self.regions.values()))

    def settle(self, seconds: float) -> None:
        """Wait for messages that are still being delivered."""
        time.sleep(seconds)

    def close(self) -> None:
        """Leave the ROS graph."""
        self._executor.shutdown()
        if self._thread.is_alive():
            self._thread.join(5)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)
