"""Primitive relations from masks and depth: support, containment, contact and occlusion.

All are (S, S) with [i, j] = region i stands in the relation to region j. They are estimates from one view: the back of
objects, and what is behind them, is not visible.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.measures import Measures
from converseg_ros.facts.geometry.neighbours import Neighbours, neighbours
from converseg_ros.facts.geometry.planes import ViewGeometry, level_cosines

Floats = NDArray[np.float64]
NO_DEPTH = 'depth is missing'
GAP = 0.015  # metres between a bottom and its support, in addition to the sigma of the measurement
TOUCHES = 0.008  # metres between the boxes of objects in contact, in addition to the finer sigma of the measurement
ADJACENT = 0.5  # probability, without depth, that objects with adjacent outlines in the image are in contact
BY_IMAGE = 0.8  # maximum probability of support from adjacent outlines, without depth
SEAT = 0.5  # mean cosine with up of the cells below an object from which they are a level that it stands on
MEETING = 0.6  # share of the common outline of two objects at which their depths meet if one rests on the other
RIM, NARROWER = 0.02, 0.85  # metres by which a rim may hide a bottom, and relative length of i up to which it may
THIN = (3.0, 5.0)  # ratio of the largest to the second largest spread from which an object is thin, like a pencil
FLAT = (0.1, 0.25)  # ratio of height to length up to which a container is flat, and from which it is deep
SURROUNDED = 0.6  # share of an outline next to a wall from which an object may hang on it
PLAIN_CONTAINER = 0.1  # probability that a region with another name is a container


@dataclass(frozen=True, eq=False)
class Primitives:
    """Primitive relations of S regions.

    support: i rests directly on j. inside: i is in the container j. contact: i touches j. hidden_by: j occludes a part
    of i. foot: (S,) height of the support of i below it, NaN if unknown. attached: i hangs on a vertical surface j or
    is fixed to it. floating: (S,) probability that i is an object in the air, which nothing visible holds; None without
    depth.
    """

    support: Degree
    inside: Degree
    contact: Degree
    hidden_by: Degree
    foot: Floats | None = None
    attached: Degree | None = None
    floating: Floats | None = None


def primitives(
    masks: NDArray[np.bool_],
    kinds: Floats,
    planes: NDArray[np.intp],
    measures: Measures,
    geometry: ViewGeometry | None,
    container: Floats,
    flat: NDArray[np.bool_],
) -> Primitives:
    """Return the primitive relations of (S, h, w) masks.

    kinds: (S, 4) probabilities of core.segments.KINDS. planes: (S,) index of the plane of a surface in `geometry`, or
    -1. container: (S,) probability that a region is a container. Only regions of the flat cut have relations.
    """
    pair = flat[:, None] & flat[None] & ~np.eye(len(masks), dtype=bool)
    near = neighbours(masks, flat, geometry)
    level = level_cosines(planes, geometry)
    inside = _inside(near, measures, container, kinds) * pair
    support = _support(near, kinds, planes, level, measures, geometry) * pair * (1 - inside * _depth_ratio(measures))
    total = np.maximum((support**2).sum(1, keepdims=True), 1e-9)
    # an object has one support, so alternatives share the probability
    support = support * np.maximum(support**2 / total, 0)
    touch = np.clip(near.beside / 0.06, 0, 1)
    if geometry is not None:
        meets = (near.meets + near.meets.T) / np.maximum(near.ring + near.ring.T, 1)
        finest = np.fmin(measures.sigma[:, None], measures.sigma[None])
        close = _plateau(_gaps(measures) / (TOUCHES + finest)) * np.clip(meets / 0.4, 0, 1)
        carried = np.maximum(support, support.T)
        touch = np.where(np.isfinite(close), np.maximum(touch * np.nan_to_num(close), carried), np.nan)
        hidden = Degree.partly(_hidden(near, kinds) * np.where(pair, 1, 0), NO_DEPTH)
    else:
        touch = touch * ADJACENT
        hidden = Degree.guess(0.25 * touch * pair, f'{NO_DEPTH}, so what hides what is not known')
    attached = _attached(near, kinds, level, support, geometry) * pair
    return Primitives(
        Degree.known(support),
        Degree.known(inside),
        Degree.partly(
            np.fmax(touch, touch.T) * np.where(pair, 1, 0), NO_DEPTH, 0.3 * np.clip(near.beside / 0.06, 0, 1)
        ),
        hidden,
        _feet(support, near, planes, level, measures, geometry),
        Degree.known(attached),
        None if geometry is None else _floating(near, kinds, support + inside + attached, measures),
    )


def _feet(
    support: Floats,
    near: Neighbours,
    planes: NDArray[np.intp],
    level: Floats,
    m: Measures,
    geometry: ViewGeometry | None,
) -> Floats:
    """Return (S,) the height of the support of each region where it certainly rests there: its foot may be hidden."""
    out = np.full(len(planes), np.nan)
    if geometry is None or not len(planes):
        return out
    best = support.argmax(1)
    rows = np.arange(len(planes))
    foot = _tops(near, planes, level, m, geometry)[rows, best]
    with np.errstate(invalid='ignore'):
        plain = (support[rows, best] > 0.5) & (np.abs(foot - m.low) < 2 * GAP + 2 * m.sigma) & (foot < m.high)
    out[plain] = foot[plain]
    return out


def _support(
    near: Neighbours,
    kinds: Floats,
    planes: NDArray[np.intp],
    level: Floats,
    m: Measures,
    geometry: ViewGeometry | None,
) -> Floats:
    thing, carrier = kinds[:, 0] + kinds[:, 3], kinds[:, 1]
    rim = np.clip(near.below / 0.4, 0, 1)
    willing = thing[:, None] * np.maximum(carrier, 0.9 * kinds[:, 0])[None]
    willing += carrier[:, None] * carrier[None] * 0.3  # a cloth on a table
    by_image = BY_IMAGE * rim * willing
    if geometry is None:
        return np.asarray(by_image)
    scale = GAP + 2 * m.sigma[:, None]
    with np.errstate(invalid='ignore'):
        top = _tops(near, planes, level, m, geometry)
        own = near.foot  # of a surface with several levels, such as a shelf, the one that i stands on is not its plane
        own = np.where((near.seat > SEAT) & (np.abs(m.low[:, None] - own) < np.abs(m.low[:, None] - top)), own, np.nan)
        by_foot = np.isfinite(own) & (planes >= 0)[None]
        top = np.where(by_foot, own, top)
        gap = m.low[:, None] - top  # gap above the support
        fit = _plateau(gap / scale)
        sunk = _plateau(gap / (3 * scale))  # the contact is below the highest point of the support
        fit = np.where((gap < 0) & (planes < 0)[None], sunk, fit)
        over = np.maximum(_over(m), _over_hidden(near, m) * (planes < 0)[None])
        seat = np.where(np.isfinite(level), level > 0.9, True)[None] | by_foot
        lower = (m.low[None] < m.low[:, None] + scale) & (top < m.high[:, None] + scale)
        metric = fit * (0.15 + 0.85 * rim) * np.where(planes[None] >= 0, np.maximum(over, rim), over) * seat * lower
    return np.where(np.isfinite(metric), np.nan_to_num(metric) * willing, by_image * 0.8)


def _attached(near: Neighbours, kinds: Floats, level: Floats, support: Floats, geometry: ViewGeometry | None) -> Floats:
    """Return (S, S) how far an object is surrounded by a wall at its own depth, and rests on nothing else."""
    wall = kinds[:, 2] * np.where(np.nan_to_num(level) > 0.5, 0, 1)
    around = np.clip(near.beside / SURROUNDED, 0, 1)
    flush = np.full_like(around, BY_IMAGE)
    if geometry is not None:
        flush = np.where(near.ring > 0, near.meets / np.maximum(near.ring, 1), BY_IMAGE)
    held = support.max(1, initial=0.0)[:, None]
    return np.asarray(kinds[:, 0][:, None] * wall[None] * around * flush * (1 - held))


def _floating(near: Neighbours, kinds: Floats, holds: Floats, m: Measures) -> Floats:
    """Return (S,) how far the surroundings of an object are behind it and nothing holds it.

    holds: (S, S) probability that j supports, contains or carries i. An object that is cut off by the lower edge of the
    image may stand on something below it, and a partly hidden one on something behind what hides it.
    """
    ring = np.maximum(near.ring.sum(1), 1)
    behind = np.clip((near.farther.sum(1) / ring - 0.2) / 0.3, 0, 1)
    clear = np.clip(1 - 4 * near.nearer.sum(1) / ring, 0, 1)
    held = np.clip(holds.sum(1) + (near.beside * kinds[None, :, 3] > 0.02).any(1), 0, 1)
    ends = m.box[:, 3] < m.grid[0] - 1
    return np.where(m.metric, kinds[:, 0] * behind * clear * (1 - held) * ends, 0.0)


def _plateau(x: Floats) -> Floats:
    """Return 1 up to a deviation of one, and a normal curve beyond."""
    return np.asarray(np.exp(-0.5 * np.maximum(np.abs(x) - 1, 0) ** 2))


def _tops(near: Neighbours, planes: NDArray[np.intp], level: Floats, m: Measures, geometry: ViewGeometry) -> Floats:
    """Return (S, S), the height of the top of j at i.

    This is the height of the plane of a surface, the height below i of other objects, or their maximum.
    """
    top = np.where(np.isfinite(near.foot), near.foot, m.high[None])
    base: Plane | None = geometry.base
    if base is None:
        return top
    axes = geometry.upright
    for j in np.flatnonzero((planes >= 0) & (level > 0.9)):
        plane = geometry.planes[planes[j]]
        normal = axes @ plane.normal  # in the upright frame, whose origin is base.d below the camera
        d = plane.d - normal[2] * base.d
        top[:, j] = -(m.centre[:, :2] @ normal[:2] + d) / normal[2]
    return top


def _over(m: Measures) -> Floats:
    """Return how well the footprint of i is over that of j: 1 if the centre of i is within the extent of j."""
    d = np.abs(m.centre[:, None, :2] - m.centre[None, :, :2])
    with np.errstate(invalid='ignore'):
        out = np.clip((m.extent[None, :, :2] / 2 - d) / np.maximum(m.extent[:, None, :2] / 2, 0.02) + 1, 0, 1)
    return np.asarray(out.min(2))


def _over_hidden(near: Neighbours, m: Measures) -> Floats:
    """Return the same as `_over` if i hides the rest of j: only the front of the lower of two books is visible.

    The visible part of j reaches to i, and their depths meet there.
    """
    d = m.centre[:, None, :2] - m.centre[None, :, :2]
    half = np.maximum(m.extent[:, None, :2] / 2, 0.02)
    with np.errstate(invalid='ignore'):
        aligned = np.clip((m.extent[None, :, 0] / 2 - np.abs(d[..., 0])) / half[..., 0] + 1, 0, 1)
        behind = np.clip((m.extent[None, :, 1] / 2 + d[..., 1]) / half[..., 1], 0, 1)
        apart = d[..., 1] - (m.extent[:, None, 1] + m.extent[None, :, 1]) / 2
        reaches = np.clip(2 - apart / GAP, 0, 1)
    meets = np.clip(near.meets / np.maximum(near.ring, 1) / MEETING, 0, 1)
    return np.asarray(aligned * behind * reaches * meets)


def _gaps(m: Measures) -> Floats:
    """Return (S, S) metres between upright boxes."""
    d = np.abs(m.centre[:, None] - m.centre[None])
    apart = d - (m.extent[:, None] + m.extent[None]) / 2
    return np.asarray(np.linalg.norm(np.maximum(apart, 0), axis=2))


def _inside(near: Neighbours, m: Measures, container: Floats, kinds: Floats) -> Floats:
    """Return the probability that i is in j.

    j surrounds i in the image, i is smaller, and i is not completely above the top of j.
    """
    smaller = m.area[:, None] < 1.2 * m.area[None]
    may = np.maximum(container, PLAIN_CONTAINER) * (1 - kinds[:, 1])
    held = np.clip((near.covered - 0.4) / 0.4, 0, 1) * may
    over = _over(m)
    with np.errstate(invalid='ignore', divide='ignore'):
        height = m.high[None] - m.low[None]
        # the bottom of an object that is narrower than j may be hidden by the rim of j
        slack = RIM * np.clip((NARROWER - m.length[:, None] / m.length[None]) / 0.2, 0, 1)
        sunk = np.clip((m.high[None] + slack - m.low[:, None]) / np.maximum(0.3 * height, 0.02), 0, 1)
        fits = (m.length[:, None] < 1.8 * m.length[None]) & (over > 0.3)
        metric = np.maximum(held * sunk * fits, may * kinds[:, :1] * _stuck(near, m, over))
    metric = np.where(np.isfinite(sunk), np.nan_to_num(metric), BY_IMAGE * held * smaller)
    return np.asarray(metric, np.float64)


def _stuck(near: Neighbours, m: Measures, over: Floats) -> Floats:
    """Return (S, S) how far a thin object i rises from the rim of j, like a pencil from a mug: its foot is hidden."""
    thin = np.clip((m.elongation - THIN[0]) / (THIN[1] - THIN[0]), 0, 1)[:, None] * (np.abs(m.long_axis[:, 2:]) > 0.5)
    scale = GAP + 2 * m.sigma[:, None]
    at_rim = _plateau((m.low[:, None] - m.high[None]) / scale)
    touching = np.clip(near.below / 0.2, 0, 1)
    return np.asarray(thin * at_rim * touching * over)


def _depth_ratio(m: Measures) -> Floats:
    """Return (S,) how far an object is deep rather than flat: what is in a tray is on it, what is in a mug is not."""
    with np.errstate(invalid='ignore', divide='ignore'):
        ratio = (m.high - m.low) / m.length
        return np.where(np.isfinite(ratio), np.clip((ratio - FLAT[0]) / (FLAT[1] - FLAT[0]), 0, 1), 1.0)


def _hidden(near: Neighbours, kinds: Floats) -> Floats:
    """Return the probability that j occludes a part of i; NaN without depth.

    They are adjacent in the image, and j is nearer. A short common outline hides little.
    """
    least = np.minimum(near.ring, near.ring.T)
    share = (near.nearer + near.farther.T) / np.maximum(near.ring + near.ring.T, 1)
    out = np.clip((share - 0.2) / 0.3, 0, 1) * np.clip(least / 8, 0, 1) * np.clip((near.beside - 0.02) / 0.13, 0, 1)
    out = np.where((least < 3) & (near.beside > 0.05), np.nan, out)
    # surfaces are not hidden by objects on them, and nothing is hidden by a wall
    return np.asarray(out * (1 - kinds[:, 1])[:, None] * (1 - kinds[:, 2])[None], np.float64)
