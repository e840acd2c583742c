"""Propagate masks from the image of the network to newer images at camera rate, with stable region ids."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import NOT_COMPUTED, Geometry
from converseg_ros.core.mask import Box
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.region import Region
from converseg_ros.core.stamps import SECOND
from converseg_ros.core.status import GeometryStatus, Status
from converseg_ros.perception.motion import (
    LowFrame,
    flow_back,
    forward,
    low_frame,
    moved_image,
    pose_back,
    similarity,
)
from converseg_ros.perception.moving import move_geometry, without_points
from converseg_ros.perception.options import TrackerOptions
from converseg_ros.perception.rigid import Landmarks
from converseg_ros.perception.tracks import Tracks, warped
from converseg_ros.perception.warp import Outlines

MIN_CORRELATION = 0.8  # correlation above which a motion explains an image
MIN_EXPLAINED_SHARE = 0.97  # share of an image that is explained; a mean difference of six gray levels
EXPLAINED_BY_DIFFERENCE = (1 / (1 + (np.arange(256) / 32) ** 2)).astype(np.float32)  # by the difference in gray levels


class Tracker:
    """The tracker of one camera; not thread-safe."""

    def __init__(self, options: TrackerOptions | None = None) -> None:
        """Create an empty tracker."""
        self.options = options or TrackerOptions()
        self.resets = 0
        self.reset_reason = ''
        self._tracks = Tracks()
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
        self._tracks.clear()

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
        back = self._since_key(key) if self._tracks else None
        if self._tracks and back is None:
            self.reset('the scene was cut')
        out, self._smalls = self._tracks.update(regions, key, pose, back, self.options)
        self._key, self._guess, self._motion = key, None, None
        self._regions = [replace(r, geometry=without_points(r.geometry)) for r in out]  # points belong to this image
        self._outlines = Outlines([r.prediction.mask for r in out], key.gray.shape)
        self._landmarks = landmarks = Landmarks(key, self._smalls)
        self._points = np.concatenate([self._outlines.points, landmarks.points])  # all tracked points
        self._catch_up(key)
        return out

    def beliefs(self, frame: Frame, pose: NDArray[np.float64] | None = None) -> dict[tuple[str, str], Belief]:
        """Return what the key frames so far say about each instruction, moved to a newer image.

        Keys are (id, resolved text). Beliefs older than `max_carry`, and those from before a jump of the clock or a
        scene cut, are not returned.
        """
        if self._key is None or not 0 < frame.stamp_ns - self._key.stamp_ns <= self.options.max_carry * SECOND:
            return {}
        current = low_frame(frame, pose, self.options.width)
        back = self._since_key(current)
        if back is None:
            return {}
        return self._tracks.beliefs(back, current, frame.stamp_ns - int(self.options.max_carry * SECOND))

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
        if back is None or moved is None or similarity(current.gray, moved, back) < MIN_CORRELATION:
            back = self._guess = flow_back(current.gray, self._key.gray, self._guess)
            moved = moved_image(self._key.gray, back)
        explained = _explained(current.gray, moved)
        # an image that is explained this well by gray levels need not be correlated
        if cv2.mean(explained)[0] < MIN_EXPLAINED_SHARE and self._is_cut(current, moved, back):
            self.reset('the scene was cut')
            self._remember(current)
            return []
        self._remember(current)
        smalls = [warped(small, back) for small in self._smalls]
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

    def _since_key(self, current: LowFrame) -> NDArray[np.float32] | None:
        """Return (h, w, 2) the position in the key image of each pixel of an image, or None after a scene cut."""
        if self._key is None:
            return None
        back = pose_back(current, self._key)
        moved = None if back is None else moved_image(self._key.gray, back)
        if back is None or moved is None or similarity(current.gray, moved, back) < MIN_CORRELATION:
            back = flow_back(current.gray, self._key.gray, None)
            moved = moved_image(self._key.gray, back)
        return None if self._is_cut(current, moved, back) else back

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
        return old.with_mask(
            mask, box, score=score, status=status, reason=reason, calibrated=False, probability=None, confidence=None
        )

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
        if similarity(newest, moved_image(key.gray, self._guess), self._guess) >= MIN_CORRELATION:
            return
        self._guess = None
        stride = max(1, len(later) // 4)
        for gray in later[stride - 1 :: stride]:
            self._guess = flow_back(gray, key.gray, self._guess)

    def _is_cut(self, current: LowFrame, moved: NDArray[np.uint8], back: NDArray[np.float32]) -> bool:
        """Return whether an image and the predicted image show different scenes, independent of exposure."""
        return similarity(current.gray, moved, back) < self.options.cut


def _explained(current: NDArray[np.uint8], moved: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how well the predicted image explains each pixel of the new small image, in [0, 1]."""
    return np.asarray(cv2.LUT(cv2.blur(cv2.absdiff(current, moved), (5, 5)), EXPLAINED_BY_DIFFERENCE), np.float32)
