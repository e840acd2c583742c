"""Match the regions of successive answers, so that a region keeps its id while it is the same object."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.core.region import Region
from converseg_ros.core.stamps import SECOND
from converseg_ros.core.status import GeometryStatus
from converseg_ros.perception.beliefs import Remembered, moved, remember
from converseg_ros.perception.motion import LowFrame, picked
from converseg_ros.perception.options import TrackerOptions


@dataclass(slots=True)
class _Track:
    """The state of one track."""

    id: str
    mask: NDArray[np.uint8]  # small, in the key image
    stamp_ns: int
    place: NDArray[np.float64] | None  # centroid in the world frame


class Tracks:
    """The tracks of one camera by instruction; ids are never used again."""

    def __init__(self) -> None:
        """Create an empty set."""
        self._tracks: OrderedDict[tuple[str, str], _Track] = OrderedDict()
        self._beliefs: OrderedDict[tuple[str, str], tuple[Belief, int]] = OrderedDict()  # with the stamp of the answer
        self._remembered: dict[tuple[str, str], Remembered] = {}  # the last good views of the things
        self._view: LowFrame | None = None  # the key image
        self._counter = 0

    def __len__(self) -> int:
        """Return the number of instructions with a track or a belief."""
        return len(self._tracks.keys() | self._beliefs.keys())

    def clear(self) -> None:
        """Remove all tracks."""
        self._tracks.clear()
        self._beliefs.clear()
        self._remembered.clear()
        self._view = None

    def update(
        self,
        regions: Sequence[Region],
        key: LowFrame,
        pose: NDArray[np.float64] | None,
        back: NDArray[np.float32] | None,
        options: TrackerOptions,
    ) -> tuple[list[Region], list[NDArray[np.uint8]]]:
        """Match the answers to the key image with the tracks; return them with ids, and their small masks.

        pose: 4x4 pose of the camera in a fixed frame, or None. back: motion from the previous key image, or None.
        Tracks whose instruction was not asked this time, or has no mask, are propagated.
        """
        out, smalls, tracks = [], [], OrderedDict(self._tracks)
        self._believe(regions, key, back, options.max_tracks)
        for region in regions:
            name = (region.instruction.id, region.instruction.resolved)
            track = tracks.pop(name, None)
            small = _small(region.prediction.mask, key.gray.shape)
            smalls.append(small)
            place = _place(region, pose)
            if region.prediction.mask.any():
                if track is None or not _same(track, small, place, key.stamp_ns, back, options):
                    self._counter += 1
                    track = _Track(f'{region.instruction.id or "region"}-{self._counter}', small, key.stamp_ns, place)
                track.mask, track.stamp_ns, track.place = small, key.stamp_ns, place
            elif track is not None:
                track.mask = warped(track.mask, back)
            if track is not None:
                tracks[name] = track
            out.append(replace(region, id=track.id if track is not None and small.any() else region.id))
        asked = {(r.instruction.id, r.instruction.resolved) for r in regions}
        for other, track in tracks.items():
            if other not in asked:
                track.mask = warped(track.mask, back)
        while len(tracks) > options.max_tracks:
            tracks.popitem(last=False)
        self._tracks = tracks
        return out, smalls

    def beliefs(self, back: NDArray[np.float32], current: LowFrame, oldest_ns: int) -> dict[tuple[str, str], Belief]:
        """Return the beliefs at an image, by id and resolved text of the instruction.

        back: motion from the key image. Beliefs that no key image since `oldest_ns` has contributed to are omitted.
        """
        kept = {k: b for k, (b, asked_ns) in self._beliefs.items() if asked_ns >= oldest_ns}
        return {k: self._moved(k, b, back, current) for k, b in kept.items()}

    def _moved(self, name: tuple[str, str], belief: Belief, back: NDArray[np.float32], current: LowFrame) -> Belief:
        """Return a belief at a later image; a thing that left the view may have returned to it."""
        assert self._view is not None
        seconds = max(current.stamp_ns - self._view.stamp_ns, 0) / SECOND  # a late answer may be slightly older
        now = moved(belief, back, seconds)
        there = self._remembered.get(name)
        return now if there is None or not now.left else there.returned(now, current)

    def _believe(self, regions: Sequence[Region], key: LowFrame, back: NDArray[np.float32] | None, most: int) -> None:
        """Take the beliefs of the answers to a key image; those of instructions that were not asked are moved to it."""
        kept: dict[tuple[str, str], tuple[Belief, int]] = {}
        remembered: dict[tuple[str, str], Remembered] = {}
        if back is not None and self._view is not None:
            for name, (belief, asked_ns) in self._beliefs.items():
                kept[name] = self._moved(name, belief, back, key), asked_ns
            remembered = dict(self._remembered)
        for region in regions:
            name = (region.instruction.id, region.instruction.resolved)
            if region.prediction.belief is not None:
                kept.pop(name, None)
                kept[name] = region.prediction.belief, key.stamp_ns
                seen = remember(remembered.get(name), region.prediction.belief, key)
                if seen is not None:
                    remembered[name] = seen
        self._beliefs = OrderedDict(list(kept.items())[-most:])
        self._remembered = {k: v for k, v in remembered.items() if k in self._beliefs}
        self._view = key


def _place(region: Region, pose: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Return the centroid of the region in the world frame, or None if unknown."""
    known = region.geometry.status in (GeometryStatus.OK, GeometryStatus.PARTIAL)
    if pose is None or not known or region.geometry.centroid is None:
        return None
    return np.asarray(pose[:3, :3] @ region.geometry.centroid + pose[:3, 3])


def _same(
    track: _Track,
    small: NDArray[np.uint8],
    place: NDArray[np.float64] | None,
    stamp_ns: int,
    back: NDArray[np.float32] | None,
    options: TrackerOptions,
) -> bool:
    """Return whether a new mask is the object of a track."""
    if abs(stamp_ns - track.stamp_ns) > options.max_carry * SECOND:
        return False
    if place is not None and track.place is not None:
        return bool(np.linalg.norm(place - track.place) <= options.match_distance)
    moved = warped(track.mask, back)
    if moved.shape != small.shape:
        return False
    union = np.count_nonzero(moved | small)
    return bool(union and np.count_nonzero(moved & small) / union >= options.match_overlap)


def _small(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the mask at the size (h, w) for motion estimation; thin masks do not vanish."""
    small = cv2.resize(mask.view(np.uint8) * np.uint8(255), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray((small > (100 if small.max(initial=0) > 100 else 0)).view(np.uint8))


def warped(mask: NDArray[np.uint8], back: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """Return a small mask warped by a small motion."""
    if back is None or back.shape[:2] != mask.shape:
        return mask
    return picked(mask, back)
