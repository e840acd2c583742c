"""Small bags of a camera in front of a wall, each odd in one way."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = STORE.types
START, STEP = 1_700_000_000_000_000_000, 100_000_000
H, W = 48, 64
FOCAL = 60.0

Message = tuple[str, int, Any]  # topic, time at which it is recorded, message


def write(path: Path, messages: Iterable[Message], raw: Iterable[tuple[str, str, int, bytes]] = ()) -> Path:
    """Write a rosbag2; `raw`: topic, type, time and bytes that are written as they are."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connections: dict[tuple[str, str], Any] = {}

        def connection(topic: str, kind: str) -> Any:
            if (topic, kind) not in connections:
                connections[topic, kind] = writer.add_connection(topic, kind, typestore=STORE)
            return connections[topic, kind]

        for topic, time, message in messages:
            kind = message.__msgtype__
            writer.write(connection(topic, kind), time, STORE.serialize_cdr(message, kind))
        for topic, kind, time, data in raw:
            writer.write(connection(topic, kind), time, data)
    return path


def header(stamp: int, frame: str) -> Any:
    """Return a std_msgs/Header."""
    time = TYPES['builtin_interfaces/msg/Time'](sec=stamp // 10**9, nanosec=stamp % 10**9)
    return TYPES['std_msgs/msg/Header'](stamp=time, frame_id=frame)


def picture(step: int = 0, height: int = H, width: int = W) -> np.ndarray:
    """Return (height, width, 3) noise with a red square, which moves with `step`."""
    rgb = np.random.default_rng(7).integers(20, 90, (height, width, 3), dtype=np.uint8)
    rgb[height // 3 : 2 * height // 3, width // 3 + step : 2 * width // 3 + step] = (210, 30, 30)
    return rgb


def image(pixels: np.ndarray, encoding: str, stamp: int, frame: str = 'camera') -> Any:
    """Return a sensor_msgs/Image."""
    step = pixels.nbytes // pixels.shape[0]
    data = np.ascontiguousarray(pixels).ravel().view(np.uint8)
    return TYPES['sensor_msgs/msg/Image'](header(stamp, frame), *pixels.shape[:2], encoding, 0, step, data)


def colour(stamp: int, frame: str = 'camera', step: int = 0) -> Any:
    """Return an rgb8 image."""
    return image(picture(step), 'rgb8', stamp, frame)


def depth(stamp: int, frame: str = 'camera', metres: float = 1.0, height: int = H, width: int = W) -> Any:
    """Return a 16UC1 image of a wall."""
    return image(np.full((height, width), round(1000 * metres), np.uint16), '16UC1', stamp, frame)


def info(stamp: int, frame: str = 'camera', height: int = H, width: int = W, focal: float = FOCAL) -> Any:
    """Return a sensor_msgs/CameraInfo of a pinhole camera."""
    cx, cy = (width - 1) / 2, (height - 1) / 2
    k = np.array([focal, 0, cx, 0, focal, cy, 0, 0, 1.0])
    p = np.array([focal, 0, cx, 0, 0, focal, cy, 0, 0, 0, 1.0, 0])
    roi = TYPES['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    kind = TYPES['sensor_msgs/msg/CameraInfo']
    return kind(header(stamp, frame), height, width, 'plumb_bob', np.zeros(5), k, np.eye(3).ravel(), p, 0, 0, roi)


def transform(stamp: int, parent: str, child: str, x: float = 0.0) -> Any:
    """Return a tf2_msgs/TFMessage with `child` moved along x in `parent`."""
    make = {k: TYPES[f'geometry_msgs/msg/{k}'] for k in ('Vector3', 'Quaternion', 'Transform', 'TransformStamped')}
    move = make['Transform'](make['Vector3'](x, 0.0, 0.0), make['Quaternion'](0.0, 0.0, 0.0, 1.0))
    return TYPES['tf2_msgs/msg/TFMessage']([make['TransformStamped'](header(stamp, parent), child, move)])


def moments(count: int, *makers: tuple[str, Callable[[int], Any]]) -> list[Message]:
    """Return the messages of `count` moments: for each, what each maker gives for its stamp, on the maker's topic."""
    times = [START + i * STEP for i in range(count)]
    return [(topic, time, make(time)) for time in times for topic, make in makers]
