"""Read and write serialized messages without rclpy; pixels are not copied, or copied once.

rclpy copies the data of an Image three times. This module follows CDR (OMG DDSI-RTPS 10.2.1.2, plain CDR,
little-endian): a member is aligned to a multiple of its size after the four bytes of the encapsulation; a string is its
length with the terminating zero, then its bytes; a sequence is its length, then its elements. Other encodings are
deserialized by rclpy.
"""

from functools import lru_cache
import struct
import sys
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from converseg_ros.core.stamps import SECOND, to_ns

ORIGIN = 4  # size of the encapsulation, which alignment does not count
LITTLE_ENDIAN = b'\x00\x01'
OURS = LITTLE_ENDIAN + b'\0\0' if sys.byteorder == 'little' else bytes(4)
AFTER_STAMP = ORIGIN + 8


def seconds(ns: int) -> tuple[int, int]:
    """Return seconds and nanoseconds of a stamp; times before 1970 or after 2038 are out of range and become 0."""
    whole, rest = divmod(int(ns), SECOND)
    return (whole, rest) if 0 <= whole < 2**31 else (0, 0)


class StampView(NamedTuple):
    """The fields of a builtin_interfaces/Time."""

    sec: int
    nanosec: int


class HeaderView(NamedTuple):
    """The fields of a std_msgs/Header; created in a tenth of the time."""

    stamp: StampView
    frame_id: str


class ImageView(NamedTuple):
    """A sensor_msgs/Image whose `data` (N,) uint8 is a read-only view of the serialized bytes."""

    header: HeaderView
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: NDArray[np.uint8]


class CompressedView(NamedTuple):
    """A sensor_msgs/CompressedImage whose `data` (N,) uint8 is a read-only view of the serialized bytes."""

    header: HeaderView
    format: str
    data: NDArray[np.uint8]


class _Reader:
    """Reads members in order."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, ORIGIN

    def octet(self) -> int:
        """Return the next integer of one byte."""
        self.at += 1
        return self.raw[self.at - 1]

    def words(self, kind: struct.Struct) -> tuple[int, ...]:
        """Return the next integers of four bytes each."""
        self.at += -(self.at - ORIGIN) % 4
        values = kind.unpack_from(self.raw, self.at)
        self.at += kind.size
        return values

    def text(self, length: int) -> str:
        """Return the next string, whose length has been read."""
        begin, self.at = self.at, self.at + length
        return self.raw[begin : begin + length - 1].decode()

    def header(self) -> HeaderView:
        """Return the next header."""
        sec, nanosec, length = self.words(_STAMP_LENGTH)
        return HeaderView(StampView(sec, nanosec), self.text(length))

    def octets(self, length: int) -> NDArray[np.uint8]:
        """Return the next sequence of bytes, whose length has been read; raise ValueError if there are fewer bytes."""
        return np.frombuffer(self.raw, np.uint8, length, self.at)


_STAMP_LENGTH = struct.Struct('<iII')
_ONE, _TWO, _THREE = (struct.Struct('<' + 'I' * n) for n in (1, 2, 3))


def read_image(raw: bytes) -> ImageView | Image:
    """Return an Image without copying its data."""
    try:
        if raw[:2] == LITTLE_ENDIAN:
            r = _Reader(raw)
            header = r.header()
            height, width, length = r.words(_THREE)
            encoding, is_bigendian = r.text(length), r.octet()
            step, size = r.words(_TWO)
            return ImageView(header, height, width, encoding, is_bigendian, step, r.octets(size))
    except (struct.error, ValueError, IndexError):
        pass
    return deserialize_message(raw, Image)


def read_compressed(raw: bytes) -> CompressedView | CompressedImage:
    """Return a CompressedImage without copying its data."""
    try:
        if raw[:2] == LITTLE_ENDIAN:
            r = _Reader(raw)
            header = r.header()
            kind = r.text(*r.words(_ONE))
            return CompressedView(header, kind, r.octets(*r.words(_ONE)))
    except (struct.error, ValueError):
        pass
    return deserialize_message(raw, CompressedImage)


class InfoReader:
    """Reads camera_info; a message that differs from the last one only in its stamp is not parsed again."""

    def __init__(self) -> None:
        """Create a reader without a cached message."""
        self._last: tuple[bytes, CameraInfo] | None = None

    def __call__(self, raw: bytes) -> tuple[int, CameraInfo]:
        """Return the stamp in nanoseconds and the message, which may be an earlier one with another stamp."""
        rest = raw[AFTER_STAMP:]
        if raw[:2] == LITTLE_ENDIAN and self._last is not None and self._last[0] == rest:
            sec, nanosec = struct.unpack_from('<iI', raw, ORIGIN)
            return sec * SECOND + nanosec, self._last[1]
        message: Any = deserialize_message(raw, CameraInfo)
        self._last = (rest, message)
        return to_ns(message.header.stamp), message


@lru_cache(maxsize=256)
def _strings(values: tuple[str, ...]) -> tuple[str, tuple[int | bytes, ...]]:
    """Return the `struct` formats and values of strings; cached, because the same ones are written for each image."""
    encoded = [value.encode() + b'\0' for value in values]
    return ''.join(f'I{len(raw)}s' for raw in encoded), tuple(x for raw in encoded for x in (len(raw), raw))


class Writer:
    """Writes members in order, in native byte order and with native alignment, which equals that of CDR."""

    def __init__(self) -> None:
        """Start a message."""
        self._parts: list[Any] = [OURS]
        self._at = 0  # bytes in `_parts` after the encapsulation
        self._kinds: list[str] = []  # of members that are not yet in `_parts`
        self._values: list[Any] = []

    def numbers(self, kinds: str, *values: Any) -> None:
        """Write numbers of `struct` formats."""
        self._kinds.append(kinds)
        self._values += values

    def texts(self, *values: str) -> None:
        """Write strings."""
        kinds, parts = _strings(values)
        self.numbers(kinds, *parts)

    def stamp(self, ns: int) -> None:
        """Write a time."""
        self.numbers('iI', *seconds(ns))

    def header(self, stamp_ns: int, frame_id: str) -> None:
        """Write a header."""
        self.stamp(stamp_ns)
        self.texts(frame_id)

    def octets(self, *parts: NDArray[np.uint8]) -> None:
        """Write a sequence of bytes, given in parts that must not change until `written` is called."""
        size = sum(part.size for part in parts)
        self.numbers('I', size)
        self._pack()
        self._parts += [np.ascontiguousarray(part).data for part in parts]
        self._at += size

    def _pack(self) -> None:
        before = self._at % 8  # the largest alignment is 8
        packed = struct.pack(f'@{before}x{"".join(self._kinds)}', *self._values)[before:]
        self._parts.append(packed)
        self._at += len(packed)
        self._kinds, self._values = [], []

    def written(self) -> bytes:
        """Return the serialized message."""
        self._pack()
        return b''.join(self._parts)
