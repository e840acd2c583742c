"""Training views of an image: its pixels, their validity, and its prompts with targets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.training.converseg.augment import (
    View,
    draw_view,
    plain_view,
    see_image,
    see_mask,
    seen_prompt,
    valid_cells,
    worsen,
)
from converseg_ros.training.converseg.config import AugmentConfig
from converseg_ros.training.converseg.records import Record

MIN_COVER = 100  # of 255: a target that fills less than about half of its fullest cell is not used


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt about a view. target: (h, w) uint8 share of each cell in 0..255, or None without a target."""

    id: str
    text: str
    family: str
    literal: bool
    target: NDArray[np.uint8] | None

    @property
    def positive(self) -> bool:
        """Return whether there is a target in the view."""
        return self.target is not None


@dataclass(frozen=True, slots=True)
class TrainingView:
    """pixels: (H, W, 3) uint8 at the input size of the network. valid: (h, w) uint8, 1 inside the image."""

    pixels: NDArray[np.uint8]
    valid: NDArray[np.uint8]
    asks: list[Ask]


def make_view(
    record: Record, size: tuple[int, int], augment: AugmentConfig | None, rng: np.random.Generator
) -> TrainingView:
    """Return a view of a record for a network of input `size` (H, W), whose grid is a quarter of it.

    augment None: the plain view of inference, which does not use `rng`. Prompts whose target was cropped away, or is
    smaller than half a cell, are dropped.
    """
    rgb = record.load()
    shape, grid = (rgb.shape[0], rgb.shape[1]), (size[0] // 4, size[1] // 4)
    if augment is None:
        view = plain_view(shape)
        pixels = see_image(rgb, view, size)
    else:
        view = draw_view(shape, augment, rng)
        pixels = worsen(see_image(rgb, view, size), augment, rng)
    return TrainingView(pixels, valid_cells(shape, view, size, grid), _asks(record, view, size, grid))


def _asks(record: Record, view: View, size: tuple[int, int], grid: tuple[int, int]) -> list[Ask]:
    asks = []
    for item in record.items:
        truth = item.mask() if item.positive else None
        covered = 1.0
        if truth is not None and not view.plain:
            x0, y0, x1, y1 = view.rectangle
            covered = float(truth[y0:y1, x0:x1].sum()) / max(1, int(truth.sum()))
        seen = seen_prompt(item, view, covered)
        if seen is None:
            continue
        text, positive = seen
        target = None
        if positive and truth is not None:
            target = see_mask(truth, view, size, grid)
            if int(target.max()) < MIN_COVER:
                continue
        asks.append(Ask(item.id, text, str(item.family or ''), item.phase == 'literal', target))
    return asks
