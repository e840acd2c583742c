"""Propagate masks from the image of the network to newer images at camera rate, with stable region ids."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import NOT_COMPUTED, Geometry
from converseg_ros.core.mask import Box
from converseg_ros.core.options import check_options, option
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.region import Region
from converseg_ros.core.status import GeometryStatus, Status
from converseg_ros.perception.motion import (
    MIN_FLOW_SIDE,
    LowFrame,
    flow_back,
    forward,
    low_frame,
    moved_image,
    picked,
    pose_back,
    similarity,
)
from converseg_ros.perception.moving import move_geometry, without_points
from converseg_ros.perception.rigid import Landmarks
from converseg_ros.perception.warp import Outlines

SECOND = 1_000_000_000
SURE = 0.8  # correlation above which a motion explains an image
CLEAR = 0.97  # share of an image that is explained; a mean difference of six gray levels
EXPLAINED = (1 / (1 + (np.arange(256) / 32) ** 2)).astype(np.float32)  # by the difference in gray levels


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """Options of the tracker; times in seconds of the image stamps."""

    width: int = option(128, MIN_FLOW_SIDE, 2048)
    """Number of columns of the small image for motion estimation."""
    max_carry: float = option(2.0, 0.0, 60.0)
    """Maximum age of an answer for propagation."""
    half_life: float = option(1.0, 0.01, 3600.0)
    """Half-life of the score of a propagated region; it decreases faster where the images disagree."""
    keep_status: float = option(0.5, 0.0, 1.0)
    """Share of its first score below which a propagated region is LOW_CONFIDENCE."""
    max_gap: float = option(1.0, 0.01, 60.0)
    """A longer gap between images, or a negative one, is a clock jump, which clears the tracker."""
    cut: float = option(0.4, 0.0, 1.0)
    """Correlation of the new and the predicted image below which there is a scene cut."""
    match_overlap: float = option(0.2, 0.0, 1.0)
    """Overlap (IoU) of a propagated and a new mask above which they are the same object."""
    match_distance: float = option(0.15, 0.0, 10.0)
    """Distance in metres between two centroids in the world frame below which they are the same object."""
    max_tracks: int = option(64, 1, 10_000)
    """Maximum number of tracks; the one that was not seen for the longest time is dropped first."""
    history: int = option(32, 1, 1000)
    """Number of small images that are stored for answers that arrive late."""

    def __post_init__(self) -> None:
        """Validate the options."""
        check_options(self, 'tracker options')


@dataclass(slots=True)
class _Track:
    """The state of one track."""

    id: str
    mask: NDArray[np.uint8]  # small, in the key image
    stamp_ns: int
    place: NDArray[np.float64] | None  # centroid in the world frame


class Tracker:
    """The tracker of one camera; not thread-safe."""

    def __init__(self, options: TrackerOptions | None = None) -> None:
        """Create an empty tracker."""
        self.options = options or TrackerOptions()
        self.resets = 0
        self.reset_reason = ''
        self._counter = 0
        self._forget()

    def _forget(self) -> None:
        self._key: LowFrame | None = None
        self._regions: list[Region] = []
        self._smalls: list[NDArray[np.uint8]] = []  # their masks, small
        self._outlines = Outlines()
        self._landmarks: Landmarks | None = None
        self._guess: NDArray[np.float32] | None = None
        self._motion: NDArray[np.float64] | None = None  # motion of the camera from the key image to the newest image
        self._recent: deque[tuple[int, NDArray[np.uint8]]] = deque(maxlen=self.options.history)  # stamps, small images
        self._tracks: OrderedDict[Hashable, _Track] = OrderedDict()

    def reset(self, reason: str = 'asked to') -> None:
        """Clear all images, masks and ids."""
        self.resets += 1
        self.reset_reason = reason
        self._forget()

    @property
    def active(self) -> bool:
        """Return whether there are regions to propagate."""
        return bool(self._regions)

    def observe(self, frame: Frame, regions: Sequence[Region], pose: NDArray[np.float64] | None = None) -> list[Region]:
        """Take the network's answers for `frame`, which may be older than the last image; return them with ids.

        pose: 4x4 pose of the camera in a fixed frame at the stamp of the frame, or None. An id is kept while the same
        instruction finds a region that overlaps the propagated mask or is close to it in space.
        """
        newest = self._recent[-1][0] if self._recent else frame.stamp_ns
        if abs(frame.stamp_ns - newest) > max(self.options.max_gap, self.options.max_carry) * SECOND:
            self.reset('the clock jumped')
        key = low_frame(frame, pose, self.options.width)
        back = None
        if self._key is not None and self._tracks:
            back = flow_back(key.gray, self._key.gray, None)
            if self._is_cut(key, moved_image(self._key.gray, back), back):
                self.reset('the scene was cut')
                back = None
        out, smalls, tracks = [], [], OrderedDict(self._tracks)
        for region in regions:
            name = (region.instruction.id, region.instruction.resolved)
            track = tracks.pop(name, None)
            small = _small(region.prediction.mask, key.gray.shape)
            smalls.append(small)
            place = self._place(region, pose)
            if region.prediction.mask.any():
                same = track is not None and self._same(track, small, place, key.stamp_ns, back)
                if track is None or not same:
                    self._counter += 1
                    track = _Track(f'{region.instruction.id or "region"}-{self._counter}', small, key.stamp_ns, place)
                track.mask, track.stamp_ns, track.place = small, key.stamp_ns, place
            elif track is not None:
                track.mask = _warp_small(track.mask, back)
            if track is not None:
                tracks[name] = track
            out.append(replace(region, id=track.id if track is not None and small.any() else region.id))
        asked = {(r.instruction.id, r.instruction.resolved) for r in regions}
        for other, track in tracks.items():  # also propagate tracks whose instruction was not asked this time
            if other not in asked:
                track.mask = _warp_small(track.mask, back)
        while len(tracks) > self.options.max_tracks:
            tracks.popitem(last=False)
        self._tracks, self._key, self._guess, self._motion = tracks, key, None, None
        self._regions = [replace(r, geometry=without_points(r.geometry)) for r in out]  # points belong to this image
        self._smalls = smalls
        self._outlines = Outlines([r.prediction.mask for r in out], key.gray.shape)
        self._landmarks = landmarks = Landmarks(key, smalls)
        self._points = np.concatenate([self._outlines.points, landmarks.points])  # all tracked points
        self._catch_up(key)
        return list(out)

    def propagate(
        self, frame: Frame, pose: NDArray[np.float64] | None = None, *, geometry: bool = False
    ) -> list[Region]:
        """Return the last answers propagated to a newer image; [] if there are none.

        geometry: whether to move the geometry too, if depth or poses provide the motion; otherwise it is NOT_COMPUTED.
        Scores decay with time and with the difference between the predicted and the new image. A region that left the
        view has an empty mask and LOW_CONFIDENCE, because its absence was not observed.
        """
        options = self.options
        if self._recent:
            step = (frame.stamp_ns - self._recent[-1][0]) / SECOND
            if step < 0 or step > options.max_gap:
                self.reset('the clock jumped')
        if self._regions and self._regions[0].prediction.mask.shape != frame.rgb.shape[:2]:
            self.reset('the image size changed')
        current = low_frame(frame, pose, options.width)
        if self._key is None or not self._regions:
            self._remember(current)
            return []
        age = (current.stamp_ns - self._key.stamp_ns) / SECOND
        if age > options.max_carry:
            self._regions = []
            self._remember(current)
            return []
        back = pose_back(current, self._key)
        moved = None if back is None else moved_image(self._key.gray, back)
        if back is None or moved is None or similarity(current.gray, moved, back) < SURE:
            back = self._guess = flow_back(current.gray, self._key.gray, self._guess)
            moved = moved_image(self._key.gray, back)
        explained = _explained(current.gray, moved)
        # an image that is explained this well by gray levels need not be correlated
        if cv2.mean(explained)[0] < CLEAR and self._is_cut(current, moved, back):
            self.reset('the scene was cut')
            self._remember(current)
            return []
        self._remember(current)
        smalls = [_warp_small(small, back) for small in self._smalls]
        gone = forward(self._points, back)
        masks = self._outlines.moved(smalls, gone[: len(self._outlines.points)])
        geometries = self._geometries(current, gone[len(self._outlines.points) :], smalls, frame) if geometry else {}
        out = []
        for n, (region, (mask, box)) in enumerate(zip(self._regions, masks)):
            last = region.segmented_ns + int(options.max_carry * SECOND)
            lasting = region.valid_until_ns - region.stamp_ns
            propagated = replace(
                region,
                prediction=self._prediction(region.prediction, mask, box, age, cv2.mean(explained, smalls[n])[0]),
                geometry=geometries.get(n, NOT_COMPUTED),
                stamp_ns=frame.stamp_ns,
                frame_id=frame.frame_id,
                valid_until_ns=min(frame.stamp_ns + lasting, last) if region.valid_until_ns else 0,
                stage_ms={},
            )
            out.append(propagated)
        return out

    def _prediction(self, old: Prediction, mask: NDArray[np.bool_], box: Box, age: float, like: float) -> Prediction:
        """Return a propagated answer; like: how well the image is explained there, 0 if it is not covered."""
        if old.status in (Status.NO_TARGET, Status.ERROR):
            return old
        trust = like * 0.5 ** (age / self.options.half_life)
        status, reason = old.status, old.reason
        if not box.x1:
            status, reason = Status.LOW_CONFIDENCE, 'left the view since the network saw it'
        elif trust < self.options.keep_status:
            status, reason = Status.LOW_CONFIDENCE, f'propagated for {age:.1f} s since the network saw it'
        score = old.score * trust
        return old.with_mask(mask, box, score=score, status=status, reason=reason, calibrated=False, probability=None)

    def _geometries(
        self, current: LowFrame, gone: NDArray[np.float32], smalls: Sequence[NDArray[np.uint8]], frame: Frame
    ) -> dict[int, Geometry]:
        """Return the moved geometry of each visible region, by index, if the motion is known."""
        assert self._landmarks is not None
        measured = (GeometryStatus.OK, GeometryStatus.PARTIAL)
        moving = [n for n, r in enumerate(self._regions) if r.geometry.status in measured and smalls[n].any()]
        if not moving:
            return {}
        self._motion, own = self._landmarks.motions(current, gone, self._motion)
        return {n: move_geometry(self._regions[n].geometry, own[n], frame) for n in moving if own}

    def _remember(self, low: LowFrame) -> None:
        self._recent.append((low.stamp_ns, low.gray))  # without its depth, which has full size

    def _catch_up(self, key: LowFrame) -> None:
        """Prepare the motion from a late key image to the newest image, at once or in several small steps."""
        later = [gray for stamp_ns, gray in self._recent if stamp_ns > key.stamp_ns]
        if not later:
            self._remember(key)
            return
        newest = later[-1]
        self._guess = flow_back(newest, key.gray, None)
        if similarity(newest, moved_image(key.gray, self._guess), self._guess) >= SURE:
            return
        self._guess = None
        stride = max(1, len(later) // 4)
        for gray in later[stride - 1 :: stride]:
            self._guess = flow_back(gray, key.gray, self._guess)

    def _is_cut(self, current: LowFrame, moved: NDArray[np.uint8], back: NDArray[np.float32]) -> bool:
        """Return whether an image and the predicted image show different scenes, independent of exposure."""
        return similarity(current.gray, moved, back) < self.options.cut

    @staticmethod
    def _place(region: Region, pose: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """Return the centroid of the region in the world frame, or None if unknown."""
        known = region.geometry.status in (GeometryStatus.OK, GeometryStatus.PARTIAL)
        if pose is None or not known or region.geometry.centroid is None:
            return None
        return np.asarray(pose[:3, :3] @ region.geometry.centroid + pose[:3, 3])

    def _same(
        self,
        track: _Track,
        small: NDArray[np.uint8],
        place: NDArray[np.float64] | None,
        stamp_ns: int,
        back: NDArray[np.float32] | None,
    ) -> bool:
        """Return whether a new mask is the object of a track."""
        if abs(stamp_ns - track.stamp_ns) > self.options.max_carry * SECOND:
            return False
        if place is not None and track.place is not None:
            return bool(np.linalg.norm(place - track.place) <= self.options.match_distance)
        moved = _warp_small(track.mask, back)
        if moved.shape != small.shape:
            return False
        union = np.count_nonzero(moved | small)
        return bool(union and np.count_nonzero(moved & small) / union >= self.options.match_overlap)


def _small(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the mask at the size (h, w) for motion estimation; thin masks do not vanish."""
    small = cv2.resize(mask.view(np.uint8) * np.uint8(255), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray((small > (100 if small.max(initial=0) > 100 else 0)).view(np.uint8))


def _warp_small(mask: NDArray[np.uint8], back: NDArray[np.float32] | None) -> NDArray[np.uint8]:
    """Return a small mask warped by a small motion."""
    if back is None or back.shape[:2] != mask.shape:
        return mask
    return picked(mask, back)


def _explained(current: NDArray[np.uint8], moved: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how well the predicted image explains each pixel of the new small image, in [0, 1]."""
    return np.asarray(cv2.LUT(cv2.blur(cv2.absdiff(current, moved), (5, 5)), EXPLAINED), np.float32)
