"""Intents: programs that ask for a single property of anything, each with a short name."""

from typing import Final

from converseg_ros.knowledge import tags
from converseg_ros.programs.canonical import canonical
from converseg_ros.programs.nodes import Everything, Filter, Node, Select, Things
from converseg_ros.programs.vocabulary import PHYSICS, SAID_BY_FILTERS

OTHER: Final = 'other'
"""The name of every other program."""
REPLACED: Final = SAID_BY_FILTERS | {'sit': 'sittable'}
"""Tags with the words of another intent."""


def intents() -> tuple[str, ...]:
    """Return the names: tags, then KIND.VALUE for other filters, then OTHER."""
    own = tuple(t for t in tags() if t not in REPLACED)
    return (*own, *(f'physics.{value}' for value in PHYSICS), 'material.transparent', OTHER)


def condition(intent: str) -> Filter:
    """Return the filter of an intent other than OTHER, with the base that phrasing uses."""
    kind, _, value = intent.rpartition('.')
    return Filter(kind, value, Things()) if kind else Filter('tag', value, Everything())  # type: ignore[arg-type]


def intent_of(program: Node) -> str:
    """Return the intent of a program, OTHER if it has another condition than a single property, or none."""
    match canonical(program):
        case Select(of=Filter(by='tag', value=value, of=Everything() | Things())):
            return REPLACED.get(value, value)
        case Select(of=Filter(by=kind, value=value, of=Everything() | Things())) if f'{kind}.{value}' in intents():
            return f'{kind}.{value}'
    return OTHER
