"""Segments by a promptable network (SAM 2, SAM) instead of the boundary network.

The promptable network finds outlines; the kinds of regions (object, surface, ...) and planes come from the networks of
the model folder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import Segments
from converseg_ros.network.segments.nodes import ViewMaps
from converseg_ros.network.segments.promptable import GRID, MIN_SCORE, POINTS, Promptable, automatic_masks
from converseg_ros.network.segments.proposer import assembled
from converseg_ros.network.segments.selection import (
    MAX_PARTS,
    MAX_WHOLES,
    MIN_CELLS,
    MIN_QUALITY,
    PART_SHARE,
)

INSIDE = 0.9  # share of a mask inside another one that contains it
LEFT = 0.5  # minimum share of a mask outside of others for the flat cut
SLOW = 1.0  # seconds per view from which a proposer reports its time


@dataclass(frozen=True, slots=True)
class Chosen:
    """Masks (S, h, w) of segments, flat ones first and without overlaps; other fields as in Segments.

    index: index of each mask in the input.
    """

    masks: list[NDArray[np.bool_]]
    quality: list[float]
    flat: NDArray[np.bool_]
    parent: NDArray[np.intp]
    index: NDArray[np.intp]


class PromptedProposer:
    """A `SegmentProposer` of the masks from a grid of points."""

    def __init__(
        self,
        network: Promptable,
        maps: Callable[[Frame], ViewMaps],
        *,
        grid: int = GRID,
        min_score: float = MIN_SCORE,
        measured: bool = False,
    ) -> None:
        """Create a proposer from the promptable network and a function that returns the maps of a view.

        measured: measure the time of one view now.
        """
        self.network, self.maps, self.grid, self.min_score = network, maps, grid, min_score
        self.note = self._measured() if measured else ''

    def propose(self, view: Frame) -> Segments:
        """Return the segments of a view; depth and intrinsics are used if available."""
        maps = self.maps(view)
        grid = maps.boundary.shape
        self.network.set_image(view.rgb, (grid[0], grid[1]))
        found = automatic_masks(self.network, (view.height, view.width), grid=self.grid, min_score=self.min_score)
        chosen = choose_masks([mask for _, mask in found], [score for score, _ in found])
        kinds = [np.asarray(maps.kinds[:, mask].mean(1), np.float32) for mask in chosen.masks]
        return assembled(
            chosen.masks, kinds, chosen.quality, chosen.flat, chosen.parent, maps, (view.height, view.width)
        )

    def _measured(self) -> str:
        rgb = np.zeros((480, 640, 3), np.uint8)
        start = perf_counter()
        self.network.set_image(rgb, (240, 320))
        seen = perf_counter()
        self.network.from_points(np.full((POINTS, 2), 100, np.float32))
        seconds = seen - start + (perf_counter() - seen) * self.grid**2 / POINTS
        return '' if seconds < SLOW else f'{self.network.name} takes about {seconds:.0f} s a view on this machine'


def choose_masks(masks: list[NDArray[np.bool_]], quality: list[float]) -> Chosen:
    """Choose segments among overlapping masks (h, w) with predicted IoUs.

    Masks that contain others form a forest, over which dynamic programming selects the flat cut. In contrast to the
    learned quality, the score of these networks measures the outline and not whether the mask is a whole object; so the
    gain is by area, and with equal outlines an object is preferred to its parts.
    """
    usable = [i for i, mask in enumerate(masks) if np.count_nonzero(mask) >= MIN_CELLS and np.isfinite(quality[i])]
    kept, q = [masks[i] for i in usable], np.array([quality[i] for i in usable])
    if not kept:
        return Chosen([], [], np.zeros(0, bool), np.zeros(0, np.intp), np.zeros(0, np.intp))
    rows = np.stack(kept).reshape(len(kept), -1).astype(np.float32)
    area = rows.sum(1)
    within = rows @ rows.T / area[:, None]  # share of i inside j
    order = np.argsort(area, kind='stable')
    parent = np.full(len(kept), -1)
    for rank, i in enumerate(order):
        containing = [j for j in order[rank + 1 :] if within[i, j] >= INSIDE]
        parent[i] = containing[0] if containing else -1  # the smallest one
    flat = _flat(order, parent, area * np.maximum(q - MIN_QUALITY, 0))
    trimmed, free = {}, np.ones(kept[0].shape, bool)
    for i in sorted(flat, key=lambda i: -area[i] * q[i])[:MAX_WHOLES]:
        rest = kept[i] & free
        if np.count_nonzero(rest) >= max(LEFT * area[i], MIN_CELLS):
            trimmed[i] = rest
            free &= ~rest
    wholes = sorted(trimmed, key=lambda i: -q[i])
    place = {i: n for n, i in enumerate(wholes)}
    parts: list[tuple[int, int]] = []
    others: list[int] = []
    for i in sorted(set(range(len(kept))) - trimmed.keys(), key=lambda i: -q[i]):
        owners = [j for j in wholes if within[i, j] >= INSIDE and area[i] < PART_SHARE * area[j]]
        if owners and len(parts) < MAX_PARTS:
            parts.append((i, place[min(owners, key=lambda j: area[j])]))
        elif not owners and len(wholes) + len(others) < MAX_WHOLES:
            others.append(i)
    nodes = [*wholes, *others, *(i for i, _ in parts)]
    return Chosen(
        [trimmed.get(i, kept[i]) for i in nodes],
        [float(q[i]) for i in nodes],
        np.arange(len(nodes)) < len(wholes),
        np.array([-1] * (len(wholes) + len(others)) + [of for _, of in parts], np.intp),
        np.array([usable[i] for i in nodes], np.intp),
    )


def _flat(order: NDArray[np.intp], parent: NDArray[np.intp], gain: NDArray[np.floating]) -> list[int]:
    """Return nodes of a forest without nesting and with the maximum total gain."""
    children: dict[int, list[int]] = {int(i): [] for i in order}
    for i in order:
        if parent[i] >= 0:
            children[int(parent[i])].append(int(i))
    best: dict[int, float] = {}
    for i in map(int, order):  # smaller ones first
        best[i] = max(float(gain[i]), sum(best[c] for c in children[i]))
    found, stack = [], [int(i) for i in order if parent[i] < 0]
    while stack:
        i = stack.pop()
        if gain[i] > 0 and gain[i] >= best[i]:
            found.append(i)
        else:
            stack += children[i]
    return found
