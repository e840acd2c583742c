"""All relations of programs.vocabulary.RELATIONS as (S, S) degrees: [i, j] = region i stands in the relation to j.

Left, right, above and below are from the viewpoint, in the image; in front, behind, near and next to are in metres if
there is depth. Transitions are linear ramps, so that no result depends on a single pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.facts.degrees import Degree, chained
from converseg_ros.facts.geometry.contacts import Primitives
from converseg_ros.facts.geometry.measures import Measures
from converseg_ros.facts.predicates.scales import NO_DISTANCES, gaps, scale_of

Floats = NDArray[np.float64]
NO_FRONT = 'which way things face is not known'
PERSON_REACH = 2.0  # metres around a person within which a side of the person is meant
BESIDE = 0.12  # metres within which an object is next to another, in addition to their sizes
RIVAL = 0.15  # share of the odds of "next to" that each nearer object takes
THROUGH = 'what stands on it stands there through something else'


@dataclass(frozen=True, eq=False)
class Scene:
    """The input of the relations.

    surface: (S,) probability that a region is a supporting surface (tables, floors). parent: (S,) index or -1. front:
    (S, 3) unit vectors in the upright frame, the direction that an object or person faces; NaN if unknown.
    """

    measures: Measures
    primitives: Primitives
    surface: Floats
    parent: NDArray[np.intp]
    front: Floats


def ramp(value: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Return 0 at or below `low`, 1 at or above `high`, and a straight line between; NaN stays NaN."""
    return np.asarray(np.clip((value - low) / np.maximum(np.subtract(high, low), 1e-9), 0, 1))


def relation(name: str, scene: Scene) -> Degree:
    """Return a relation as (S, S) degrees; 0 on the diagonal. Raise InputError for an unknown relation."""
    if name not in RELATIONS:
        raise InputError(f'{name!r} is no relation', where='facts', do=f'use one of {", ".join(RELATIONS)}')
    found = RELATIONS[name](scene)
    others = 1.0 - np.eye(len(scene.parent))
    return found.scaled(others)


def left_of(s: Scene) -> Degree:
    """Return what is left of something: its centre is left of the other's edge, its end left of the other's centre."""
    return Degree.known(_beside(s.measures, 0))


def right_of(s: Scene) -> Degree:
    """Return what is right of something."""
    return Degree.known(_beside(s.measures, 0, mirrored=True))


def _beside(m: Measures, axis: int, margin: float = 0.015, *, mirrored: bool = False) -> Floats:
    """Return the degree of i before j along an image axis (0: left of, 1: above); after j if `mirrored`."""
    whole = m.grid[1 - axis]
    centre, low, high = m.centroid[:, axis], m.box[:, axis], m.box[:, axis + 2]
    if mirrored:
        centre, low, high = whole - centre, whole - high, whole - low
    ahead = centre[None] - centre[:, None]
    far = ramp(ahead, 0, centre[None] - low[None] + margin * whole)
    apart = ramp(centre[None] - high[:, None], -0.5 * (high - low)[:, None], 0)
    return np.asarray(np.minimum(far, np.maximum(apart, 0.4)))


def _overlap(m: Measures, axis: int) -> Floats:
    """Return the overlap of two boxes along an image axis, as a share of the smaller."""
    low, high = m.box[:, axis], m.box[:, axis + 2]
    common = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    return np.asarray(np.maximum(common, 0) / np.maximum(np.minimum.outer(high - low, high - low), 1))


def above(s: Scene) -> Degree:
    """Return what is above something in the image, in its columns, and not lower in the room if depth is known."""
    m = s.measures
    image = _beside(m, 1, 0.01) * ramp(_overlap(m, 0), 0.2, 0.5)
    higher = ramp(m.high[:, None] - m.high[None], -0.02, 0.03)
    return Degree.known(image * np.where(np.isfinite(higher), higher, 1))


def in_front_of(s: Scene) -> Degree:
    """Return what is nearer than something, in line with it from the viewpoint, and not far from it."""
    m = s.measures
    if not m.metric.any():
        below = ramp(m.box[:, None, 3] - m.box[None, :, 3], 0, 0.04 * m.grid[0]) * ramp(_overlap(m, 0), 0.1, 0.4)
        return Degree.guess(below, NO_DISTANCES)
    d = m.centre[None] - m.centre[:, None]
    reach = (m.length[:, None] + m.length[None]) / 2
    near = ramp(-np.linalg.norm(d, axis=2), -(4 * reach + 0.8), -(4 * reach + 0.4))
    image = ramp(_overlap(m, 0), 0.05, 0.4)
    in_line = np.maximum(ramp(-np.abs(d[..., 0]), -1.1 * reach, -0.7 * reach), image)
    apart = 1 - np.maximum(_carried(s), _carried(s).T)  # an object on or in another is not in front of it
    return Degree.partly(ramp(d[..., 1], 0.015, 0.06) * in_line * near * apart, NO_DISTANCES)


def on(s: Scene) -> Degree:
    """Return what rests on something or hangs on it: directly, or through other objects if it is a surface.

    An object on a book that lies on a table is on the table; an object on the upper of two books may or may not be
    called on the lower one.
    """
    p = s.primitives
    direct = p.support if p.attached is None else p.support | p.attached
    through = chained(p.support | p.inside)
    wide = np.broadcast_to(s.surface[None], direct.shape)
    by_surface = through.scaled(wide)
    certain = direct | by_surface
    extra = np.clip(through.p * (1 - wide), 0, 1)
    if not (extra > certain.p + 0.02).any():
        return certain
    return Degree(certain.p, certain.low, np.maximum(certain.high, extra), certain.notes | {THROUGH})


def under(s: Scene) -> Degree:
    """Return what is under something: its support, or what is lower and in its columns."""
    m = s.measures
    carried = on(s).T
    over = _overlap(m, 0)
    lower = ramp(m.low[None] - m.high[:, None], -0.05, 0.0)
    flat = np.linalg.norm((m.centre[:, None] - m.centre[None])[..., :2], axis=2)
    within = ramp(-flat, -(m.length[None] / 2 + 0.1), -m.length[None] / 2)
    known = np.isfinite(lower) & np.isfinite(within)
    image = ramp(m.box[:, None, 3] - m.box[None, :, 3], -0.02 * m.grid[0], 0.03 * m.grid[0]) * ramp(over, 0.4, 0.8)
    place = np.where(known, np.nan_to_num(lower * within), 0.7 * image) * (1 - carried.p.T)
    return carried | Degree.known(place)


def next_to(s: Scene) -> Degree:
    """Return what is next to something, relative to the sizes of both; lower if others are nearer to it."""
    distance, side, metric = gaps(s.measures)
    reach = 1.2 * 0.5 * (side[:, None] + side[None]) + (BESIDE if metric else 0)
    close = np.exp(-((distance / reach) ** 2))
    others = ~np.eye(len(side), dtype=bool)
    nearer = (distance[:, None] < distance[None] - 1e-9) & others[:, None] & (s.surface < 0.5)[:, None, None]
    rivals = nearer.sum(0)  # [i, j]: number of objects that are nearer to j than i
    stacked = np.maximum(_carried(s), _carried(s).T)
    return Degree.partly(close / (1 + RIVAL * rivals) * (1 - stacked), NO_DISTANCES)


def _carried(s: Scene) -> Floats:
    return np.maximum(s.primitives.support.p, s.primitives.inside.p)


def near(s: Scene) -> Degree:
    """Return what is within some sizes of something."""
    distance, side, metric = gaps(s.measures)
    reach = 2.0 * 0.5 * (side[:, None] + side[None]) + (0.15 if metric else 0.08 * s.measures.grid[1])
    return Degree.partly(np.exp(-((distance / (1.5 * reach)) ** 2)), NO_DISTANCES)


def hides(s: Scene) -> Degree:
    """Return what is between the camera and something; an object on another always occludes some of it."""
    found = s.primitives.hidden_by.T
    return found & ~chained(s.primitives.support | s.primitives.inside)


def covers(s: Scene) -> Degree:
    """Return what lies over most of something that it touches or rests on."""
    m = s.measures
    ratio = (m.length * m.width)[:, None] / np.maximum(m.length * m.width, 1e-6)[None]
    share = ramp(np.where(np.isfinite(ratio), ratio, (m.area[:, None] / np.maximum(m.area[None], 1))), 0.3, 0.8)
    over = s.primitives.support.scaled(share * (1 - s.surface)[None])
    return over | (s.primitives.hidden_by.T & s.primitives.support)


def falls_without(s: Scene) -> Degree:
    """Return what moves or falls if something is removed: all that rests on it or is in it, also through others."""
    return chained(s.primitives.support | s.primitives.inside)


def own_side(s: Scene, sign: float) -> Degree:
    """Return what is on somebody's own left (+1) or right (-1); only if it is known which way they face."""
    d = s.measures.centre[:, None, :2] - s.measures.centre[None, :, :2]
    front = s.front[:, :2]
    ahead = np.einsum('ijk,jk->ij', d, front)
    left = np.einsum('ijk,jk->ij', d, np.stack([-front[:, 1], front[:, 0]], 1)) * sign
    close = ramp(-np.hypot(left, ahead), -PERSON_REACH - 0.2, -PERSON_REACH)
    return Degree.partly(
        ramp(left, -0.05, 0.15) * ramp(left, 0.3 * np.abs(ahead), 0.6 * np.abs(ahead)) * close, NO_FRONT
    )


def facing(s: Scene) -> Degree:
    """Return who is turned towards something; only if it is known which way they face."""
    d = s.measures.centre[None] - s.measures.centre[:, None]
    flat = d[..., :2] / np.maximum(np.linalg.norm(d[..., :2], axis=2, keepdims=True), 1e-6)
    cosine = np.einsum('ijk,ik->ij', flat, s.front[:, :2])
    return Degree.partly(ramp(cosine, 0.7, 0.9), NO_FRONT)


def compared(key: str, order: str) -> Callable[[Scene], Degree]:
    """Return the relation 'larger than' (order 'max') or 'smaller than' ('min') by a scale."""

    def relation_of(s: Scene) -> Degree:
        scale = scale_of(key, s.measures)
        p = scale.beats(order)
        firm = scale.firm[:, None] & scale.firm[None]
        notes = frozenset() if firm.all() else frozenset({scale.note})
        return Degree(p, np.where(firm, p, 0), np.where(firm, p, 1), notes)

    return relation_of


def between(s: Scene) -> Degree:
    """Return (S, S, S) degrees: region i is between a and b in the image, near their line and apart from both."""
    m = s.measures
    c = m.centroid
    ab = c[None] - c[:, None]
    length = np.maximum(np.linalg.norm(ab, axis=2), 1e-6)
    ai = c[:, None] - c[None]  # [i, a]
    along = np.einsum('iak,abk->iab', ai, ab) / length[None] ** 2
    off = np.abs(ab[None, ..., 0] * ai[:, :, None, 1] - ab[None, ..., 1] * ai[:, :, None, 0]) / length[None] ** 2
    p = np.minimum(ramp(along, 0, 0.2), ramp(-along, -1, -0.8)) * ramp(-off, -0.5, -0.25)
    p *= (m.box[:, 2] - m.box[:, 0])[:, None, None] < length[None]
    shared = _overlap(m, 0) * _overlap(m, 1)
    p *= ramp(-np.maximum(shared[:, :, None], shared[:, None, :]), -0.5, -0.2)
    index = np.arange(len(c))
    apart = (index[:, None, None] != index[:, None]) & (index[:, None, None] != index)
    return Degree.known(p * (apart & (index[:, None] != index)))


def _part_of(s: Scene) -> Degree:
    return Degree.known((s.parent[:, None] == np.arange(len(s.parent))).astype(np.float64))


RELATIONS: dict[str, Callable[[Scene], Degree]] = {
    'on': on,
    'in': lambda s: chained(s.primitives.inside),
    'under': under,
    'above': above,
    'below': lambda s: above(s).T,
    'next_to': next_to,
    'in_front_of': in_front_of,
    'behind': lambda s: in_front_of(s).T,
    'left_of': left_of,
    'right_of': right_of,
    'own_left_of': lambda s: own_side(s, 1.0),
    'own_right_of': lambda s: own_side(s, -1.0),
    'touching': lambda s: s.primitives.contact,
    'part_of': _part_of,
    'supports': lambda s: (s.primitives.support | s.primitives.inside).T,
    'contains': lambda s: s.primitives.inside.T,
    'covers': covers,
    'falls_without': falls_without,
    'hides': hides,
    'hidden_by': lambda s: hides(s).T,
    'near': near,
    'far_from': lambda s: ~near(s),
    'facing': facing,
    'taller_than': compared('height', 'max'),
    'shorter_than': compared('height', 'min'),
    'larger_than': compared('size', 'max'),
    'smaller_than': compared('size', 'min'),
}
"""All except 'between', which has two anchors."""
