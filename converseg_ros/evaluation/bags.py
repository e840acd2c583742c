"""Read rosbags without ROS: sqlite3 or mcap; raw, compressed and compressedDepth images; poses from TF."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, Frame, InputError
from converseg_ros.lifting.tf import TransformBuffer, TransformError
from converseg_ros.perception.camera import Calibration, Rectifier, rectified_size
from converseg_ros.perception.images import (
    decode_color,
    decode_compressed_color,
    decode_compressed_depth,
    decode_depth,
)
from converseg_ros.perception.topics import find_camera_topics, open_bag

SECOND = 1_000_000_000
SLOP_NS = 20_000_000  # maximum difference between the stamps of colour and depth
WAIT_NS = SECOND // 2  # maximum time in the bag that an image waits for its depth
LEVEL_FRAMES = ('map', 'odom', 'world', 'base_link', 'base_footprint')  # z up (REP 105)


@dataclass(frozen=True, slots=True)
class BagFrame:
    """A frame with the pose of the camera (4x4, camera to the root of the tree), if TF provides it."""

    frame: Frame
    pose: NDArray[np.float64] | None
    problem: str = ''  # why depth, calibration or pose is missing


class Bag:
    """A rosbag2 opened for reading; a context manager. Reads in order and deterministically."""

    def __init__(self, path: Path) -> None:
        """Open the bag and read TF and calibration; raise InputError with the path if it cannot be read."""
        self.path = path
        self.reader = open_bag(path)
        self.topics = {c.topic: c.msgtype for c in self.reader.connections}
        self.camera = find_camera_topics(self.topics)
        self.buffer = TransformBuffer(keep=1e9)
        self.parents: dict[str, str] = {}
        self.calibration: Calibration | None = None
        self.rectifier = Rectifier()
        self._read_surroundings()

    def _connections(self, *topics: str) -> list[Any]:
        return [c for c in self.reader.connections if c.topic in topics]

    def _read_surroundings(self) -> None:
        """Read all transforms and the first camera_info."""
        for connection, _, raw in self.reader.messages(self._connections('/tf', '/tf_static')):
            message: Any = self.reader.deserialize(raw, connection.msgtype)
            for t in message.transforms:
                p, q = t.transform.translation, t.transform.rotation
                try:
                    self.buffer.set(
                        t.header.frame_id,
                        t.child_frame_id,
                        stamp_of(t),
                        (p.x, p.y, p.z),
                        (q.x, q.y, q.z, q.w),
                        static=connection.topic == '/tf_static',
                    )
                    self.parents[t.child_frame_id.lstrip('/')] = t.header.frame_id.lstrip('/')
                except TransformError:
                    continue  # ignore an invalid transform
        infos = self._connections(self.camera.camera_info) if self.camera.camera_info else []
        for connection, _, raw in self.reader.messages(infos) if infos else ():
            self.calibration = calibration_of(self.reader.deserialize(raw, connection.msgtype))
            break

    def stamps(self) -> list[int]:
        """Return the stamps of the colour images, in the order of the bag."""
        found = []
        for connection, _, raw in self.reader.messages(self._connections(self.camera.image)):
            found.append(stamp_of(self.reader.deserialize(raw, connection.msgtype)))
        return found

    def frame_at(self, stamp_ns: int) -> Frame:
        """Return the frame of the colour image with exactly this stamp, with its depth and calibration."""
        others = set(self.stamps()) - {stamp_ns}
        for found in self.frames(skip=others):
            return found.frame
        raise InputError(f'no image has the stamp {stamp_ns}', where=str(self.path))

    def frames(self, *, skip: frozenset[int] | set[int] = frozenset()) -> Iterator[BagFrame]:
        """Yield the frames in order of the stamps of the colour images; stamps in `skip` are not decoded."""
        waiting: list[tuple[int, int, Any]] = []  # bag time, stamp, message
        depths: dict[int, Any] = {}
        wanted = self._connections(self.camera.image, *([self.camera.depth] if self.camera.depth else []))
        for connection, time, raw in self.reader.messages(wanted):
            message = self.reader.deserialize(raw, connection.msgtype)
            stamp = stamp_of(message)
            if connection.topic == self.camera.depth:
                depths[stamp] = message
                for old in [k for k in depths if k < stamp - 2 * SECOND]:
                    del depths[old]
            elif stamp not in skip:
                waiting.append((time, stamp, message))
            while waiting and (_nearest(depths, waiting[0][1]) is not None or time > waiting[0][0] + WAIT_NS):
                yield self._frame(waiting[0][1], waiting.pop(0)[2], depths)
        for _, stamp, message in waiting:
            yield self._frame(stamp, message, depths)

    def _frame(self, stamp: int, message: Any, depths: dict[int, Any]) -> BagFrame:
        """Decode one frame; parts that cannot be used are omitted and reported."""
        rgb = color_of(message)
        frame_id, problems = message.header.frame_id, []
        key = _nearest(depths, stamp)
        depth, intrinsics = None, None
        try:
            depth = None if key is None else depth_of(depths[key])
            if depth is not None and depth.shape != rgb.shape[:2]:
                raise InputError(f'depth is {depth.shape}, colour {rgb.shape[:2]}: not registered', where='depth')
        except InputError as error:
            depth = None
            problems.append(str(error))
        if key is None and self.camera.depth:
            problems.append('no depth image of this moment')
        try:
            if self.calibration is not None:
                rectified_size(rgb.shape, self.calibration)
                intrinsics = self.rectifier.prepare(self.calibration)
                rgb, straight = self.rectifier.rectify(rgb, depth)
                depth = None if straight is None else np.asarray(straight)
        except InputError as error:
            intrinsics = None
            problems.append(str(error))
        pose, gravity = self._pose(frame_id, stamp, problems)
        frame = Frame(rgb, depth, intrinsics, stamp, frame_id, gravity)
        return BagFrame(frame, pose, '; '.join(problems))

    def _pose(
        self, frame_id: str, stamp: int, problems: list[str]
    ) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
        """Return the pose of the camera in the root of the tree, and gravity if a frame with z up is known."""
        chain = [frame_id.lstrip('/')]
        while chain[-1] in self.parents and self.parents[chain[-1]] not in chain:
            chain.append(self.parents[chain[-1]])
        if len(chain) == 1:
            return None, None
        try:
            pose = self.buffer.lookup(chain[-1], chain[0], stamp)
            level = next((f for f in LEVEL_FRAMES if f in chain), None)
            return pose, None if level is None else self.buffer.gravity(level, chain[0], stamp)
        except ConversegError as error:
            problems.append(str(error))
            return None, None

    def __enter__(self) -> 'Bag':
        """Return the open bag."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bag."""
        self.reader.close()


def stamp_of(message: Any) -> int:
    """Return a message's header stamp in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * SECOND + int(stamp.nanosec)


def color_of(message: Any) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB of an Image or CompressedImage."""
    if hasattr(message, 'format'):
        return decode_compressed_color(message.data, message.format)
    m = message
    return decode_color(m.data, m.encoding, m.height, m.width, m.step, big_endian=bool(m.is_bigendian))


def depth_of(message: Any) -> NDArray[np.float32]:
    """Return (H, W) float32 metres of an Image or CompressedImage."""
    if hasattr(message, 'format'):
        return decode_compressed_depth(message.data, message.format)
    m = message
    return decode_depth(m.data, m.encoding, m.height, m.width, m.step, big_endian=bool(m.is_bigendian))


def calibration_of(message: Any) -> Calibration:
    """Return the calibration of a CameraInfo."""
    m, roi = message, message.roi
    box = (roi.x_offset, roi.y_offset, roi.width, roi.height)
    k, d, p = (tuple(float(v) for v in row) for row in (m.k, m.d, m.p))
    return Calibration(m.width, m.height, k, d, m.distortion_model or 'plumb_bob', p, m.binning_x, m.binning_y, box)


def _nearest(depths: dict[int, Any], stamp: int) -> int | None:
    """Return the key within the slop that is closest to `stamp`."""
    key = min(depths, key=lambda k: abs(k - stamp), default=None)
    return key if key is not None and abs(key - stamp) <= SLOP_NS else None
