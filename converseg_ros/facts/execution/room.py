"""Room for an object: the sides that it usually has, and the surfaces on which it is looked for."""

from dataclasses import replace
import math

from converseg_ros import knowledge
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution import wording
from converseg_ros.facts.execution.areas import Area
from converseg_ros.facts.execution.free_space import NO_PLANE, free_space
from converseg_ros.facts.execution.reading import names
from converseg_ros.facts.execution.supports import GROUND, MAX_ROOM, MIN_SURFACE, best_flat, presupposed
from converseg_ros.facts.predicates.surfaces import FLOORS
from converseg_ros.facts.table import Facts
from converseg_ros.knowledge import thing
from converseg_ros.programs.nodes import FreeSpace

MAX_LENGTH, MAX_HEIGHT = 1.0, 0.25  # metres of an object with a larger footprint than MAX_ROOM that lies on furniture
LOW = frozenset({GROUND, 'flooring'})
NOT_RECOGNIZED = 0.3  # certainty of free space on a surface that is not recognized


def room_for(node: FreeSpace, on: Degree | None, facts: Facts, *, safe: bool) -> Area:
    """Return the free area where the object of a node fits.

    on: (S,) degrees of the surface that the node names, or None. If nothing is likely to be this surface, and not for
    safety, what the text presupposes is used, at LOW_CONFIDENCE.
    """
    unsure = ''
    if not safe and not facts.exact and on is not None and node.on is not None and best_flat(on, facts) < MIN_SURFACE:
        on, unsure = presupposed(node.on, facts)
    usual = _usual_size(node.thing)
    sides = (node.size, node.size) if node.size else usual[:2]
    if not (node.thing and _on_floor(sides, usual[2], safe)):
        area = free_space(facts, on, sides, safe=safe, raised=not _low(node))
    else:  # a wardrobe
        floor = facts.filter('name', 'floor')
        area = free_space(facts, floor if on is None else on, sides, safe=safe, raised=False)
        stands = f'{wording.a(node.thing)} stands on the floor'
        if on is None and not area.mask.any():
            area = replace(area, notes=frozenset({f'{stands}, where no free place of {sides[1]:g} m is seen'}))
        elif on is not None and float((on & floor).p.max(initial=0.0)) < 0.5 * float(on.p.max(initial=0.0)):
            area = replace(area, decided=False, notes=area.notes | {f'{stands}, not on other things'})
    if node.on is not None and NO_PLANE in area.notes:
        area = replace(area, notes=area.notes - {NO_PLANE} | {f'{wording.none_of(node.on)} is seen'})
    if unsure and area.mask.any():
        area = replace(area, sure=min(area.sure, NOT_RECOGNIZED), decided=False, notes=area.notes | {unsure})
    return area


def _on_floor(sides: tuple[float, float], height: float, safe: bool) -> bool:
    """Return whether an object is too large for tables; cushions and clothes may lie on them, but not for safety.

    sides, height: in metres; the height is infinite if it is not known.
    """
    flat = height < MAX_HEIGHT and sides[0] <= MAX_LENGTH
    return sides[1] > MAX_ROOM and (safe or not flat)


def _low(node: FreeSpace) -> bool:
    """Return whether the surface that a node names is the floor, the ground, or something on it."""
    nouns = () if node.on is None else names(node.on)
    return any(n in FLOORS or not LOW.isdisjoint(knowledge.kinds(n)) for n in nouns if n)


def _usual_size(noun: str) -> tuple[float, float, float]:
    """Return the longer side, the shorter side and the height of an object in metres; (0, 0, inf) if not known."""
    known = thing(noun) if noun else None
    return known.size if known and known.size else (0.0, 0.0, math.inf)
