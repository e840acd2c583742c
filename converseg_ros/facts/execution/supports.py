"""The surfaces on which a program looks for free space."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from converseg_ros import knowledge
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.reading import names
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Node

Floats = NDArray[np.float64]
MAX_ROOM = 0.4  # metres: objects with a larger footprint stand on the floor
MIN_SURFACE = 0.1  # degree from which a region may be a surface
OTHER_CARRIER = 0.3  # weight of an object as a support, relative to a surface of the same name
OFF_SURFACE = 0.7  # share of the best surface's rank from which another surface is used as well
INSTEAD = 0.25  # degree of a surface, relative to the best, from which it is used where the better ones have no room
GROUND = 'ground'  # the kind in `knowledge` of what is outdoors what the floor is indoors


def carriers(facts: Facts) -> Floats:
    """Return (S,) weights of regions that can support objects: surfaces, and other objects with lower weights."""
    kinds = facts.kinds
    return np.clip(kinds[:, 1] + OTHER_CARRIER * (kinds[:, 0] + kinds[:, 2]), 0, 1)


def support_surfaces(facts: Facts) -> Degree:
    """Return (S,) degrees of horizontal surfaces that objects are set down on; the floor is not one."""
    if facts.given.free is not None:
        free = facts.given.free
        low = facts.filter('name', 'floor') | facts.filter('name', 'rug')
        return Degree.known([float(bool(free.get(i, np.zeros(1)).any())) for i in range(len(facts))]) & ~low
    level = facts.filter('name', 'surface')
    return facts.flat & level & ~facts.filter('name', 'floor')


def in_order(surfaces: Degree, weights: Floats) -> Iterator[NDArray[np.intp]]:
    """Yield indices of the surfaces to use together: the best ones, then those to use if the former have no room.

    weights: (S,), how well the outline and the kind of each region suit a surface.
    """
    left = surfaces.p >= max(MIN_SURFACE, INSTEAD * float(surfaces.p.max(initial=0.0)))
    rank = surfaces.p * weights
    while left.any():
        chosen = left & (rank >= OFF_SURFACE * rank[left].max())
        yield np.flatnonzero(chosen)
        left &= ~chosen


def presupposed(on: Node, facts: Facts) -> tuple[Degree, str]:
    """Return (S,) degrees of the surfaces that a text may mean although none has all its properties, and why.

    "The white table" is a table, in whatever colour it is seen, and ground that is not recognized ("tarmac", "the
    driveway") is a level region that lies low, like a floor. The reason is '' if there is nothing of the kind.
    """
    nouns = names(on)
    if len(nouns) != 1:
        return Degree.known(np.zeros(len(facts))), ''
    noun, named = nouns[0], facts.filter('name', nouns[0])
    if GROUND in knowledge.kinds(noun) and best_flat(named, facts) < MIN_SURFACE:
        named = facts.filter('name', 'floor')
    return named, f'it is not certain that this is the {noun} that is meant'


def best_flat(degree: Degree, facts: Facts) -> float:
    """Return the degree of the best region that can be meant."""
    return float((degree.p * facts.flat.p).max(initial=0.0))
