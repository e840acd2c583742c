"""States, physical properties and image positions of the regions of a view, from measures and relations."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.measures import Measures
from converseg_ros.facts.predicates.relations import ramp
from converseg_ros.facts.predicates.scales import NO_DISTANCES

if TYPE_CHECKING:
    from converseg_ros.facts.table import Facts

Floats = NDArray[np.float64]
NO_SHAPE = 'depth is missing, so how things stand is not known'
NO_STABILITY = 'depth is missing, so stability is not known'
SLENDER = (1.0, 4.0)  # ratio of height to width from which a standing object tips easily, and at most
MAX_TIPS = 0.6  # probability for the most slender objects: their weight is not visible
UNMEASURED_TIPS = 0.1  # probability if the shape is not known
FURNITURE = (0.5, 1.0)  # metres of height from which an object may be furniture, which a small push does not tip over
IN_USE = ('using', 'cutting', 'pouring', 'plugging', 'carrying', 'sitting')
HEAVY = (0.01, 0.04)  # cubic metres from which an object may be too heavy for one hand, and from which it certainly is


def state(value: str, facts: 'Facts') -> Degree:
    """Return (S,) degrees of one of programs.vocabulary.STATES."""
    if value in STATES:
        return STATES[value](facts)
    return Degree.unknown(len(facts), f'it cannot be seen whether something is {value}')


def _lying(facts: 'Facts') -> Degree:
    """Return what lies: its long axis is level, or it is flat."""
    m = facts.standing
    steep = np.abs(m.long_axis[:, 2])
    height = m.high - m.low
    flat = ramp(-height / np.maximum(m.width, 1e-3), -0.5, -0.3)
    long = ramp(-steep, -0.5, -0.3) * ramp(m.elongation, 1.3, 1.8)
    plain = np.maximum(flat, long)
    doubtful = (m.elongation < 1.3) & (flat < 0.5)
    return Degree.partly(
        np.where(doubtful, np.nan, plain), NO_SHAPE if facts.depthless else 'a thing is as long as high'
    )


def _upright(facts: 'Facts') -> Degree:
    return ~_lying(facts)


def _stacked(facts: 'Facts') -> Degree:
    """Return what stands on, or supports, another object with a similar footprint."""
    m = facts.measures
    ratio = m.area[:, None] / np.maximum(m.area[None], 1)
    alike = ramp(-np.abs(np.log(np.maximum(ratio, 1e-3))), -1.5, -0.7)
    things = facts.kinds[:, 0]
    pair = facts.primitives.support.scaled(alike * things[:, None] * things[None])
    return pair.any(1) | pair.any(0)


def _hidden(facts: 'Facts') -> Degree:
    return facts.relation('hidden_by').any(1)


def _used(facts: 'Facts') -> Degree:
    """Return what somebody uses, or what acts on something else or is acted on, like a knife in bread."""
    out = Degree.known(np.zeros(len(facts)))
    for kind in IN_USE:
        out = out | facts.act(kind).any(0) | facts.act(kind).any(1)
    return out


STATES: dict[str, Callable[['Facts'], Degree]] = {
    'lying': _lying,
    'upright': _upright,
    'stacked': _stacked,
    'hidden': _hidden,
    'visible': lambda f: ~_hidden(f),
    'used': _used,
    'unused': lambda f: ~_used(f),
}
"""States that geometry can decide; open, full and lit are not among them."""


def physics(value: str, facts: 'Facts') -> Degree:
    """Return (S,) degrees of one of programs.vocabulary.PHYSICS."""
    return PHYSICS[value](facts)


def _tips(facts: 'Facts') -> Degree:
    """Return what would tip over at a small push: objects that are much higher than wide.

    Only the front half of a round object is visible, so the width is the mean of both horizontal extents. In rendered
    scenes, a physics engine lets 8 % of objects tip at a ratio of 1.25, 26 % at 2.25 and 48 % at 3.5.
    """
    m = facts.standing
    height = m.high - m.low
    slender = ramp(height / np.maximum(np.sqrt(m.width * m.length), 0.01), *SLENDER) * (1 - ramp(height, *FURNITURE))
    loose = facts.kinds[:, 0] * (
        1 - facts.primitives.inside.p.max(1, initial=0.0)
    )  # a pencil in a mug cannot fall over
    return Degree.partly(MAX_TIPS * slender, NO_STABILITY, UNMEASURED_TIPS).scaled(loose)


def _rolls(facts: 'Facts') -> Degree:
    """Return what is round and does not stand upright, and vessels that lie on their side."""
    m = facts.standing
    ratio = (m.high - m.low) / np.maximum(m.length, 0.01)
    standing = ramp(ratio, 1.15, 1.5)
    fallen = ramp(-np.abs(m.long_axis[:, 2]), -0.5, -0.3) * ramp(m.elongation, 1.3, 1.8) * ramp(-ratio, -0.9, -0.75)
    fallen *= ramp(ratio, 0.2, 0.35) * (1 - facts.primitives.support.p.max(0, initial=0.0))  # no bowls, and no stacks
    vessels = facts.filter('tag', 'tall_vessel') & Degree.partly(fallen, NO_SHAPE, 0.1)
    return (facts.filter('tag', 'rolls') & ~Degree.partly(0.9 * standing, NO_SHAPE, 0.3)) | vessels


def _removable(facts: 'Facts') -> Degree:
    """Return what can be removed without moving anything else."""
    return (~facts.relation('falls_without').any(0)).scaled(facts.kinds[:, 0])


def _bears_load(facts: 'Facts') -> Degree:
    return facts.relation('supports').any(1)


def _heavy(facts: 'Facts') -> Degree:
    """Return what is too heavy for one hand, by class or size; a volume alone does not decide."""
    by_class = facts.filter('tag', 'heavy')
    large = ramp(facts.scale('weight').value, *np.log(HEAVY))
    if facts.depthless:
        large = np.full(len(facts), np.nan)
    return by_class | Degree.guess(np.nan_to_num(large, nan=0.3) * facts.kinds[:, 0], 'weights cannot be seen')


PHYSICS: dict[str, Callable[['Facts'], Degree]] = {
    'tips': _tips,
    'stable': lambda f: (~_tips(f)).scaled(f.kinds[:, 0]),
    'removable': _removable,
    'bears_load': _bears_load,
    'rolls': _rolls,
    'heavy': _heavy,
    'light_weight': lambda f: (~_heavy(f)).scaled(f.kinds[:, 0]),
}


def image_region(value: str, m: Measures) -> Degree:
    """Return (S,) degrees of one of programs.vocabulary.REGIONS."""
    h, w = m.grid
    across, down = m.box[:, 0::2] / w, m.box[:, 1::2] / h
    if value in ('left', 'right', 'top', 'bottom'):
        low, high = (across if value in ('left', 'right') else down).T
        if value in ('right', 'bottom'):
            low, high = 1 - high, 1 - low
        return Degree.known(_first_half(low, high))
    if value == 'centre':
        across_off, down_off = np.abs(m.centroid / [w, h] - 0.5).T
        # things stand in rows: the middle one of three people is meant, even if it is not at half of the height
        return Degree.known(np.minimum(ramp(-across_off, -0.3, -0.12), ramp(-down_off, -0.42, -0.24)))
    if value == 'corner':
        off = np.minimum(m.centroid / [w, h], 1 - m.centroid / [w, h]).max(1)
        return Degree.known(ramp(-off, -0.4, -0.2))
    if not m.metric.any():
        low_down = ramp(m.box[:, 3] / h, 0.4, 0.9)
        return Degree.guess(low_down if value == 'near' else 1 - low_down, NO_DISTANCES)
    d = m.distance
    low, high = np.nanmin(d), np.nanmax(d)
    nearness = ramp(-d, -(0.35 * low + 0.65 * high), -(0.65 * low + 0.35 * high))
    return Degree.partly(nearness if value == 'near' else 1 - nearness, NO_DISTANCES)


def _first_half(low: Floats, high: Floats) -> Floats:
    """Return the certainty that an interval is in the first half of 0 to 1."""
    inside = (0.5 - low) / np.maximum(high - low, 1e-6)  # share of it before the middle
    return ramp(inside, 0.1, 0.95)
