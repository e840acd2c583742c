"""Relations of the entities of a world for which opinions differ more than geometry does.

facts/predicates/relations.py computes relations of measured regions; of the true ones, a relation in a table here
replaces it: "behind" is undecided for what is farther away but not in line, and "above" for what is not in the same
columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.data_engine.world.companions import RIDES, companions
from converseg_ros.data_engine.world.world import Entity, World
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.predicates.relations import PERSON_REACH
from converseg_ros.facts.truth import OPINIONS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CLOSE, APART = 0.3, 0.7  # metres of two centres within which something is certainly next to another, and not any more


def stated_relations(listed: Sequence[Entity], world: World) -> dict[str, Degree]:
    """Return relations of the listed entities as (S, S) degrees of 0, 1 or undecided, by name."""
    covering = {(e.actor, e.target) for e in world.events if e.type == 'covering'}
    out = {'covers': Degree.known([[float((a.key, b.key) in covering) for b in listed] for a in listed])}
    s = _Arrays.of(listed)
    over = _above(s, world.height)
    out |= {'above': _degree(over), 'below': _degree(_below(s, over))}
    if 'depth' in world.facts:
        back = _behind(s)
        out |= {'behind': _degree(back), 'in_front_of': _degree(_in_front_of(s, back)), 'next_to': _degree(_next_to(s))}
        out |= {'own_left_of': _degree(_own_side(s, 1.0)), 'own_right_of': _degree(_own_side(s, -1.0))}
    if 'graph' not in world.facts:
        out['on'] = _degree(_on_in_photo(listed, world))
    return out


def carriers(e: Entity, world: World) -> set[str]:
    """Return everything that supports or contains `e`, directly or not."""
    seen: set[str] = set()
    stack = [e]
    while stack:
        current = stack.pop()
        for key in (current.support, current.inside):
            if key in world.entities and key not in seen:
                seen.add(key)
                stack.append(world.entities[key])
    return seen


@dataclass(frozen=True, eq=False)
class _Arrays:
    """Measures of S entities; NaN if unknown.

    box: (S, 4) x0, y0, x1, y1 and centre: (S, 2), in pixels. position: (S, 3) in the optical frame, size: (S, 3) and
    top: (S,) above the floor, in metres. left, front: (S, 3) unit vectors of their own. carried: (S, S), whether one of
    the two stands on, or is in, the other.
    """

    box: Floats
    centre: Floats
    position: Floats
    size: Floats
    top: Floats
    left: Floats
    front: Floats
    carried: Bools

    @staticmethod
    def of(listed: Sequence[Entity]) -> '_Arrays':
        nowhere = np.full(3, np.nan)
        near = np.array([[b.key in (a.support, a.inside) for b in listed] for a in listed], bool)
        return _Arrays(
            np.array([[e.box.x0, e.box.y0, e.box.x1, e.box.y1] for e in listed], np.float64),
            np.array([[e.cx, e.cy] for e in listed], np.float64),
            np.stack([nowhere if e.position is None else e.position for e in listed]),
            np.stack([nowhere if e.size is None else np.asarray(e.size, np.float64) for e in listed]),
            np.array([np.nan if e.up is None else e.up for e in listed]),
            np.stack([nowhere if e.axes is None else e.axes[:, 0] for e in listed]),
            np.stack([nowhere if e.axes is None else -e.axes[:, 1] for e in listed]),
            near | near.T,
        )

    @property
    def offset(self) -> Floats:
        """Return (S, S, 3): [i, j] is the position of i relative to j."""
        return self.position[:, None] - self.position[None]


def _three(true: Bools, false: Bools) -> Floats:
    """Return 1 where it is true, 0 where it is false, NaN elsewhere; false takes precedence."""
    return np.where(false, 0.0, np.where(true, 1.0, np.nan))


def _degree(values: Floats) -> Degree:
    values = values.copy()
    np.fill_diagonal(values, 0.0)
    return Degree.partly(values, OPINIONS)


def _above(s: _Arrays, height: int) -> Floats:
    """Return what is above something in the image, in its columns; undecided if it is not higher in the room."""
    x0, y0, x1, y1 = s.box.T
    overlap = np.minimum(x1[:, None], x1[None]) - np.maximum(x0[:, None], x0[None])
    aligned = overlap >= 0.5 * np.minimum.outer(x1 - x0, x1 - x0)
    lower = s.centre[:, None, 1] >= s.centre[None, :, 1]
    with np.errstate(invalid='ignore'):
        sunk = (s.top - s.size[:, 2])[:, None] < s.top[None] - 0.02
        not_higher = s.top[:, None] <= s.top[None]
    clear = (y1[:, None] <= y0[None] + 0.01 * height) & aligned & ~sunk
    return _three(clear, lower & (~sunk | not_higher))


def _below(s: _Arrays, above: Floats) -> Floats:
    """Return what is below something in the image, in its columns."""
    with np.errstate(invalid='ignore'):
        lower = s.top[:, None] < s.top[None]
    over = above.T == 1
    return _three(over, (s.centre[:, None, 1] <= s.centre[None, :, 1]) & ~lower & ~over)


def _behind(s: _Arrays) -> Floats:
    """Return what is farther from the camera than something and in line with it; undecided if one carries the other."""
    d = s.offset
    side = s.size[:, :2].max(1)
    reach = 0.5 * (side[:, None] + side[None])
    with np.errstate(invalid='ignore'):
        near = np.linalg.norm(d, axis=2) <= 4 * reach + 0.6
        clear = (d[..., 2] > 0.06) & (np.abs(d[..., 0]) < 0.7 * reach) & near & ~s.carried
        return _three(clear, d[..., 2] < 0.02)


def _in_front_of(s: _Arrays, behind: Floats) -> Floats:
    with np.errstate(invalid='ignore'):
        return _three(behind.T == 1, s.offset[..., 2] > -0.02)


def _next_to(s: _Arrays) -> Floats:
    """Return what is beside something: close to it, and not on or in it."""
    with np.errstate(invalid='ignore'):
        distance = np.linalg.norm(s.offset, axis=2)
        return _three(distance < CLOSE, (distance > APART) | s.carried)


def _own_side(s: _Arrays, sign: float) -> Floats:
    """Return what is on somebody's own left (sign 1) or right (-1)."""
    d = s.offset
    left, ahead = sign * np.einsum('ijk,jk->ij', d, s.left), np.einsum('ijk,jk->ij', d, s.front)
    with np.errstate(invalid='ignore'):
        clear = (left > 0.15) & (left > 0.6 * np.abs(ahead)) & (np.hypot(left, ahead) < PERSON_REACH)
        return _three(clear, left < -0.05)


def _on_in_photo(listed: Sequence[Entity], world: World) -> Floats:
    """Return what stands on something in a photograph: for people and rides, from the contact of masks."""
    pairs, unclear = companions(world)
    ridden = {(p.key, t.key) for rows in pairs.values() for p, t in rows}

    def on(a: Entity, b: Entity) -> bool | None:
        if b.category in RIDES and a.category == 'person':
            return None if b.category in unclear and b.key in a.contacts else (a.key, b.key) in ridden
        if a.support == b.key:
            return True
        return None if b.key in a.contacts or _overlap(a, b) else False

    holds = [[on(a, b) for b in listed] for a in listed]
    return np.array([[np.nan if x is None else float(x) for x in row] for row in holds])


def _overlap(e: Entity, anchor: Entity) -> bool:
    a, b = e.box, anchor.box
    return min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) + 8 > max(a.y0, b.y0)
