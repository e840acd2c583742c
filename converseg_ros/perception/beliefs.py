"""Move the beliefs about standing instructions (facts/execution/steady.py) to a newer image.

A thing that left the view is remembered at its place: where depth and the poses of the camera show that this place is
in view again, it is the last answer again. Without poses it must be found anew.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.core.stamps import SECOND
from converseg_ros.perception.motion import LowFrame, picked, pose_back

IN_VIEW = 0.5  # share of the last answer that must be visible for it to be in view


@dataclass(frozen=True, eq=False)
class Remembered:
    """The belief about a thing at the last key image that showed it completely, or else at the one that showed most."""

    belief: Belief
    view: LowFrame
    area: int
    cut: bool

    def returned(self, now: Belief, current: LowFrame) -> Belief:
        """Return the belief `now` at an image, with the thing as the last answer if its place is in view.

        What was found while the thing was not in view has the disadvantage of what enters the view.
        """
        chosen, back = self.belief.chosen, pose_back(current, self.view)
        if chosen is None or now.log_odds is None or back is None:
            return now
        source, known = _source(back, chosen.shape)
        place = (picked(chosen.view(np.uint8), source) > 0) & known
        if np.count_nonzero(place) < IN_VIEW * np.count_nonzero(chosen):
            return now
        o = now.options
        kept = 0.5 ** ((current.stamp_ns - self.view.stamp_ns) / SECOND / o.half_life)
        log_odds = np.where(place, np.float32(0), now.log_odds - np.float32(o.entering))
        return replace(now, log_odds=log_odds, chosen=place, absence=kept * self.belief.absence, left=False)


def remember(old: Remembered | None, belief: Belief, view: LowFrame) -> Remembered | None:
    """Return what to remember after a key image with a belief."""
    if belief.left or belief.chosen is None:
        return old
    c = belief.chosen
    area, cut = int(np.count_nonzero(c)), bool(c[[0, -1]].any() or c[:, [0, -1]].any())
    if old is not None and (cut, -area if cut else 0) > (old.cut, -old.area if old.cut else 0):
        return old
    return Remembered(belief, view.small(), area, cut)


def moved(belief: Belief, back: NDArray[np.float32], seconds: float) -> Belief:
    """Return a belief at a later image.

    back: (h, w, 2), the position of each pixel of the later image in the earlier one, at any resolution. What enters
    the view has a disadvantage while the last answer is in view, and none otherwise.
    """
    if belief.log_odds is None:
        return belief
    o, (h, w) = belief.options, belief.log_odds.shape
    source, known = _source(back, (h, w))
    kept = 0.5 ** (seconds / o.half_life)
    chosen = belief.chosen
    if chosen is not None:
        shown = np.count_nonzero(chosen)
        chosen = (picked(chosen.view(np.uint8), source) > 0) & known
        chosen = chosen if np.count_nonzero(chosen) >= IN_VIEW * shown else None
    new = np.float32(0 if chosen is None else -o.entering)
    return replace(
        belief,
        log_odds=np.where(known, np.float32(kept) * picked(belief.log_odds, source), new),
        frames=kept * belief.frames,
        chosen=chosen,
        absence=0.0 if chosen is None else kept * belief.absence,
        left=belief.left or (belief.chosen is not None and chosen is None),
        certainty=None if belief.certainty is None else belief.certainty - o.fade * seconds,
    )


def _source(back: NDArray[np.float32], shape: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return a motion at the size (h, w) of a belief, and (h, w) where it is inside the earlier image."""
    h, w = shape
    scale = np.array([w / back.shape[1], h / back.shape[0]], np.float32)
    source = np.asarray(cv2.resize((back + 0.5) * scale - 0.5, (w, h), interpolation=cv2.INTER_NEAREST), np.float32)
    return source, cv2.inRange(source, (-0.5, -0.5), (w - 0.5, h - 0.5)) > 0
