"""Regions of a view that were found by name, combined with those of its proposer."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import iou
from converseg_ros.core.segments import Segments
from converseg_ros.network.segments.prompted import LEFT, choose_masks
from converseg_ros.network.segments.selection import MIN_CELLS

SAME = 0.7  # intersection over union from which two masks are duplicates


@dataclass(slots=True)
class Region:
    """A region that was found by name. scores: by phrase, of its boxes; kinds: (4,)."""

    mask: NDArray[np.bool_]
    quality: float
    kinds: NDArray[np.float32]
    scores: dict[str, float]


def add_region(regions: list[Region], new: Region) -> None:
    """Add a region, or add its scores to a duplicate."""
    for known in regions:
        if iou(known.mask, new.mask) >= SAME:
            for phrase, score in new.scores.items():
                known.scores[phrase] = max(score, known.scores.get(phrase, 0.0))
            return
    regions.append(new)


def united(base: Segments, regions: list[Region]) -> tuple[Segments, list[Region | None]]:
    """Return the segments of a view with the regions that were found, and for each segment its region or None.

    Regions that were found come first: regions of the flat cut keep the rest of their pixels, if that is half or more.
    """
    if not regions:
        return base, [None] * len(base)
    chosen = choose_masks([r.mask for r in regions], [r.quality for r in regions])
    asked: list[Region | None] = [regions[i] for i in chosen.index]
    taken = np.zeros(base.masks.shape[1:], bool)
    for mask, flat in zip(chosen.masks, chosen.flat):
        taken |= mask & flat
    masks, keep = base.masks.copy(), np.ones(len(base), bool)
    for i in np.flatnonzero(base.flat):
        rest = masks[i] & ~taken
        size = np.count_nonzero(masks[i])
        keep[i] = np.count_nonzero(rest) >= max(LEFT * size, MIN_CELLS)
        masks[i] = rest
    for i in np.flatnonzero(~base.flat):
        keep[i] = all(iou(masks[i], r.mask) < SAME for r in regions)
    kept = np.flatnonzero(keep)
    count = len(chosen.masks)
    place = np.full(len(base), -1, np.intp)
    place[kept] = count + np.arange(len(kept))
    parents = np.where(base.parent[kept] >= 0, place[base.parent[kept]], -1)
    unexplained = base.unexplained
    if unexplained is not None:
        unexplained = np.where(taken, 0, unexplained).astype(np.float32)
    kinds = [r.kinds for r in asked if r is not None]
    segments = replace(
        base,
        masks=np.concatenate([np.stack(chosen.masks), masks[kept]]) if count else masks[kept],
        kinds=np.concatenate([np.array(kinds, np.float32).reshape(-1, base.kinds.shape[1]), base.kinds[kept]]),
        quality=np.concatenate([np.array(chosen.quality, np.float32), base.quality[kept]]),
        flat=np.concatenate([chosen.flat, base.flat[kept]]),
        parent=np.concatenate([chosen.parent, parents]).astype(np.intp),
        plane=np.concatenate([np.full(count, -1), base.plane[kept]]).astype(np.intp),
        unexplained=unexplained,
    )
    return segments, [*asked, *([None] * len(kept))]
