"""Stability: which objects tip at a small push, and which fall when another is removed."""

import numpy as np

from converseg_ros.scenes.geometry.mesh import Mesh
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
    if key not in _bases:
        _bases[key] = _base_of(mesh)
    return _bases[key]


_bases: dict[tuple[str, str, float], tuple[float, float]] = {}  # of models in their states


def _base_of(mesh: Mesh) -> tuple[float, float]:
    from scipy.spatial import ConvexHull, QhullError

    low, high = mesh.bounds
    foot = mesh.vertices[mesh.vertices[:, 2] < low[2] + 0.03 * (high[2] - low[2]) + 0.001][:, :2]
    area = mesh.areas()
    centre = np.average(mesh.vertices[mesh.faces].mean(1), axis=0, weights=np.maximum(area, 1e-12))
    try:
        hull = ConvexHull(np.unique(np.round(foot, 5), axis=0))
    except (QhullError, ValueError):
        return 0.002, float(centre[2] - low[2])
    signed = hull.equations[:, :2] @ centre[:2] + hull.equations[:, 2]
    return float(-signed.max()), float(centre[2] - low[2])
