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
from converseg_ros.perception.beliefs import moved
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
        self._stamp_ns = 0  # of the key image
        self._counter = 0

    def __len__(self) -> int:
        """Return the number of instructions with a track or a belief."""
        return len(self._tracks.keys() | self._beliefs.keys())

    def clear(self) -> None:
        """Remove all tracks."""
        self._tracks.clear()
        self._beliefs.clear()

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
        self._believe(regions, key.stamp_ns, back, options.max_tracks)
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

    def beliefs(self, back: NDArray[np.float32], stamp_ns: int, oldest_ns: int) -> dict[tuple[str, str], Belief]:
        """Return the beliefs at an image with stamp `stamp_ns`, by id and resolved text of the instruction.

        back: motion from the key image. Beliefs that no key image since `oldest_ns` has contributed to are omitted.
        """
        seconds = (stamp_ns - self._stamp_ns) / SECOND
        return {k: moved(b, back, seconds) for k, (b, asked_ns) in self._beliefs.items() if asked_ns >= oldest_ns}

    def _believe(self, regions: Sequence[Region], stamp_ns: int, back: NDArray[np.float32] | None, most: int) -> None:
        """Take the beliefs of the answers to a key image; those of instructions that were not asked are moved to it."""
        seconds = max(stamp_ns - self._stamp_ns, 0) / SECOND  # a late answer may be slightly older
        old = {} if back is None else self._beliefs
        kept = {k: (moved(b, back, seconds), asked_ns) for k, (b, asked_ns) in old.items() if back is not None}
        for region in regions:
            name = (region.instruction.id, region.instruction.resolved)
            if region.prediction.belief is not None:
                kept.pop(name, None)
                kept[name] = region.prediction.belief, stamp_ns
        self._beliefs, self._stamp_ns = OrderedDict(list(kept.items())[-most:]), stamp_ns


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
