"""The step at which an answer failed: segments, presence, program, or facts.

Only networks that execute programs have these steps. An item with a target is correct if the IoU is at least 0.5.
Otherwise the first of these that applies is the step that failed:

- segments: no region, and no union of up to six regions, has an IoU of 0.5 with the ground truth;
- presence: the answer was NO_TARGET, although the selected regions are correct;
- program: the answer to the given program of the item is correct, that to the parsed one is not (only with given
  programs);
- facts: all other failures: names, relations, measurements, or a given program whose answer is incorrect.

An item without a target that was not refused failed at presence.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.segments import Segments

RIGHT, SEGMENTS, PRESENCE, PROGRAM, FACTS = 'right', 'segments', 'presence', 'program', 'facts'
STEPS = (RIGHT, SEGMENTS, PRESENCE, PROGRAM, FACTS)
MIN_IOU = 0.5  # minimum IoU of a correct answer
MAX_UNION = 6  # maximum number of regions of a union


class Scored(Protocol):
    """The attributes of a scored answer (evaluation.metrics.Score) that the ladder uses."""

    @property
    def step(self) -> str:
        """Return the step that failed, RIGHT, or '' if the network has no steps."""
        ...


def union_oracle(segments: Segments, truth: NDArray[np.bool_]) -> float:
    """Return the best IoU of an (H, W) ground-truth mask with a greedy union of at most MAX_UNION regions."""
    h, w = segments.masks.shape[1:]
    covered = cv2.resize(truth.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA).ravel()
    flat = segments.masks.reshape(len(segments), h * w)
    chosen = np.zeros(h * w, bool)
    best = 0.0
    for _ in range(MAX_UNION):
        joined = flat | chosen
        inside = joined @ covered
        ious = inside / np.maximum(joined.sum(1) + covered.sum() - inside, 1e-9)
        if not len(ious) or ious.max() <= best + 1e-3:
            break
        best = float(ious.max())
        chosen = joined[int(ious.argmax())]
    return best


def step_of(*, positive: bool, refused: bool, iou: float, oracle: float, kept: float, given: float | None) -> str:
    """Return the step at which an answer failed, or RIGHT.

    oracle: `union_oracle`. kept: the IoU of the selected regions, independent of the status. given: the IoU of the
    given program of the item, or None.
    """
    if not positive:
        return RIGHT if refused else PRESENCE
    if iou >= MIN_IOU:
        return RIGHT
    if oracle < MIN_IOU:
        return SEGMENTS
    if refused and kept >= MIN_IOU:
        return PRESENCE
    if given is not None and given >= MIN_IOU:
        return PROGRAM
    return FACTS


def ladder(scores: Iterable[Scored]) -> dict[str, Any] | None:
    """Return the share of the items that end at each step, or None if the network has no steps."""
    counts = Counter(s.step for s in scores if s.step)
    total = sum(counts.values())
    return {'n': total, **{step: counts[step] / total for step in STEPS}} if total else None
