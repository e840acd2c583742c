"""Colour terms of regions: the share of the pixels of a region that a person would call by each term."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from converseg_ros import knowledge
from converseg_ros.facts.predicates.relations import ramp
from converseg_ros.programs.vocabulary import COLOURS

Floats = NDArray[np.float64]
PLAIN = (0.1, 0.5)  # share of pixels from which a region may be called by a colour, and from which it certainly is
TRACE = (0.025, 0.07)  # the same for a part of a region, such as a handle
DARK, LIGHT = (30.0, 50.0), (55.0, 75.0)  # lightness from which a region is certainly dark and not dark, not and light
PART = (0.05, 0.25)  # share of dark or light pixels, for a part: every region has some in shadows or reflections
TEMPERATURE = 4.0  # Lab units of the transition between terms
SAMPLES = 1500  # sampled pixels of a region
BRIGHTEST = 98  # percentile of a channel that is taken as white
WHITE = 245  # value of white in good light
MAX_CAST, MAX_DIM = 1.6, 2.0  # maximum ratio of two channels of white that the light explains, and of good light to it
ADAPTATION = 0.5  # exponent of the correction; 1 is complete
LIGHTNESS = 0.6  # weight of lightness relative to hue and chroma, because shading changes it


def colour_words(rgb: NDArray[np.uint8], masks: NDArray[np.bool_], enough: tuple[float, float] = PLAIN) -> Floats:
    """Return (S, len(COLOURS)) probabilities that each of (S, h, w) masks is called by a colour, for (h, w, 3) RGB.

    enough: see PLAIN; TRACE gives the probabilities that a part of the region has a colour.
    Grey may be called silver, and yellow or brown gold, with lower certainty. Dark and light compare lightness, that of
    the region or, for a part, of its pixels; colourful means several hues. Colours are corrected for the light of the
    view (`corrected_for_light`).
    """
    terms, lightness = _table()
    bins = (corrected_for_light(rgb).astype(np.intp) >> 3) @ np.array([1024, 32, 1])
    names = list(knowledge.colour_samples())
    shares = np.zeros((len(masks), len(names)))
    dark, light = np.zeros(len(masks)), np.zeros(len(masks))
    for i, mask in enumerate(masks):
        cells = np.flatnonzero(mask)
        if cells.size:
            own = bins.ravel()[cells[:: max(1, cells.size // SAMPLES)]]
            shares[i] = terms[own].mean(0)
            if enough == TRACE:
                each = lightness[own]
                dark[i] = ramp((each < DARK[0]).mean(keepdims=True), *PART)[0]
                light[i] = ramp((each > LIGHT[1]).mean(keepdims=True), *PART)[0]
            else:
                bright = lightness[own].mean(keepdims=True)
                dark[i], light[i] = ramp(-bright, -DARK[1], -DARK[0])[0], ramp(bright, *LIGHT)[0]
    one = {name: ramp(shares[:, i], *enough) for i, name in enumerate(names)}
    hues = [i for i, n in enumerate(names) if n not in ('black', 'grey', 'white', 'beige', 'brown')]
    several = (shares[:, hues] > 0.1).sum(1)
    extra = {
        'silver': 0.6 * one['grey'],
        'gold': 0.5 * np.maximum(one['yellow'], one['brown']),
        'dark': dark,
        'light': light,
        'colourful': ramp(several.astype(np.float64), 1, 3),
    }
    return np.stack([{**one, **extra}[name] for name in COLOURS], 1)


def corrected_for_light(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (h, w, 3) RGB corrected halfway for the brightness and colour of the light.

    The brightest values of each channel are taken as those of a white surface (white-patch Retinex; Land and McCann
    1971). The correction is partial and limited because a view need not show anything white.
    """
    white = np.maximum(np.percentile(rgb.reshape(-1, 3), BRIGHTEST, axis=0), 1)
    most = float(white.max())
    cast, dim = np.minimum(most / white, MAX_CAST), np.clip(WHITE / most, 1, MAX_DIM)
    gain = (cast * dim) ** ADAPTATION
    levels = np.clip(np.arange(256)[:, None] * gain, 0, 255).astype(np.uint8)
    return np.stack([levels[rgb[..., c], c] for c in range(3)], -1)


@cache
def _table() -> tuple[Floats, Floats]:
    """Return the shares of similar terms (32768, terms), and the lightness, of each of 32^3 colours."""
    levels = np.arange(32, dtype=np.float32) * 8 + 4
    r, g, b = np.meshgrid(levels, levels, levels, indexing='ij')
    scale = np.array([LIGHTNESS, 1, 1])
    lab = _lab(np.stack([r, g, b], -1).reshape(1, -1, 3))
    samples = [_lab(np.array([group], np.float32)) for group in knowledge.colour_samples().values()]
    nearest = np.stack([cKDTree(group * scale).query(lab * scale)[0] for group in samples], 1)
    soft = np.exp(-(nearest - nearest.min(1, keepdims=True)) / TEMPERATURE)
    return soft / soft.sum(1, keepdims=True), lab[:, 0]


def _lab(rgb: NDArray[np.float32]) -> Floats:
    """Return (N, 3) CIE Lab of (1, N, 3) RGB in 0 to 255."""
    return np.asarray(cv2.cvtColor(rgb / np.float32(255), cv2.COLOR_RGB2LAB)[0], np.float64)
