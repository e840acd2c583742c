"""Basic colour terms: naming the colour of a surface, and paints."""

from colorsys import rgb_to_hsv

import numpy as np
from numpy.typing import NDArray

# name -> typical paints in display (sRGB, 0..255) values
PAINTS: dict[str, list[tuple[int, int, int]]] = {
    'red': [(190, 30, 35), (165, 25, 30), (205, 45, 40)],
    'orange': [(235, 120, 30), (225, 105, 20), (240, 140, 50)],
    'yellow': [(240, 205, 40), (235, 190, 30), (245, 220, 80)],
    'green': [(50, 130, 60), (35, 110, 70), (110, 170, 60), (60, 160, 110)],
    'blue': [(30, 70, 160), (25, 55, 120), (60, 130, 200), (90, 160, 215)],
    'purple': [(110, 60, 150), (90, 45, 120), (140, 90, 180)],
    'pink': [(235, 140, 170), (240, 165, 185), (225, 110, 150)],
    'brown': [(110, 70, 40), (90, 55, 35), (130, 85, 50)],
    'black': [(28, 28, 30), (20, 20, 22), (38, 38, 40)],
    'gray': [(125, 125, 128), (150, 152, 155), (105, 108, 110)],
    'white': [(238, 238, 235), (228, 228, 224), (245, 244, 240)],
}


def to_linear(rgb: NDArray[np.floating] | tuple[int, int, int]) -> NDArray[np.float32]:
    """Return linear RGB in 0..1 of display values in 0..255 (gamma 2.2)."""
    return np.asarray((np.asarray(rgb, np.float32) / 255) ** 2.2, np.float32)


def to_display(linear: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return display values in 0..255 of linear RGB in 0..1."""
    return np.asarray(255 * np.clip(linear, 0, 1) ** (1 / 2.2), np.float32)


def paint(name: str, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a linear RGB paint of a colour name with a small random variation."""
    choices = PAINTS[name]
    base = np.array(choices[rng.integers(len(choices))], float) + rng.normal(0, 5, 3)
    r, g, b = to_linear(np.clip(base, 6, 250))
    return float(r), float(g), float(b)


def name(linear: NDArray[np.floating] | tuple[float, float, float]) -> str:
    """Return the basic colour term of a linear RGB colour, '' if it is between terms."""
    return _term(*(to_display(np.asarray(linear, np.float32)) / 255).tolist())


def _term(red: float, green: float, blue: float) -> str:
    """Return the basic colour term of display values in 0..1, '' if they are between terms."""
    h, s, v = rgb_to_hsv(red, green, blue)
    hue, chroma = h * 360, s * v
    if v < 0.2:
        return 'black'
    if chroma < 0.09 or s < 0.12:
        return 'black' if v < 0.22 else 'gray' if v < 0.74 else 'white'
    if hue < 16 or hue >= 340:
        return 'pink' if v > 0.75 and s < 0.55 else 'red' if s > 0.5 else 'brown' if v < 0.6 else ''
    if hue < 42:
        return 'brown' if v < 0.62 or (s < 0.62 and v < 0.82) else 'orange' if s > 0.62 else ''
    if hue < 70:
        return 'yellow' if v > 0.6 and s > 0.4 else 'brown' if v < 0.45 and hue < 50 else ''
    if hue < 170:
        return 'green' if s > 0.16 else ''
    if hue < 255:
        return 'blue' if s > 0.16 else ''
    if hue < 295:
        return 'purple'
    return 'pink' if v > 0.6 else 'purple'


def dominant(colors: NDArray[np.floating], weights: NDArray[np.floating]) -> str:
    """Return the term that covers at least 60 % of the weight of N x 3 linear colours, else ''."""
    total: dict[str, float] = {}
    display = (to_display(np.asarray(colors, np.float32)) / 255).tolist()
    for color, weight in zip(display, weights.tolist()):
        term = _term(*color)
        total[term] = total.get(term, 0.0) + weight
    whole = sum(total.values())
    if not whole:
        return ''
    best = max(total, key=lambda t: total[t])
    return best if total[best] >= 0.6 * whole else ''
