"""Replay an RGB-D rosbag2 on real topics, at its own rate.

Messages are published as the serialized bytes of the bag, without decoding.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
import time
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from converseg_ros.core.errors import InputError
from converseg_ros.perception.rosbag import connections, find_camera, open_bag
from converseg_ros.perception.topics import TF
from converseg_ros.ros.messages.conversion import to_stamp


class Bag:
    """A rosbag2 (sqlite3 or mcap), opened for replay; use as a context manager."""

    def __init__(self, path: Path, topics: Mapping[str, str] | None = None) -> None:
        """Open the bag; raise InputError with the path if it cannot be read.

        topics: {role: topic} that replaces the automatic choice (`perception.topics.ROLES`).
        """
        self.path = path
        self.reader = open_bag(path)
        self.camera = find_camera(self.reader, path, topics)
        c = self.camera
        self.types = {s.topic: s.type for s in (c.colour, c.deep, c.info, c.deep_info) if s is not None}
        self.types |= {topic: TF for topic, _ in c.tf}

    @property
    def seconds(self) -> float:
        """Return the duration of the bag in seconds."""
        return float(self.reader.duration) * 1e-9

    def messages(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield (topic, bag time in ns, serialized message) of the camera topics and TF, in order of time."""
        wanted = [c for topic, kind in self.types.items() for c in connections(self.reader, topic, kind)]
        for connection, stamp, data in self.reader.messages(wanted):
            yield connection.topic, stamp, bytes(data)

    def __enter__(self) -> 'Bag':
        """Return the open bag."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bag."""
        self.reader.close()


def message_type(name: str) -> Any:
    """Return the class of 'package/msg/Type'; raise InputError if the interface is not installed."""
    package, _, kind = name.split('/')
    try:
        return getattr(import_module(f'{package}.msg'), kind)
    except (ImportError, AttributeError) as error:
        raise InputError(f'{name} is not installed', where='bag', do=f'install {package}') from error


class Replay:
    """Publishers of the camera topics of a bag, and of /clock, so that the stamps of the bag are current."""

    def __init__(self, node: Node, bag: Bag, *, names: dict[str, str] | None = None) -> None:
        """Advertise the topics of the bag and /clock, reliable; `names` renames topics."""
        self.bag = bag
        self.clock = node.create_publisher(Clock, (names or {}).get('/clock', '/clock'), 10)
        self.publishers = {}
        static = dict(bag.camera.tf)
        for topic, kind in bag.types.items():
            latched = static.get(topic, False)
            qos = QoSProfile(
                history=HistoryPolicy.KEEP_LAST,
                depth=100 if topic in static else 5,
                reliability=ReliabilityPolicy.RELIABLE,
                durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
            )
            self.publishers[topic] = node.create_publisher(message_type(kind), (names or {}).get(topic, topic), qos)

    def listened(self) -> bool:
        """Return whether the colour image has a subscriber."""
        return self.publishers[self.bag.camera.image].get_subscription_count() > 0

    def run(
        self,
        *,
        rate: float = 1.0,
        progress: Callable[[float], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> int:
        """Publish every message at its time divided by `rate`; return the number of published colour images."""
        begin, first, images = time.monotonic(), None, 0
        for topic, stamp, data in self.bag.messages():
            if stop is not None and stop():
                break
            first = stamp if first is None else first
            wait = (stamp - first) * 1e-9 / rate - (time.monotonic() - begin)
            if wait > 0:
                time.sleep(wait)
            self.clock.publish(Clock(clock=to_stamp(stamp)))
            self.publishers[topic].publish(data)
            if topic == self.bag.camera.image:
                images += 1
                if progress is not None:
                    progress((stamp - first) * 1e-9)
        return images
