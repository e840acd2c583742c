"""Bags as sources: images of the colour camera that differ from each other, as PNG files."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError, writing
from converseg_ros.core.image_files import write_image
from converseg_ros.core.stamps import SECOND, to_ns
from converseg_ros.perception.keyframes import Keyframes
from converseg_ros.perception.messages import to_rgb
from converseg_ros.perception.rosbag import connections, find_camera, open_bag, read

FILES = ('.mcap', '.db3')


def is_bag(source: Path) -> bool:
    """Return whether a source is a rosbag2: its folder, or a storage file."""
    if source.is_dir():
        return (source / 'metadata.yaml').is_file() or any(p.suffix in FILES for p in source.iterdir())
    return source.suffix in FILES and source.is_file()


def write_frames(
    bag: Path, folder: Path, *, period: float, change: float, topics: Mapping[str, str] | None = None
) -> Path:
    """Write the selected images of a bag to `folder/NAME` and return that folder; existing files are kept.

    period: seconds between two images. change: see Keyframes. topics: {role: topic} that replaces the automatic choice.
    A file is named by the UTC time of its image (`frame_name`), so that core.splits keeps the images of a minute in one
    split. Raises InputError for a bag without a readable image, ConversegError if the disk is full.
    """
    target = folder / bag.resolve().stem
    keyframes, due, found = Keyframes(change), 0, False
    for stamp, rgb in _images(bag, topics):
        if stamp < due or not keyframes.accepts(rgb):
            continue
        due, found = stamp + round(period * SECOND), True
        path = target / frame_name(stamp)
        if path.is_file():
            continue
        with writing(path, do='free disk space'):
            write_image(path, rgb)
    if not found:
        raise InputError('no image can be read', where=str(bag), do='name a topic: --topic image=TOPIC')
    return target


def frame_name(stamp_ns: int) -> str:
    """Return YYYYMMDDhhmmss-NNNNNNNNN.png (UTC, nanoseconds) of a time since the epoch in nanoseconds."""
    clock = datetime.fromtimestamp(stamp_ns // SECOND, UTC)
    return f'{clock:%Y%m%d%H%M%S}-{stamp_ns % SECOND:09d}.png'


def _images(bag: Path, topics: Mapping[str, str] | None) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield stamp (nanoseconds) and pixels of the colour images in the order of the bag; unreadable ones are skipped.

    The recording time replaces a stamp that is 0.
    """
    reader = open_bag(bag)
    try:
        stream = find_camera(reader, bag, topics).colour
        wanted = connections(reader, stream.topic, stream.type)
        for connection, time, raw in reader.messages(wanted):
            try:
                message: Any = read(reader, connection, raw)
                rgb = to_rgb(message)
            except InputError:
                continue
            stamp = to_ns(message.header.stamp)
            yield stamp or int(time), rgb
    finally:
        reader.close()
