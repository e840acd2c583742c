"""Move the beliefs about standing instructions (facts/execution/steady.py) to a newer image."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.perception.motion import picked

IN_VIEW = 0.5  # share of the last answer that must be visible for it to be in view


def moved(belief: Belief, back: NDArray[np.float32], seconds: float) -> Belief:
    """Return a belief at a later image.

    back: (h, w, 2), the position of each pixel of the later image in the earlier one, at any resolution. What enters
    the view has a disadvantage while the last answer is in view, and none otherwise.
    """
    if belief.log_odds is None:
        return belief
    o, (h, w) = belief.options, belief.log_odds.shape
    scale = np.array([w / back.shape[1], h / back.shape[0]], np.float32)
    source = np.asarray(cv2.resize((back + 0.5) * scale - 0.5, (w, h), interpolation=cv2.INTER_NEAREST), np.float32)
    known = cv2.inRange(source, (-0.5, -0.5), (w - 0.5, h - 0.5)) > 0
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
