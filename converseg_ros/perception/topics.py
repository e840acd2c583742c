"""Which topics of a bag are a camera's: colour, depth and camera_info, chosen by type and name."""

from dataclasses import dataclass
import os

from converseg_ros.core.errors import InputError

IMAGE, COMPRESSED, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/CameraInfo'
NOT_COLOUR = ('depth', 'infra', 'ir', 'disparity', 'confidence', 'mask', 'overlay', 'mono')


@dataclass(frozen=True, slots=True)
class CameraTopics:
    """The topics of one camera in a bag; depth and camera_info are '' where the bag has none."""

    image: str
    image_compressed: bool
    depth: str = ''
    depth_compressed: bool = False
    camera_info: str = ''


def find_camera_topics(topics: dict[str, str]) -> CameraTopics:
    """Choose colour, depth and camera_info among {topic: type}; raise InputError where there is no colour image."""
    images = sorted(t for t, kind in topics.items() if kind in (IMAGE, COMPRESSED))
    colour = [t for t in images if not any(word in part for part in t.lower().split('/') for word in NOT_COLOUR)]
    depth = [t for t in images if 'depth' in t.lower() and 'confidence' not in t.lower()]
    if not colour:
        raise InputError(f'no colour image topic among {", ".join(images) or "its topics"}', where='bag')
    image = max(colour, key=lambda t: ('color' in t or 'rgb' in t, -len(t)))
    # a depth image registered to colour lifts best
    aligned = max(depth, key=lambda t: ('aligned' in t or 'registered' in t, -len(t)), default='')
    infos = [t for t, kind in topics.items() if kind == INFO]
    info = max(infos, key=lambda t: len(os.path.commonpath([t, image])), default='')
    return CameraTopics(image, topics[image] == COMPRESSED, aligned, topics.get(aligned) == COMPRESSED, info)
