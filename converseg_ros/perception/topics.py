"""Choice of the camera topics of a bag: by type, encoding, frame and camera_info; names only break ties.

The name of a topic is not reliable: "ir" is in /airsim, "depth" is missing in /oak/stereo/image_raw. A topic is
therefore classified by its first message, and whole words of the name (`/camera/color` has "camera" and "color") only
order equal candidates.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
import re
from typing import Literal

from converseg_ros.core.errors import InputError

IMAGE, COMPRESSED, INFO = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/CameraInfo'
TF = 'tf2_msgs/msg/TFMessage'
ROLES = ('image', 'depth', 'camera_info', 'depth_camera_info')  # roles of a topic
TOPIC_HELP = f'take this topic of a bag for {", ".join(ROLES)}, in place of what its messages suggest; ROLE= for none'
Kind = Literal['colour', 'grey', 'depth', 'info', 'other']
DEPTH_ENCODINGS = ('16UC1', '32FC1')
# words of names of images that are not from a camera, and of 16UC1 or 32FC1 images that are not depth
DRAWN = {'overlay', 'mask', 'masks', 'annotated', 'debug', 'segmentation', 'detections', 'visualization'}
NOT_DEPTH = {'confidence', 'disparity', 'infra', 'ir', 'infrared', 'amplitude', 'intensity'}


@dataclass(frozen=True, slots=True)
class Stream:
    """The properties of a topic of images or camera_info, from its first message. A size of 0 is unknown."""

    topic: str
    type: str
    encoding: str = ''  # of an Image, or the format of a CompressedImage
    frame_id: str = ''
    width: int = 0
    height: int = 0

    @property
    def words(self) -> set[str]:
        """Return the words of the name."""
        return set(re.split(r'[^a-z]+', self.topic.lower()))

    @property
    def kind(self) -> Kind:
        """Return the kind of the contents."""
        if self.type == INFO:
            return 'info'
        stored = self.encoding.split(';')[0].strip()
        if 'compressedDepth' in self.encoding or stored in DEPTH_ENCODINGS or (stored, True) == ('mono16', self._deep):
            return 'other' if self.words & NOT_DEPTH else 'depth'
        if self.words & DRAWN:
            return 'other'
        return 'grey' if stored in ('mono8', 'mono16', '8UC1') else 'colour'

    @property
    def _deep(self) -> bool:
        return 'depth' in self.words

    def fits(self, other: 'Stream') -> bool:
        """Return whether both have the same frame, or it is unknown."""
        first, second = self.frame_id.lstrip('/'), other.frame_id.lstrip('/')
        return not first or not second or first == second

    def same_size(self, other: 'Stream') -> bool:
        """Return whether both have the same size, or it is unknown."""
        return 0 in (self.width, other.width) or (self.width, self.height) == (other.width, other.height)

    def near(self, other: 'Stream') -> int:
        """Return the number of common leading parts of both names."""
        pairs = zip(self.topic.split('/')[:-1], other.topic.split('/')[:-1])
        return next((n for n, (a, b) in enumerate(pairs) if a != b), min(self.topic.count('/'), other.topic.count('/')))

    def __str__(self) -> str:
        """Return the topic with its contents as text."""
        size = f'{self.width}x{self.height}' if self.width else ''
        frame = f'frame {self.frame_id!r}' if self.frame_id else 'no frame'
        return f'{self.topic} ({", ".join(t for t in (self.encoding, size, frame) if t)})'


@dataclass(frozen=True, slots=True)
class CameraTopics:
    """The topics of one camera; depth and both camera_infos are None if there are none.

    tf: topic -> whether it is static. notes: the ignored topics, and why.
    """

    colour: Stream
    deep: Stream | None = None
    info: Stream | None = None
    deep_info: Stream | None = None
    tf: tuple[tuple[str, bool], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def image(self) -> str:
        """Return the topic of the colour image."""
        return self.colour.topic

    @property
    def depth(self) -> str:
        """Return the topic of depth, or ''."""
        return self.deep.topic if self.deep else ''

    @property
    def camera_info(self) -> str:
        """Return the topic of the colour camera's camera_info, or ''."""
        return self.info.topic if self.info else ''

    @property
    def depth_camera_info(self) -> str:
        """Return the topic of the depth camera's camera_info, or ''."""
        return self.deep_info.topic if self.deep_info else ''

    @property
    def image_compressed(self) -> bool:
        """Return whether colour is a CompressedImage."""
        return self.colour.type == COMPRESSED

    @property
    def depth_compressed(self) -> bool:
        """Return whether depth is a CompressedImage."""
        return self.deep is not None and self.deep.type == COMPRESSED

    def names(self) -> dict[str, str]:
        """Return the topic of each role that has one."""
        chosen = zip(ROLES, (self.image, self.depth, self.camera_info, self.depth_camera_info))
        return {role: topic for role, topic in chosen if topic}

    def describe(self) -> list[str]:
        """Return lines about the selected and the ignored topics."""
        found = zip(ROLES, (self.colour, self.deep, self.info, self.deep_info))
        lines = [f'{role}: {stream or "none"}' for role, stream in found if stream or role != 'depth_camera_info']
        return [*lines, f'tf: {", ".join(topic for topic, _ in self.tf) or "none"}', *self.notes]


def parse_topics(values: Iterable[str]) -> dict[str, str]:
    """Return {role: topic} of options 'ROLE=TOPIC'; an empty topic means that there is none."""
    named = {}
    for value in values:
        role, found, topic = value.partition('=')
        if not found or role not in ROLES or (role == 'image' and not topic):
            raise InputError(f'{value!r} names no topic', where='--topic', do=f'ROLE=TOPIC with {", ".join(ROLES)}')
        named[role] = topic
    return named


def choose_camera(
    streams: Sequence[Stream], named: Mapping[str, str] | None = None, tf: Iterable[str] = ()
) -> CameraTopics:
    """Choose one camera's topics; raise InputError where no image can be had or a named topic does not serve.

    streams: the topics of images and of camera_info. named: {role: topic} that is taken whatever it looks like, ''
    for none. tf: the topics of transforms.
    """
    named = dict(named or {})
    images = [s for s in streams if s.type != INFO]
    infos = [s for s in streams if s.type == INFO]
    deep = [s for s in images if s.kind == 'depth']
    if 'image' in named:
        colour = _named(images, 'image', named)
    else:
        seen = [s for s in images if s.kind in ('colour', 'grey')]
        if not seen:
            there = ', '.join(map(str, images)) or 'no topic of images'
            raise InputError(f'no colour image: {there}', where='bag', do='name it with --topic image=TOPIC')
        colour = max(seen, key=lambda s: _rank_colour(s, deep, infos))
    assert colour is not None
    notes = []
    info = _named(infos, 'camera_info', named) if 'camera_info' in named else _info_of(colour, infos)
    if info is None and infos and 'camera_info' not in named:
        notes.append(f'no camera_info is of {colour.topic}: {", ".join(map(str, infos))}')
    depth = _named(images, 'depth', named) if 'depth' in named else _depth_of(colour, deep, infos)
    if depth is None and deep and 'depth' not in named:
        notes.append(f'depth of another frame is not used without its own camera_info: {", ".join(map(str, deep))}')
    deep_info = None
    if 'depth_camera_info' in named:
        deep_info = _named(infos, 'depth_camera_info', named)
    elif depth is not None and not (depth.fits(colour) and depth.same_size(colour)):
        deep_info = _info_of(depth, infos)
    found = tuple((t, t.endswith('tf_static')) for t in _transforms(colour.topic, tf))
    return CameraTopics(colour, depth, info, deep_info, found, tuple(notes))


def _named(streams: Sequence[Stream], role: str, named: Mapping[str, str]) -> Stream | None:
    if not named[role]:
        return None
    found = [s for s in streams if s.topic == named[role]]
    if not found:
        do = f'one of {", ".join(sorted({s.topic for s in streams})) or "none"}'
        raise InputError(f'there is no such topic for {role}', where=named[role], do=do)
    return found[0]


def _rank_colour(s: Stream, deep: Sequence[Stream], infos: Sequence[Stream]) -> tuple[bool | int, ...]:
    """Return how well an image serves: colour, with registered depth, camera_info, depth of its own camera."""
    registered = any(d.fits(s) and d.same_size(s) for d in deep)
    own_depth = any(_info_of(d, infos) is not None and d.near(s) > 1 for d in deep)
    called = bool(s.words & {'color', 'colour', 'rgb'})
    return s.kind == 'colour', registered, _info_of(s, infos) is not None, own_depth, called, -len(s.topic)


def _info_of(s: Stream, infos: Sequence[Stream]) -> Stream | None:
    """Return the camera_info of an image: of its frame and size, with the nearest name."""
    fitting = [i for i in infos if i.fits(s) and i.same_size(s)]
    return max(fitting, key=lambda i: (bool(i.frame_id), i.near(s), -len(i.topic)), default=None)


def _depth_of(colour: Stream, deep: Sequence[Stream], infos: Sequence[Stream]) -> Stream | None:
    """Return the depth for an image: of its frame and size, else of its frame, else with a calibration of its own."""

    def rank(d: Stream) -> tuple[bool | int, ...]:
        own, called = d.fits(colour), bool(d.words & {'aligned', 'registered'})
        return own and d.same_size(colour), own, called, d.near(colour), -len(d.topic)

    usable = [d for d in deep if d.fits(colour) or _info_of(d, infos) is not None]
    return max(usable, key=rank, default=None)


def _transforms(image: str, topics: Iterable[str]) -> list[str]:
    """Return the topics of moving and of static transforms: of the deepest namespace that the image lies in.

    A robot's transforms may be in its namespace (/robot1/tf). Where the image lies in none of the namespaces, the only
    one there is serves.
    """
    found = []
    for last in ('tf', 'tf_static'):
        spaces = {t[: -len(last)]: t for t in topics if t.split('/')[-1] == last}
        around = [space for space in spaces if image.startswith(space)] or (list(spaces) if len(spaces) == 1 else [])
        if around:
            found.append(spaces[max(around, key=len)])
    return found
