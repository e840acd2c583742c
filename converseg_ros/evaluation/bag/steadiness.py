"""How steady the answers of standing instructions are: comparison of the masks of two consecutive key frames.

The earlier mask is moved to the later image by depth and the poses of the camera, independently of the tracker, so that
the camera's own motion is not counted as a change.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import overlap

MINIMUM_SEEN = 0.2  # share of the image that must be visible in both frames of a pair
STILL_SEEN = 0.5  # share of the earlier mask that must be visible in the later image
SAME = 0.5  # share of the smaller mask in the other one from which both show the same thing

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pair:
    """The answers to one instruction in two consecutive key frames; `stamp_ns` is that of the later one.

    iou: of the moved mask and the later one, where both images see the scene; None if both are empty. kept: whether at
    least STILL_SEEN of the earlier mask, which is not empty, is still visible. changed: kept, and the later mask shows
    another thing: less than SAME of the smaller mask lies in the other one. lost: kept, and the later mask is empty.
    """

    stamp_ns: int
    iou: float | None
    kept: bool = False
    changed: bool = False
    lost: bool = False


def compare_masks(stamp_ns: int, before: Mask, after: Mask, back: NDArray[np.float32]) -> Pair | None:
    """Return the comparison of two (H, W) masks, or None if the images have too little in common.

    back: (H, W, 2), the position of each pixel of the later image in the earlier one.
    """
    h, w = after.shape
    seen = (back[..., 0] >= 0) & (back[..., 0] <= w - 1) & (back[..., 1] >= 0) & (back[..., 1] <= h - 1)
    if np.count_nonzero(seen) < MINIMUM_SEEN * seen.size:
        return None
    moved = cv2.remap(before.view(np.uint8), back[..., 0], back[..., 1], cv2.INTER_NEAREST, borderValue=0) > 0
    moved = np.asarray(moved & seen)
    intersection, union = overlap(moved, after & seen)
    kept = bool(before.any() and np.count_nonzero(moved) >= STILL_SEEN * np.count_nonzero(before))
    shared, _ = overlap(moved, after)
    smaller = min(np.count_nonzero(moved), np.count_nonzero(after))
    return Pair(
        stamp_ns,
        intersection / union if union else None,
        kept,
        changed=bool(kept and smaller and shared < SAME * smaller),
        lost=bool(kept and not after.any()),
    )


def steadiness(pairs: Mapping[str, Iterable[Pair]]) -> dict[str, Any]:
    """Return the shares of pairs whose thing is still in view in which the answer changes or is lost.

    changes: {instruction id: stamps of the frames in which it changed}.
    """
    kept = {id_: [p for p in own if p.kept] for id_, own in pairs.items()}
    counts: Counter[str] = Counter()
    for p in (p for own in kept.values() for p in own):
        counts.update(pairs=1, changed=p.changed, lost=p.lost)
    total = counts['pairs']
    return {
        'changed': counts['changed'] / total if total else None,
        'lost': counts['lost'] / total if total else None,
        'n_pairs': total,
        'changes': {id_: [p.stamp_ns for p in own if p.changed] for id_, own in kept.items()},
    }
