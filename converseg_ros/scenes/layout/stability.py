"""Stability: which objects tip at a small push, and which fall when another is removed."""

from functools import lru_cache

import numpy as np

from converseg_ros.scenes.layout.builder import Builder, Thing

PUSH = 0.32  # m/s at the centre of mass: a light touch


def judge(b: Builder) -> None:
    """Set `tips`, `falls_with` and `contacts` of every loose object."""
    carried: dict[int, list[int]] = {}
    for thing in b.things.values():
        node = thing.node
        if node.kind == 'object' and node.support:
            carried.setdefault(node.support, []).append(node.id)
    for thing in b.things.values():
        node = thing.node
        if node.kind != 'object':
            continue
        falls: list[int] = []
        queue = list(carried.get(node.id, []))
        while queue:
            next_ = queue.pop()
            if next_ not in falls:
                falls.append(next_)
                queue += carried.get(next_, [])
        node.falls_with = sorted(falls)
        node.contacts = sorted({*node.contacts, *carried.get(node.id, [])})
        node.tips = bool(node.support) and not node.inside and tips(thing)


def tips(thing: Thing) -> bool:
    """Return whether an object tips at a small push; flat and round objects slide or roll instead."""
    low, high = thing.mesh.bounds
    tall = float(high[2] - low[2])
    if tall < 0.06 or tall < 0.9 * min(high[:2] - low[:2]) or 'rolls' in thing.node.attributes:
        return False
    return critical_speed(thing) < PUSH


def critical_speed(thing: Thing) -> float:
    """Return the speed of the centre of mass in m/s from which an object tips over its nearest base edge.

    Energy against the barrier of the pivot: (1 + k) v^2 / 2 = g (sqrt(lever^2 + h^2) - h), where h is the height of the
    centre of mass and k = (h^2 / 3 + lever^2 / 4) / (h^2 + lever^2) the share of rotation of a slender cylinder.
    """
    lever, height = _base(thing)
    if thing.node.overhang:
        lever = min(lever, (0.5 - thing.node.overhang) * min(thing.node.size[:2]))
    if lever <= 0.002:
        return 0.0
    spin = (height**2 / 3 + lever**2 / 4) / (height**2 + lever**2)
    return float(np.sqrt(2 * 9.81 * (np.hypot(lever, height) - height) / (1 + spin)))


def _base(thing: Thing) -> tuple[float, float]:
    """Return the shortest horizontal distance from centre of mass to base outline, and its height, in metres."""
    mesh = thing.shape.mesh
    high = mesh.bounds[1]
    key = (thing.node.model, thing.node.state, round(float(high[2]), 3))
    return _base_of(key, _Mesh(mesh))


class _Mesh:
    """A hashable wrapper of a mesh for the cache: equal for equal keys."""

    def __init__(self, mesh: object) -> None:
        self.mesh = mesh

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Mesh)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4096)
def _base_of(key: tuple[str, str, float], carrier: _Mesh) -> tuple[float, float]:
    from scipy.spatial import ConvexHull, QhullError

    mesh = carrier.mesh
    low, high = mesh.bounds  # type: ignore[attr-defined]
    foot = mesh.vertices[mesh.vertices[:, 2] < low[2] + 0.03 * (high[2] - low[2]) + 0.001][:, :2]  # type: ignore[attr-defined]
    area = mesh.areas()  # type: ignore[attr-defined]
    centre = np.average(mesh.vertices[mesh.faces].mean(1), axis=0, weights=np.maximum(area, 1e-12))  # type: ignore[attr-defined]
    try:
        hull = ConvexHull(np.unique(np.round(foot, 5), axis=0))
    except (QhullError, ValueError):
        return 0.002, float(centre[2] - low[2])
    signed = hull.equations[:, :2] @ centre[:2] + hull.equations[:, 2]
    return float(-signed.max()), float(centre[2] - low[2])
