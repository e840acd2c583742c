"""The console node: shows the outputs of the segmenter on a web page, and sends the operator's texts to it."""

from collections.abc import Callable
import sys
import threading
import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image, PointCloud2
from std_msgs.msg import Bool, String

from converseg_ros.console.app import Console
from converseg_ros.console.state import ConsoleState
from converseg_ros.core import ConversegError
from converseg_ros.core.stamps import to_ns
from converseg_ros.dialogue.noun_phrases import head
from converseg_ros.msg import InstructionAck, RegionArray
from converseg_ros.nodes.console_messages import read_cloud, understood_json, view_region
from converseg_ros.nodes.operator_parameters import CONSOLE
from converseg_ros.perception.messages import to_rgb
from converseg_ros.ros import run_node
from converseg_ros.ros.camera.qos import LATCHED, FollowingSubscription, reliable
from converseg_ros.ros.messages.conversion import CLOUDS
from converseg_ros.ros.overrides import SameValue
from converseg_ros.ros.parameters import check_values, declare
from converseg_ros.speech.listener import Event, Listener, ListenOptions, Live
from converseg_ros.web.server import Running


class ConsoleNode(SameValue, Node):
    """Connects topics and services to the console's server."""

    def __init__(self, **kwargs: Any) -> None:
        """Declare parameters, subscribe and serve; raise ConversegError if the address is not available."""
        super().__init__('console', **kwargs)
        self.settings = s = declare(self, CONSOLE, apply=self._apply)
        check_values(CONSOLE, s)
        self.state = ConsoleState()
        self._words = self.create_publisher(String, 'instruction', reliable(10))
        ears = self._ears if s['speech'] else None
        self.console = Console(
            self.state,
            lambda text: self._words.publish(String(data=text)),
            ears=ears,
            max_fps=s['max_fps'],
            host=s['host'],
            token=s['token'],
            operator=s['operator'],
        )
        compressed = s['image_transport'] == 'compressed'
        kind = CompressedImage if compressed else Image
        self._image = FollowingSubscription(self, kind, 'image', self._on_image)
        self._segmenter = segmenter = s['segmenter']
        self.create_subscription(RegionArray, f'{segmenter}/regions', self._on_regions, reliable(2))
        self.create_subscription(InstructionAck, f'{segmenter}/instruction_ack', self._on_ack, reliable(10))
        self.create_subscription(Bool, f'{segmenter}/safety_ok', self._on_safe, LATCHED)
        self._clouds: list[Any] = []
        self.create_timer(0.5, self._tick)
        self._lock = threading.Lock()
        self._pending: Image | CompressedImage | None = None
        self.web = Running(self.console.app, port=s['port']).start()
        self.console.start()
        self._decoder = threading.Thread(target=self._decode, name='console-decode', daemon=True)
        self._wake, self._ended = threading.Event(), False
        self._decoder.start()
        self.get_logger().info(f'console: {self.web.url}')

    def _apply(self, settings: dict[str, Any]) -> None:
        """Set new parameter values; a recogniser is loaded at the next use of the microphone."""
        self.settings = settings
        self.console.period, self.console.operator = 1.0 / settings['max_fps'], settings['operator']

    def _on_image(self, message: Image | CompressedImage) -> None:
        """Store the newest image; it is decoded in another thread."""
        with self._lock:
            self._pending = message
        self._wake.set()

    def _decode(self) -> None:
        """Decode the newest image while a page is open."""
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._ended:
                return
            with self._lock:
                message, self._pending = self._pending, None
            if message is None or (not self.console.pages.count and self.state.image is not None):
                continue
            try:
                self.state.set_image(to_rgb(message), to_ns(message.header.stamp))
            except ConversegError as error:
                self.get_logger().warning(str(error), throttle_duration_sec=10.0)
                continue
            self.console.image_arrived()

    def _on_regions(self, message: RegionArray) -> None:
        stamp = to_ns(message.header.stamp)
        self.state.set_regions([view_region(r) for r in message.regions], stamp)

    def _on_ack(self, message: InstructionAck) -> None:
        understood = [understood_json(i) for i in message.instructions]
        self.state.answer(message.text, message.accepted, message.reason, message.question, understood)

    def _on_safe(self, message: Bool) -> None:
        self.state.set_safe(message.data)

    def _on_cloud(self, name: str) -> Callable[[PointCloud2], None]:
        def take(message: PointCloud2) -> None:
            cloud = read_cloud(message, safety=name == 'safety/points', regions=name == 'affordance/points')
            self.state.set_cloud(name, cloud)

        return take

    def _tick(self) -> None:
        """Follow the publishers of the camera; subscribe to clouds only while a page shows them."""
        self._image.refresh()
        wanted = self.console.clouds_wanted > time.monotonic()
        if wanted and not self._clouds:
            for name in CLOUDS:
                topic = f'{self._segmenter}/{name}'
                self._clouds.append(
                    self.create_subscription(PointCloud2, topic, self._on_cloud(name), QoSProfile(depth=1))
                )
        elif not wanted and self._clouds:
            for subscription in self._clouds:
                self.destroy_subscription(subscription)
            self._clouds = []

    def _ears(self, tell: Callable[[Event], None]) -> Live:
        """Return a running recogniser for the microphone of a page; its hot-words are the visible objects."""
        from converseg_ros.speech.recogniser import Recogniser

        recogniser = Recogniser(self.settings['speech_model'], device=self.settings['speech_device'])
        listener = Listener(recogniser, ListenOptions(push_to_talk=True))
        listener.hotwords = sorted({head(r.phrase) for r in self.state.regions} - {''})
        return Live(listener, tell)

    def close(self) -> None:
        """Stop serving and release everything."""
        self._ended = True
        self._wake.set()
        self.console.stop()
        self.web.stop()
        self._decoder.join(2)


def end(node: Any) -> None:
    """Stop serving."""
    node.close()


def main(args: list[str] | None = None) -> int:
    """Run the node; return the exit status."""
    return run_node.run(ConsoleNode, end, args)


if __name__ == '__main__':
    sys.exit(main())
