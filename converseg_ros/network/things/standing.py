"""The verdict on an answer to a standing instruction; earlier key frames count too (facts/execution/steady.py)."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Status
from converseg_ros.core.belief import Belief
from converseg_ros.core.probability import log_odds
from converseg_ros.facts.execution.answer import Answer
from converseg_ros.facts.execution.steady import conclude
from converseg_ros.network.calibration import Verdict

UNFITTED = 0.02  # probability of the best region at which the existence of a target is undecided without a calibration


def steadied(verdict: Verdict, answer: Answer, masks: NDArray[np.bool_]) -> tuple[Verdict, Belief | None]:
    """Return the verdict after all key frames, and the new belief; both unchanged without a belief.

    masks: (S, h, w) of the regions. Earlier key frames may change NO_TARGET to LOW_CONFIDENCE and the reverse, but
    nothing to OK.
    """
    if answer.weighed is None or answer.area or verdict.status == Status.ERROR:
        return verdict, None if answer.weighed is None else answer.weighed.belief
    absence = verdict.absence
    if absence is None:
        absence = float(log_odds(UNFITTED) - log_odds(verdict.score))
    belief, present = conclude(answer.weighed, masks, answer.chosen, absence)
    if present and verdict.status == Status.NO_TARGET:
        reason = '; '.join(x for x in (answer.unsure, 'it was seen in earlier images') if x)
        return Verdict(Status.LOW_CONFIDENCE, verdict.score, reason, verdict.confidence), belief
    if not present and verdict.status != Status.NO_TARGET:
        left = 'what was meant left the view, and nothing in view is as certain'
        reason = left if belief.left else 'it was not seen in earlier images'
        return Verdict(Status.NO_TARGET, verdict.score, reason), belief
    return verdict, belief
