"""What rests on, is in, touches and hides what: the relations that others are built from, read off masks and depth.

All are (S, S) with [i, j] = region i stands in the relation to region j. They are estimates from one view: the side
that is turned away, and what is behind something, is not seen.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.measures import Measures
from converseg_ros.facts.planes import ViewGeometry

Floats = NDArray[np.float64]
NO_DEPTH = 'depth is missing'
RIM = 2  # cells below an outline in which what carries a thing is looked for
GAP = 0.015  # metres between a bottom and what carries it, beside the measurement's sigma
BY_IMAGE = 0.8  # most that a contact of outlines alone can say of support, without depth
PLAIN_CONTAINER = 0.1  # that a region which is called something else is a container nevertheless


@dataclass(frozen=True, eq=False)
class Primitives:
    """support: i rests directly on j. inside: i is in the container j. contact: i touches j. hidden_by: j hides a part
    of i from the camera. foot: (S,) height of what i rests on below it, NaN where that is not known.
    """  # noqa: D205

    support: Degree
    inside: Degree
    contact: Degree
    hidden_by: Degree
    foot: Floats | None = None


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
    -1. container: (S,) probability that a region is a kind of thing that others are put into. Relations hold between
    regions of the flat cut only.
    """
    pair = flat[:, None] & flat[None] & ~np.eye(len(masks), dtype=bool)
    below, beside = _rims(masks)
    level = _level(planes, geometry)
    inside = _inside(masks, measures, container, kinds[:, 1]) * pair
    support = _support(below, kinds, planes, level, measures, geometry) * pair * (1 - inside)
    total = np.maximum((support**2).sum(1, keepdims=True), 1e-9)
    support = support * np.maximum(support**2 / total, 0)  # one thing carries another, so alternatives share
    touch = np.clip(beside / 0.06, 0, 1)
    if geometry is not None:
        gap = _gaps(measures)
        carried = np.maximum(support, support.T)
        close = _plateau(gap / (GAP + 2 * _pair_sigma(measures)))
        touch = np.where(np.isfinite(close), touch * np.maximum(np.nan_to_num(close), carried), touch * 0.6)
        hidden = Degree.partly(_hidden(masks, geometry, kinds) * np.where(pair, 1, 0), NO_DEPTH)
    else:
        touch = touch * BY_IMAGE
        hidden = Degree.guess(0.5 * touch * pair, f'{NO_DEPTH}, so what hides what is not known')
    return Primitives(
        Degree.known(support),
        Degree.known(inside),
        Degree.known(np.maximum(touch, touch.T) * pair),
        hidden,
        _feet(support, planes, level, measures, geometry),
    )


def _feet(
    support: Floats, planes: NDArray[np.intp], level: Floats, m: Measures, geometry: ViewGeometry | None
) -> Floats:
    """Return (S,) the height of what each region rests on, where it plainly rests there: its own foot may be hidden."""
    out = np.full(len(planes), np.nan)
    if geometry is None or not len(planes):
        return out
    best = support.argmax(1)
    rows = np.arange(len(planes))
    foot = _tops(planes, level, m, geometry)[rows, best]
    with np.errstate(invalid='ignore'):
        plain = (support[rows, best] > 0.5) & (np.abs(foot - m.low) < 2 * GAP + 2 * m.sigma) & (foot < m.high)
    out[plain] = foot[plain]
    return out


def _pair_sigma(m: Measures) -> Floats:
    return np.asarray(np.hypot(m.sigma[:, None], m.sigma[None]))


def _rims(masks: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return what share of i's lower rim is above j, and what share of i's outline is beside j: (S, S) each."""
    count = len(masks)
    if not count:
        return np.zeros((0, 0)), np.zeros((0, 0))
    under = np.zeros_like(masks)
    under[:, RIM:] = masks[:, :-RIM]
    under &= ~masks
    wide = np.ones((3, 3), np.uint8)
    ring = np.stack([cv2.dilate(m.view(np.uint8), wide, iterations=RIM) for m in masks]).view(bool) & ~masks
    target = masks.reshape(count, -1).astype(np.float32)
    shares = []
    for rim in (under, ring):
        flat = rim.reshape(count, -1).astype(np.float32)
        shares.append((flat @ target.T / np.maximum(flat.sum(1), 1)[:, None]).astype(np.float64))
    return shares[0], shares[1]


def _level(planes: NDArray[np.intp], geometry: ViewGeometry | None) -> Floats:
    """Return (S,) cosine of a surface's plane with up; NaN for regions without a plane."""
    out = np.full(len(planes), np.nan)
    if geometry is not None:
        for i in np.flatnonzero(planes >= 0):
            out[i] = geometry.planes[planes[i]].normal @ geometry.up
    return out


def _support(
    below: Floats,
    kinds: Floats,
    planes: NDArray[np.intp],
    level: Floats,
    m: Measures,
    geometry: ViewGeometry | None,
) -> Floats:
    thing, carrier = kinds[:, 0] + kinds[:, 3], kinds[:, 1]
    rim = np.clip(below / 0.4, 0, 1)
    willing = thing[:, None] * np.maximum(carrier, 0.8 * kinds[:, 0])[None]
    willing += carrier[:, None] * carrier[None] * 0.3  # a cloth on a table
    by_image = BY_IMAGE * rim * willing
    if geometry is None:
        return np.asarray(by_image)
    top = _tops(planes, level, m, geometry)
    gap = m.low[:, None] - top  # above what carries it
    scale = GAP + 2 * m.sigma[:, None]
    with np.errstate(invalid='ignore'):
        fit = _plateau(gap / scale)
        sunk = _plateau(gap / (3 * scale))  # the highest point of what carries is not where it carries
        fit = np.where((gap < 0) & (planes < 0)[None], sunk, fit)
        over = _over(m)
        seat = np.where(np.isfinite(level), level > 0.9, True)[None]
        lower = (m.low[None] < m.low[:, None] + scale) & (top < m.high[:, None] + scale)
        metric = fit * (0.25 + 0.75 * rim) * np.where(planes[None] >= 0, np.maximum(over, rim), over) * seat * lower
    return np.where(np.isfinite(metric), np.nan_to_num(metric) * willing, by_image * 0.8)


def _plateau(x: Floats) -> Floats:
    """Return 1 up to a deviation of one, and a normal curve beyond."""
    return np.asarray(np.exp(-0.5 * np.maximum(np.abs(x) - 1, 0) ** 2))


def _tops(planes: NDArray[np.intp], level: Floats, m: Measures, geometry: ViewGeometry) -> Floats:
    """Return (S, S): the height of j's top where i is; of a surface by its plane, of a thing its highest points."""
    top = np.repeat(m.high[None], len(planes), 0)
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
    """Return how well i's footprint is over j's: 1 where i's centre is within j's extent."""
    d = np.abs(m.centre[:, None, :2] - m.centre[None, :, :2])
    with np.errstate(invalid='ignore'):
        out = np.clip((m.extent[None, :, :2] / 2 - d) / np.maximum(m.extent[:, None, :2] / 2, 0.02) + 1, 0, 1)
    return np.asarray(out.min(2))


def _gaps(m: Measures) -> Floats:
    """Return (S, S) metres between upright boxes."""
    d = np.abs(m.centre[:, None] - m.centre[None])
    apart = d - (m.extent[:, None] + m.extent[None]) / 2
    return np.asarray(np.linalg.norm(np.maximum(apart, 0), axis=2))


def _inside(masks: NDArray[np.bool_], m: Measures, container: Floats, surface: Floats) -> Floats:
    """Return how probably i is in j: j's outline surrounds i's, i is the smaller, and not above j's top as a whole."""
    count, h, w = masks.shape
    hulls = np.zeros((count, h, w), np.uint8)
    for i, mask in enumerate(masks):
        edges, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        if edges:
            cv2.fillConvexPoly(hulls[i], cv2.convexHull(np.concatenate(edges)), 1)
    flat = masks.reshape(count, -1).astype(np.float32)
    covered = flat @ hulls.reshape(count, -1).astype(np.float32).T / np.maximum(m.area, 1)[:, None]
    smaller = m.area[:, None] < 1.2 * m.area[None]
    held = np.clip((covered - 0.4) / 0.4, 0, 1) * np.maximum(container, PLAIN_CONTAINER) * (1 - surface)
    with np.errstate(invalid='ignore'):
        height = m.high[None] - m.low[None]
        sunk = np.clip((m.high[None] + 0.02 - m.low[:, None]) / np.maximum(0.3 * height, 0.02), 0, 1)
        fits = (m.length[:, None] < 1.8 * m.length[None]) & (_over(m) > 0.3)
        metric = held * sunk * fits
    metric = np.where(np.isfinite(sunk), np.nan_to_num(metric), BY_IMAGE * held * smaller)
    return np.asarray(metric, np.float64)


def _hidden(masks: NDArray[np.bool_], geometry: ViewGeometry, kinds: Floats) -> Floats:
    """Return how probably j hides a part of i: along their common outline, j is nearer by more than what it carries."""
    count = len(masks)
    z = np.where(geometry.known, geometry.points[..., 2], 0).astype(np.float32).ravel()
    wide = np.ones((3, 3), np.uint8)
    near = np.zeros((count, z.size), np.float32)
    for i, mask in enumerate(masks):
        near[i] = cv2.dilate(mask.view(np.uint8), wide, iterations=3).ravel()
    own = masks.reshape(count, -1).astype(np.float32)
    seen = own * (z > 0)
    cells = near @ seen.T  # [i, j]: cells of j beside i
    depth = near @ (seen * z).T / np.maximum(cells, 1)  # their mean depth
    outline = np.sqrt(np.maximum(own.sum(1), 1))
    nearer = depth.T - depth  # [i, j]: i's depth along j minus j's depth along i
    margin = 0.012 + 0.01 * depth
    out = np.clip(nearer / margin - 0.5, 0, 1) * np.clip(cells.T / outline[:, None] / 0.5, 0, 1)
    unclear = (cells < 3) & (near @ own.T >= 6)
    out = np.where(unclear, np.nan, out)
    out = out * (1 - kinds[:, 1])[:, None] * (1 - kinds[:, 1:3].sum(1))[None]  # neither surfaces nor walls count
    return np.asarray(out, np.float64)
