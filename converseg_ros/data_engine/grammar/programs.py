"""Programs of drafts: the syntax trees of the sentences of the grammar, by the conventions of programs.phrasing."""

from typing import Literal, cast

from converseg_ros.data_engine.world.world import Entity
from converseg_ros.knowledge import singular
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.nodes import Act, Everything, Filter, Node, Rank, Relate, Select

COLOURS = {'gray': 'grey'}
"""American spellings of the grammar -> values of programs."""
EVERYTHING = Everything()
Role = Literal['agent', 'patient', 'instrument', 'uninvolved']


def called(name: str) -> Filter:
    """Return all entities with a name, in the singular."""
    return Filter('name', singular(name))


def coloured(color: str, of: Node) -> Node:
    """Return the members with a colour."""
    return Filter('colour', COLOURS.get(color, color), of)


def made_of(material: str, of: Node) -> Node | None:
    """Return the members with a material of scenes.graph, or None if programs do not have it."""
    return Filter('material', material, of) if material in v.MATERIALS else None


def in_state(state: str, of: Node) -> Node | None:
    """Return the members in a state of scenes.graph, or None if programs do not have it."""
    return Filter('state', state, of) if state in v.STATES else None


def meant(of: Node | None, be: str, chosen: list[Entity]) -> Node | None:
    """Return the selection of a sentence with `is` or `are`: a mass noun selects all of it."""
    if of is None:
        return None
    if be == 'are' or (len(chosen) > 1 and any(e.thing.mass for e in chosen)):
        return Select('all', of)
    return Select('one', of)


def every(of: Node | None) -> Node | None:
    """Return the selection of a question with `what`, `which` or `who`."""
    return None if of is None else Select('all', of)


def first(key: str, order: Literal['max', 'min'], of: Node, place: int = 1, anchor: Node | None = None) -> Node:
    """Return the member at a place of an order."""
    return Select('one', Rank(key, order, of, place, 1, anchor))


def relate(relation: str, of: Node, anchor: Node | None, other: Node | None = None) -> Node | None:
    """Return the members in a relation, or None if the anchor has no program."""
    return None if anchor is None else Relate(relation, of, anchor, other)


def act(kind: str, role: str, of: Node = EVERYTHING, other: Node | None = None) -> Node:
    """Return the participants with a role in an action."""
    return Act(kind, cast(Role, role), of, other)
