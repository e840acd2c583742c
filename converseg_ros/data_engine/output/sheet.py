"""A contact sheet of random items with their prompts, for manual review."""

from pathlib import Path
import random

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.item import Item
from converseg_ros.core.mask import resize_mask
from converseg_ros.core.overlay import Layer, draw_overlay
from converseg_ros.datasets.images import read_rgb


def draw_item(item: Item, root: Path, width: int = 480) -> NDArray[np.uint8]:
    """Return one item as a picture (H, W, 3) of `width`, with family, sub-concept and prompt below it."""
    import cv2

    rgb = read_rgb(item.image_path(root))
    height = round(width * rgb.shape[0] / rgb.shape[1])
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    mask = resize_mask(item.mask(), height, width)
    note = f'{item.family}/{item.sub_concept}' + ('' if item.positive else f' NONE ({item.provenance.get("strategy")})')
    layers = [Layer(mask, item.prompt), Layer(np.zeros_like(mask), note)]
    return draw_overlay(small, layers)


def contact_sheet(
    items: list[Item], root: Path, count: int = 50, *, seed: int = 0, columns: int = 5, width: int = 480
) -> NDArray[np.uint8]:
    """Return `count` random items as one picture."""
    chosen = random.Random(seed).sample(items, min(count, len(items)))
    tiles = [draw_item(item, root, width) for item in chosen]
    height = max(t.shape[0] for t in tiles)
    padded = [np.pad(t, ((0, height - t.shape[0] + 6), (0, 6), (0, 0))) for t in tiles]
    blank = np.zeros_like(padded[0])
    rows = [padded[i : i + columns] for i in range(0, len(padded), columns)]
    rows[-1] += [blank] * (columns - len(rows[-1]))
    return np.vstack([np.hstack(row) for row in rows])
