"""Read rosbags as frames, without ROS: sqlite3 or mcap; raw, compressed and compressedDepth images; poses from TF."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, Frame, InputError
from converseg_ros.core.stamps import SECOND, to_ns
from converseg_ros.lifting.alignment import MAX_IMAGES, NO_OFFSET, Alignment, AlignmentMeter, DepthOffset
from converseg_ros.lifting.tf import TransformBuffer, TransformError
from converseg_ros.perception.frames import Bundle, FrameMaker, FrameOptions
from converseg_ros.perception.rosbag import connections, find_camera, open_bag, read
from converseg_ros.perception.topics import TF, Stream

SLOP_NS = 20_000_000  # maximum difference between the stamps of colour and depth
RECORDED_SLOP_NS = 50_000_000  # the same if only the recording times are known
WAIT_NS = SECOND // 2  # maximum time in the bag that an image waits for its depth
LEVEL_FRAMES = ('map', 'odom', 'world', 'base_link', 'base_footprint')  # z up (REP 105)


@dataclass(frozen=True, slots=True)
class BagFrame:
    """A frame with the pose of the camera (4x4, camera to the root of the tree), if TF provides it.

    frame: None if the image is invalid. problem: why image, depth, calibration or pose is missing.
    """

    stamp_ns: int
    frame: Frame | None
    pose: NDArray[np.float64] | None = None
    problem: str = ''


class _Tree:
    """The transforms of a bag; `lookup` does not wait."""

    def __init__(self) -> None:
        self.buffer = TransformBuffer(keep=1e9)
        self.parents: dict[str, str] = {}

    def lookup(self, target: str, source: str, stamp_ns: int, timeout: float = 0.0) -> NDArray[np.float64]:
        """Return the 4x4 transform of points from `source` to `target`."""
        return self.buffer.lookup(target, source, stamp_ns)

    def add(self, t: Any, stamp_ns: int, *, static: bool) -> None:
        """Add a TransformStamped; an invalid one is ignored."""
        p, q = t.transform.translation, t.transform.rotation
        parent, child = t.header.frame_id, t.child_frame_id
        try:
            self.buffer.set(parent, child, stamp_ns, (p.x, p.y, p.z), (q.x, q.y, q.z, q.w), static=static)
            self.parents[child.lstrip('/')] = parent.lstrip('/')
        except TransformError:
            return

    def frames(self, frame_id: str) -> FrameOptions:
        """Return the root of a frame's tree as its world, and the frame with z up on the path to it."""
        chain = [frame_id.lstrip('/')]
        while chain[-1] in self.parents and self.parents[chain[-1]] not in chain:
            chain.append(self.parents[chain[-1]])
        if len(chain) == 1:
            return FrameOptions()
        level = next((f for f in LEVEL_FRAMES if f in chain), '')
        return FrameOptions(world_frame=chain[-1], level_frame=level)


class Bag:
    """A rosbag2 opened for reading; a context manager. Reads in order and deterministically.

    camera: the topics that are read. notes: the selected topics and anomalies, as text.
    """

    def __init__(self, path: Path, topics: Mapping[str, str] | None = None, offset: DepthOffset = NO_OFFSET) -> None:
        """Open the bag and read TF and calibration; raise InputError with the path if it cannot be read.

        topics: {role: topic} that replaces the automatic choice (`perception.topics.ROLES`). offset: the depth camera,
        for depth in the frame of the image that is not registered to it.
        """
        self.path, self.offset = path, offset
        self.reader = open_bag(path)
        self.camera = find_camera(self.reader, path, topics)
        self.notes = self.camera.describe()
        self._infos = {s: self._first(s) for s in (self.camera.info, self.camera.deep_info) if s is not None}
        self._tree = _Tree()
        self._read_transforms()
        self._maker = FrameMaker(self._tree)

    def _messages(self, *streams: Stream | None) -> Iterator[tuple[str, int, Any, bytes]]:
        """Yield (topic, bag time, connection, bytes) of some topics, in the order of the bag."""
        wanted = [c for s in streams if s is not None for c in connections(self.reader, s.topic, s.type)]
        for connection, time, raw in self.reader.messages(wanted) if wanted else ():  # an empty list would mean all
            yield connection.topic, time, connection, raw

    def _first(self, stream: Stream) -> Any:
        """Return the first valid message of a topic, or None."""
        for _, _, connection, raw in self._messages(stream):
            try:
                return read(self.reader, connection, raw)
            except InputError:
                continue
        return None

    def _read_transforms(self) -> None:
        for topic, static in self.camera.tf:
            for _, time, connection, raw in self._messages(Stream(topic, TF)):
                try:
                    message = read(self.reader, connection, raw)
                except InputError:
                    continue
                for t in message.transforms:
                    self._tree.add(t, stamp_of(t) or time, static=static)

    @cached_property
    def _recorded(self) -> bool:
        """Return whether frames use the recording times, because their own stamps are missing or repeated."""
        stamps = [stamp_in(raw) for _, _, _, raw in self._messages(self.camera.colour)]
        known = [s for s in stamps if s]
        reason = f'{len(stamps) - len(known)} of {len(stamps)} images have no stamp' if len(known) < len(stamps) else ''
        if len(set(known)) < len(known):
            reason = f'{len(known) - len(set(known))} of {len(stamps)} images have the stamp of another one'
        if reason:
            self.notes.append(f'{reason}: the times at which the bag recorded them are used')
        return bool(reason)

    @cached_property
    def _stamps(self) -> list[int]:
        """Return the stamp of each colour image, in the order of the bag, without duplicates."""
        if not self._recorded:
            return [stamp_in(raw) or 0 for _, _, _, raw in self._messages(self.camera.colour)]
        stamps: list[int] = []
        for _, time, _, _ in self._messages(self.camera.colour):
            stamps.append(max(time, stamps[-1] + 1) if stamps else time)
        return stamps

    def stamps(self) -> list[int]:
        """Return the stamps of the colour images, in the order of the bag."""
        return list(self._stamps)

    def frame_at(self, stamp_ns: int) -> Frame:
        """Return the frame of the colour image with exactly this stamp.

        Raise InputError if there is none or the image is invalid.
        """
        others = set(self._stamps) - {stamp_ns}
        for found in self.frames(skip=others):
            if found.frame is None:
                raise InputError(f'the image {stamp_ns} is broken: {found.problem}', where=str(self.path))
            return found.frame
        raise InputError(f'no image has the stamp {stamp_ns}', where=str(self.path))

    def frames(self, *, skip: frozenset[int] | set[int] = frozenset()) -> Iterator[BagFrame]:
        """Yield the frames in the order of the bag; stamps in `skip` are not decoded.

        For an invalid image, `frame` is None and `problem` has the reason.
        """
        waiting: list[tuple[int, int, Any, bytes]] = []  # bag time, stamp, connection, bytes
        depths: dict[int, tuple[Any, bytes]] = {}
        stamps = iter(self._stamps)
        slop = RECORDED_SLOP_NS if self._recorded else SLOP_NS
        for topic, time, connection, raw in self._messages(self.camera.colour, self.camera.deep):
            if topic == self.camera.depth:
                stamp = (0 if self._recorded else stamp_in(raw)) or time
                depths[stamp] = connection, raw
                for old in [k for k in depths if k < stamp - 2 * SECOND]:
                    del depths[old]
            else:
                stamp = next(stamps)
                if stamp not in skip:
                    waiting.append((time, stamp, connection, raw))
            while waiting and (_nearest(depths, waiting[0][1], slop) is not None or time > waiting[0][0] + WAIT_NS):
                yield self._frame(*waiting.pop(0)[1:], depths, slop)
        for _, stamp, connection, raw in waiting:
            yield self._frame(stamp, connection, raw, depths, slop)

    def _frame(
        self, stamp: int, connection: Any, raw: bytes, depths: dict[int, tuple[Any, bytes]], slop: int
    ) -> BagFrame:
        """Decode one frame; parts that cannot be used are omitted and reported."""
        problems = []
        depth = None
        key = _nearest(depths, stamp, slop)
        if key is not None:
            try:
                depth = read(self.reader, *depths[key])
            except InputError as error:
                problems.append(str(error))
        elif self.camera.depth:
            problems.append('no depth image of this moment')
        info, deep_info = (s and self._infos[s] for s in (self.camera.info, self.camera.deep_info))
        try:
            image = read(self.reader, connection, raw)
            options = replace(self._tree.frames(image.header.frame_id), offset=self.offset)
            frame, pose = self._maker.make(Bundle(stamp, image, depth, info, deep_info), options)
        except ConversegError as error:
            return BagFrame(stamp, None, None, str(error))
        problems += [t for t in (self._maker.note, self._maker.unknown) if t]
        if frame.depth_doubt and frame.depth_doubt not in self.notes:
            self.notes.append(frame.depth_doubt)
        if frame.depth is not None:
            frame = replace(frame, depth=np.asarray(frame.depth))
        return BagFrame(stamp, frame, pose, '; '.join(problems))

    def depth_alignment(self) -> Alignment | None:
        """Measure on images of the whole bag whether depth is registered to colour; None if too little is seen."""
        stamps = self.stamps()
        some = set(stamps[:: max(1, len(stamps) // (2 * MAX_IMAGES))])  # twice as many as needed: not all have edges
        meter = AlignmentMeter()
        for item in self.frames(skip=set(stamps) - some):
            frame = item.frame
            if frame is not None and frame.depth is not None and frame.intrinsics is not None:
                meter.update(frame.rgb, np.asarray(frame.depth), frame.intrinsics)
        return meter.compute()

    def __enter__(self) -> 'Bag':
        """Return the open bag."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bag."""
        self.reader.close()


def stamp_of(message: Any) -> int:
    """Return a message's header stamp in nanoseconds."""
    return to_ns(message.header.stamp)


def stamp_in(raw: bytes) -> int:
    """Return the stamp in nanoseconds of a serialized message with a header; 0 if there is none.

    Plain CDR (OMG DDSI-RTPS 10.2.1.2): four bytes of encapsulation, of which the second is the byte order, then sec and
    nanosec.
    """
    if len(raw) < 12:
        return 0
    sec, nanosec = struct.unpack_from('<iI' if raw[1] & 1 else '>iI', raw, 4)
    return int(sec) * SECOND + int(nanosec)


def _nearest(depths: Mapping[int, Any], stamp: int, slop: int) -> int | None:
    """Return the key within the slop that is closest to `stamp`."""
    key = min(depths, key=lambda k: abs(k - stamp), default=None)
    return key if key is not None and abs(key - stamp) <= slop else None
