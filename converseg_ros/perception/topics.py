"""Open a rosbag2, and find the topics of a camera (colour, depth and camera_info) by type and name."""

from dataclasses import dataclass
import os
from pathlib import Path
from typing import Any

from converseg_ros.core.errors import InputError

IMAGE, COMPRESSED, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/CameraInfo'
NOT_COLOUR = ('depth', 'infra', 'ir', 'disparity', 'confidence', 'mask', 'overlay', 'mono')


@dataclass(frozen=True, slots=True)
class CameraTopics:
    """The topics of one camera in a bag; depth and camera_info are '' if the bag has none."""

    image: str
    image_compressed: bool
    depth: str = ''
    depth_compressed: bool = False
    camera_info: str = ''


def find_camera_topics(topics: dict[str, str]) -> CameraTopics:
    """Return colour, depth and camera_info among {topic: type}; raise InputError if there is no colour image."""
    images = sorted(t for t, kind in topics.items() if kind in (IMAGE, COMPRESSED))
    colour = [t for t in images if not any(word in part for part in t.lower().split('/') for word in NOT_COLOUR)]
    depth = [t for t in images if 'depth' in t.lower() and 'confidence' not in t.lower()]
    if not colour:
        raise InputError(f'no colour image topic among {", ".join(images) or "its topics"}', where='bag')
    image = max(colour, key=lambda t: ('color' in t or 'rgb' in t, -len(t)))
    # prefer a depth image that is registered to colour
    aligned = max(depth, key=lambda t: ('aligned' in t or 'registered' in t, -len(t)), default='')
    infos = [t for t, kind in topics.items() if kind == INFO]
    info = max(infos, key=lambda t: len(os.path.commonpath([t, image])), default='')
    return CameraTopics(image, topics[image] == COMPRESSED, aligned, topics.get(aligned) == COMPRESSED, info)


def open_bag(path: Path) -> Any:
    """Return an open rosbags AnyReader of a rosbag2 (sqlite3 or mcap); raise InputError if it is not a bag.

    path: the folder of the bag, or the storage file next to its metadata.yaml.
    """
    from rosbags.highlevel import AnyReader, AnyReaderError
    from rosbags.typesys import Stores, get_typestore

    folder = path.parent if path.suffix in ('.mcap', '.db3') and (path.parent / 'metadata.yaml').exists() else path
    if not folder.exists():
        raise InputError('there is no such bag', where=str(path), do='give the folder with its metadata.yaml')
    try:
        reader = AnyReader([folder], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        reader.open()
    except (AnyReaderError, OSError, ValueError, KeyError, AssertionError) as error:
        raise InputError(
            f'cannot be read as a rosbag2 ({error})', where=str(path), do='try `ros2 bag reindex`'
        ) from error
    if not reader.is2:
        reader.close()
        raise InputError('this is a ROS 1 bag', where=str(path), do='convert it with rosbags-convert')
    return reader
