"""Programs of sentences of the grammar, by the conventions of programs.phrasing."""

from collections.abc import Sequence
from functools import cache
from typing import Literal, cast

from converseg_ros.data_engine.world.truth import COLOURS
from converseg_ros.data_engine.world.world import Entity
from converseg_ros.knowledge import singular
from converseg_ros.programs.nodes import Act, Everything, Filter, Like, Node, Rank, Relate, Select, Things

EVERYTHING, THINGS = Everything(), Things()
Role = Literal['agent', 'patient', 'instrument', 'uninvolved']


@cache
def called(name: str) -> Filter:
    """Return all entities with a name, in the singular."""
    return Filter('name', singular(name))


def coloured(color: str, of: Node) -> Node:
    """Return the members with a colour."""
    return Filter('colour', COLOURS.get(color, color), of)


def made_of(material: str, of: Node) -> Node:
    """Return the members with a material of scenes.graph."""
    return Filter('material', material, of)


def in_state(state: str, of: Node) -> Node:
    """Return the members in a state of scenes.graph."""
    return Filter('state', state, of)


def meant(of: Node, be: str, chosen: Sequence[Entity]) -> Node:
    """Return the selection of a sentence with `is` or `are`: a mass noun selects all of it."""
    if be == 'are' or (len(chosen) > 1 and any(e.thing.mass for e in chosen)):
        return Select('all', of)
    return Select('one', of)


def every(of: Node) -> Node:
    """Return the selection of a question with `what`, `which` or `who`."""
    return Select('all', of)


def worded(text: str, of: Node = THINGS) -> Node:
    """Return the members that fit words without a closed form; the final punctuation is not part of them."""
    return Like(text.rstrip('?!. '), of)


def first(key: str, order: Literal['max', 'min'], of: Node, place: int = 1, anchor: Node | None = None) -> Node:
    """Return the member at a place of an order."""
    return Select('one', Rank(key, order, of, place, 1, anchor))


def relate(relation: str, of: Node, anchor: Node, other: Node | None = None) -> Node:
    """Return the members in a relation."""
    return Relate(relation, of, anchor, other)


def act(kind: str, role: str, of: Node = EVERYTHING, other: Node | None = None) -> Node:
    """Return the participants with a role in an action."""
    return Act(kind, cast(Role, role), of, other)
