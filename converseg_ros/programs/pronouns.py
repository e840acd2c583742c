"""Pronouns of a text: "something" asks for all that fits, "who" for people, and "him" is a person."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from converseg_ros.programs.nodes import MAX_DEPTH, Everything, Filter, Node, Rank, Select, Things
from converseg_ros.programs.nouns import main_noun

ANYTHING: Final = frozenset({'something', 'anything'})
PEOPLE: Final = frozenset({'who', 'whoever', 'somebody', 'someone', 'anybody', 'anyone', 'everybody', 'everyone'})
OTHER_HEADS: Final = frozenset({'the', 'a', 'an', 'all', 'every', 'each', 'what', 'which', 'whose', 'where', 'one'})
THINGS: Final = frozenset({'thing', 'things', 'object', 'objects', 'item', 'items', 'stuff', 'everything', 'whatever'})
PERSONAL: Final = frozenset({'he', 'him', 'she', 'her', 'they', 'them', 'somebody', 'someone'})
PERSON: Final = 'person'


def with_pronouns(program: Node, words: Sequence[str]) -> Node:
    """Return a program that agrees with the pronouns of its text.

    "Something to sit on" asks for all seats, as "what could I sit on" does; "who is by the door" for people.
    """
    program = _with_persons(program)
    head = next((word for word in words if word in ANYTHING | PEOPLE | OTHER_HEADS | THINGS), '')
    if main_noun(program) or not isinstance(program, Select):
        return program
    if head in ANYTHING and program.quantity == 'one' and not isinstance(program.of, Rank):
        return replace(program, quantity='all')
    if head in PEOPLE and (ANYTHING | THINGS).isdisjoint(words):
        found = _of_people(program)
        return found if found.depth() <= MAX_DEPTH else program
    return program


def _with_persons(node: Node) -> Node:
    """Return a node in which a personal pronoun that was read as a noun is a person."""
    node = node.map(_with_persons)
    if isinstance(node, Filter) and node.by == 'name' and node.value in PERSONAL:
        return replace(node, value=PERSON)
    return node


def _of_people(node: Node) -> Node:
    """Return a program with the same conditions on people."""
    if isinstance(node, Things | Everything):
        return Filter('name', PERSON)
    inner = getattr(node, 'of', None)
    return replace(node, of=_of_people(inner)) if isinstance(inner, Node) else node  # type: ignore[call-arg]
