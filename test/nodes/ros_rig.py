"""A camera, a segmenter node and something that listens, on a domain of this run's own."""

from collections.abc import Callable
import os
from pathlib import Path
import signal
import subprocess
import sys
from threading import Event, Thread
import time
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from converseg_ros.core.stamps import to_ns
from converseg_ros.ros.handshake import Handshake
from converseg_ros.ros.messages import conversion

W, H = 160, 120
K = np.array([150.0, 0, 79.5, 0, 150.0, 59.5, 0, 0, 1])
ROOT = Path(__file__).resolve().parents[2]


def reliable(depth: int = 5) -> QoSProfile:
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def best_effort(depth: int = 5) -> QoSProfile:
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT)


def picture(seed: int = 0) -> np.ndarray:
    """Return a (H, W, 3) picture with some structure."""
    rows, columns = np.mgrid[0:H, 0:W]
    out = np.dstack([rows * 2 % 256, columns % 256, (rows + columns + seed) % 256]).astype(np.uint8)
    out[40:80, 50:100] = (200, 30, 40)
    return out


class Camera:
    """Publishes colour, depth and camera_info with one stamp."""

    def __init__(self, rig: 'Rig', qos: QoSProfile | None = None, *, depth: bool = True) -> None:
        qos = qos or reliable()
        self.rig, self.node = rig, rig.add(Node, f'camera{len(rig.nodes)}')
        self.image = self.node.create_publisher(Image, 'image', qos)
        self.depth = self.node.create_publisher(Image, 'depth', qos) if depth else None
        self.info = self.node.create_publisher(CameraInfo, 'camera_info', qos)

    def messages(self, stamp_ns: int | None = None) -> dict[str, Any]:
        stamp_ns = time.time_ns() if stamp_ns is None else stamp_ns
        head = conversion.header(stamp_ns, 'camera')
        rows = np.mgrid[0:H, 0:W][0]
        depth = (1500 - 4 * rows).astype(np.uint16)
        return {
            'image': conversion.to_image(picture(), 'rgb8', head),
            'depth': conversion.to_image(depth, '16UC1', head),
            'info': CameraInfo(header=head, width=W, height=H, k=K, distortion_model='plumb_bob', d=[0.0] * 5),
        }

    def send(self, stamp_ns: int | None = None, **changed: Any) -> int:
        """Publish one moment; `changed` replaces messages (None: not sent). Return its stamp."""
        messages = {**self.messages(stamp_ns), **changed}
        for name in ('info', 'depth', 'image'):
            publisher = getattr(self, name)
            if messages[name] is not None and publisher is not None:
                publisher.publish(messages[name])
        return to_ns(messages['info'].header.stamp) if messages['info'] else 0

    def close(self) -> None:
        self.rig.remove(self.node)


class Rig:
    """A context with nodes that the test's own thread spins."""

    def __init__(self) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.nodes: list[Node] = []
        self.node = self.add(Node, 'tester')
        self.got: dict[str, list[Any]] = {}
        self.say_publisher = self.node.create_publisher(String, 'instruction', reliable(10))

    def add(self, factory: Callable[..., Node], *args: Any, **kwargs: Any) -> Node:
        node = factory(*args, context=self.context, **kwargs)
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def remove(self, node: Node) -> None:
        self.nodes.remove(node)
        self.executor.remove_node(node)
        node.destroy_node()

    def listen(self, kind: type, name: str, qos: Any = None) -> list[Any]:
        """Subscribe to a topic of the segmenter; return the list that fills."""
        got = self.got.setdefault(name, [])
        topic = name if name.startswith('/') else f'/segmenter/{name}'
        self.node.create_subscription(kind, topic, got.append, qos or reliable(10))
        return got

    def until(self, done: Callable[[], Any], timeout: float = 30.0, each: Callable[[], Any] | None = None) -> Any:
        """Spin until `done()`; call `each` ten times a second."""
        end, last = time.monotonic() + timeout, 0.0
        while not (value := done()):
            assert time.monotonic() < end, 'timed out'
            if each is not None and time.monotonic() - last > 0.1:
                each()
                last = time.monotonic()
            self.executor.spin_once(timeout_sec=0.02)
        return value

    def spin(self, seconds: float, each: Callable[[], Any] | None = None) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, seconds + 5, each)

    def join(self, target: str, timeout: float = 30.0) -> None:
        """Wait until a node's answers reach every client made so far."""
        handshake = Handshake(self.node, target)
        self.until(handshake.done, timeout)
        handshake.close()

    def call(self, kind: type, name: str, request: Any, timeout: float = 30.0) -> Any:
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(timeout)
        self.join(name.rsplit('/', 1)[0], timeout)
        future = client.call_async(request)
        self.until(future.done, timeout)
        self.node.destroy_client(client)
        return future.result()

    def set(self, **values: Any) -> Any:
        """Set parameters of the segmenter; return the results."""
        client = AsyncParameterClient(self.node, '/segmenter')
        assert client.wait_for_services(20)
        self.join('/segmenter')
        names = [Parameter(k.replace('__', '.'), value=v) for k, v in values.items()]
        future = client.set_parameters_atomically(names)
        self.until(future.done)
        return future.result().result

    def say(self, text: str) -> None:
        self.until(self.say_publisher.get_subscription_count)
        self.say_publisher.publish(String(data=text))

    def close(self) -> None:
        self.executor.shutdown()
        for node in self.nodes:
            node.destroy_node()
        rclpy.shutdown(context=self.context)


class Process:
    """The segmenter as a process of its own."""

    def __init__(self, log: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.log = log
        command = [sys.executable, '-m', 'converseg_ros.nodes.segmenter_node', '--ros-args', *arguments]
        environment = {**os.environ, 'OMP_NUM_THREADS': '1', **(env or {})}
        with log.open('w') as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=environment, cwd=ROOT
            )

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class InProcess:
    """A SegmenterNode in this process, spun by a thread of its own."""

    def __init__(self, rig: Rig, **parameters: Any) -> None:
        from converseg_ros.nodes.segmenter_node import SegmenterNode

        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        overrides = [Parameter(k.replace('__', '.'), value=v) for k, v in {'model': 'micro', **parameters}.items()]
        try:
            self.node = SegmenterNode(context=self.context, parameter_overrides=overrides)
        except Exception:
            rclpy.shutdown(context=self.context)
            raise
        self.active = self.node.autostart() if parameters.get('autostart', True) else False
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self._run = True
        self.thread = Thread(target=self._spin)
        self.thread.start()

    def _spin(self) -> None:
        while self._run:
            self.executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self._run = False
        self.thread.join(20)
        self.node.deactivate()
        self.node.cleanup()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


class Gated:
    """The network, slow for as long as the test wants: everything else is the real one's."""

    def __init__(self, network: Any) -> None:
        self.network, self.entered, self.open = network, Event(), Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)

    def set_image(self, rgb: np.ndarray, key: Any = None) -> None:
        self.entered.set()
        assert self.open.wait(60)
        self.network.set_image(rgb, key)
