"""Colour words of regions: the share of a region's pixels whose colour a person would call by each word."""

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.facts.relations import ramp
from converseg_ros.programs.vocabulary import COLOURS

Floats = NDArray[np.float64]
# Typical colours (sRGB) of the basic terms (Berlin and Kay 1969), light, plain and dark where one word spans them.
PROTOTYPES: dict[str, tuple[tuple[int, int, int], ...]] = {
    'red': ((200, 25, 25), (150, 20, 30), (215, 70, 60)),
    'orange': ((240, 130, 20), (225, 110, 50)),
    'yellow': ((235, 205, 40), (250, 230, 90), (215, 180, 60)),
    'green': ((40, 140, 50), (90, 170, 70), (30, 90, 50), (140, 190, 110)),
    'blue': ((30, 70, 190), (60, 130, 220), (25, 40, 100), (110, 150, 200)),
    'purple': ((120, 50, 150), (90, 40, 110), (150, 100, 180)),
    'pink': ((240, 130, 170), (230, 90, 140)),
    'brown': ((120, 75, 40), (160, 115, 70), (80, 50, 30)),
    'black': ((20, 20, 20), (40, 40, 42)),
    'grey': ((128, 128, 128), (90, 90, 90), (165, 165, 165)),
    'white': ((240, 240, 240), (215, 215, 212)),
    'beige': ((215, 195, 160), (195, 175, 145)),
    'cyan': ((60, 190, 200), (40, 150, 160)),
}
PLAIN = (0.25, 0.55)  # share of pixels at which a region begins to be called by a colour, and is
TEMPERATURE = 12.0  # Lab units over which one term gives way to the next
LIGHTNESS = 0.6  # weight of lightness against hue and chroma: shading changes it


def colour_words(rgb: NDArray[np.uint8], masks: NDArray[np.bool_]) -> Floats:
    """Return (S, len(COLOURS)) probabilities that each of (S, h, w) masks is called by a colour, for (h, w, 3) RGB.

    Silver is called so where it is grey, gold where it is yellow or brown, with less certainty. Dark and light compare
    lightness; colourful is what has several hues.
    """
    lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)
    shares = _shares(lab, masks)
    names = list(PROTOTYPES)
    one = {name: ramp(shares[:, i], *PLAIN) for i, name in enumerate(names)}
    weight = masks.reshape(len(masks), -1).astype(np.float32)
    area = np.maximum(weight.sum(1), 1)
    lightness = (weight @ lab[:, 0] / area).astype(np.float64)
    hues = [i for i, n in enumerate(names) if n not in ('black', 'grey', 'white', 'beige', 'brown')]
    several = (shares[:, hues] > 0.1).sum(1)
    extra = {
        'silver': 0.6 * one['grey'],
        'gold': 0.5 * np.maximum(one['yellow'], one['brown']),
        'dark': ramp(-lightness, -50.0, -30.0),
        'light': ramp(lightness, 55.0, 75.0),
        'colourful': ramp(several.astype(np.float64), 1, 3),
    }
    return np.stack([{**one, **extra}[name] for name in COLOURS], 1)


def _shares(lab: NDArray[np.float32], masks: NDArray[np.bool_]) -> Floats:
    """Return (S, terms) of each region's pixels by term, shared between near terms; every fourth pixel is looked at."""
    count, h, w = masks.shape
    keep = np.zeros((h, w), bool)
    keep[::2, ::2] = True
    for i in np.flatnonzero(masks.reshape(count, -1)[:, keep.ravel()].sum(1) < 20):
        keep |= masks[i]
    pixels = lab[keep.ravel()]
    colours = np.array([c for group in PROTOTYPES.values() for c in group], np.float32)[None] / 255
    centres = cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)[0]
    owner = np.repeat(np.arange(len(PROTOTYPES)), [len(g) for g in PROTOTYPES.values()])
    scale = np.array([LIGHTNESS, 1, 1], np.float32)
    p, c = pixels * scale, centres * scale
    squared = (p**2).sum(1)[:, None] - 2 * p @ c.T + (c**2).sum(1)[None]
    distance = np.sqrt(np.maximum(squared, 0))
    nearest = np.stack([distance[:, owner == i].min(1) for i in range(len(PROTOTYPES))], 1)
    soft = np.exp(-(nearest - nearest.min(1, keepdims=True)) / TEMPERATURE * 2)
    soft /= soft.sum(1, keepdims=True)
    weight = masks.reshape(count, -1)[:, keep.ravel()].astype(np.float32)
    return np.asarray(weight @ soft / np.maximum(weight.sum(1), 1)[:, None], np.float64)
