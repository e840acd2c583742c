"""Open a rosbag2 without ROS, and find its camera topics."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from converseg_ros.core.errors import InputError
from converseg_ros.perception.topics import COMPRESSED, IMAGE, INFO, TF, CameraTopics, Stream, choose_camera

LOOKED_AT = 3  # messages of a topic that are tried


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


def connections(reader: Any, topic: str, *types: str) -> list[Any]:
    """Return the connections of a topic with these types; a topic may also have messages of other types."""
    return [c for c in reader.connections if c.topic == topic and c.msgtype in types]


def read(reader: Any, connection: Any, raw: bytes) -> Any:
    """Return a message; raise InputError if its bytes do not match the type of the connection."""
    try:
        return reader.deserialize(raw, connection.msgtype)
    except Exception as error:  # rosbags raises various exceptions of its generated code
        why = f'{type(error).__name__}: {error}'
        raise InputError(f'not a {connection.msgtype} ({why})', where=connection.topic) from error


def find_camera(reader: Any, path: Path, named: Mapping[str, str] | None = None) -> CameraTopics:
    """Choose the camera topics of an open bag; `named`: {role: topic} of an option."""
    streams = []
    for topic, kind in sorted({(c.topic, c.msgtype) for c in reader.connections}):
        if kind in (IMAGE, COMPRESSED, INFO):
            streams += _look(reader, topic, kind, named=topic in (named or {}).values())
    try:
        return choose_camera(streams, named, [c.topic for c in reader.connections if c.msgtype == TF])
    except InputError as error:
        where = str(path) if error.where == 'bag' else f'{path}, {error.where}'
        raise InputError(error.what, where=where, do=error.do) from error


def _look(reader: Any, topic: str, kind: str, *, named: bool) -> list[Stream]:
    """Return the properties of a topic from its first valid message; [] without one, unless it is named."""
    for connection, _, raw in islice(reader.messages(connections(reader, topic, kind)), LOOKED_AT):
        try:
            message = read(reader, connection, raw)
        except InputError:
            continue
        encoding = getattr(message, 'encoding', getattr(message, 'format', ''))
        width, height = getattr(message, 'width', 0), getattr(message, 'height', 0)
        if kind == INFO:
            from converseg_ros.perception.messages import to_calibration

            width, height = to_calibration(message).image_size()
        return [Stream(topic, kind, encoding, message.header.frame_id, width, height)]
    return [Stream(topic, kind)] if named else []
