"""Masks for noun phrases: the interface of a finder, and the finder that combines boxes with a promptable network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.network.grounded.boxes import Found, Grounder
from converseg_ros.network.segments.promptable import Promptable, check_scores

DECODED = 8  # boxes whose masks are decoded at once


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mask (h, w) bool that was found for a phrase, not empty.

    quality: expected IoU of the outline. score: how well it fits the phrase. Both are in 0..1 and not probabilities.
    """

    mask: NDArray[np.bool_]
    quality: float
    score: float


class Finder(Protocol):
    """Finds and segments noun phrases in an image."""

    @property
    def name(self) -> str:
        """Return a description for messages."""
        ...

    def find(self, rgb: NDArray[np.uint8], grid: tuple[int, int], phrases: Sequence[str]) -> dict[str, list[Drawn]]:
        """Return the masks of each phrase in an (H, W, 3) image at the resolution `grid` (h, w); [] if not found.

        Raises ConversegError if there is no answer this time.
        """
        ...


class BoxFinder:
    """A `Finder` of a grounder, which finds boxes, and a promptable network, which segments them."""

    def __init__(self, grounder: Grounder, drawer: Promptable) -> None:
        """Create a finder from both networks."""
        self.grounder, self.drawer = grounder, drawer

    @property
    def name(self) -> str:
        """Return the names of both."""
        return f'boxes by {self.grounder.name}, masks by {self.drawer.name}'

    def find(self, rgb: NDArray[np.uint8], grid: tuple[int, int], phrases: Sequence[str]) -> dict[str, list[Drawn]]:
        """Return the masks of each phrase; see Finder."""
        found = self.grounder.find(rgb, phrases)
        boxes: list[tuple[str, Found]] = [(p, f) for p in phrases for f in found.get(p, ())]
        out: dict[str, list[Drawn]] = {p: [] for p in phrases}
        if boxes:
            self.drawer.set_image(rgb, grid)
        for start in range(0, len(boxes), DECODED):
            part = boxes[start : start + DECODED]
            logits, scores = self.drawer.from_boxes(np.array([f.box for _, f in part], np.float32))
            check_scores(scores, self.drawer.name)
            for (phrase, box), masks, values in zip(part, logits, scores):
                best = int(values.argmax())
                mask = masks[best] > 0
                if mask.any():
                    out[phrase].append(Drawn(mask, float(np.clip(values[best], 0.0, 1.0)), box.score))
        return out
