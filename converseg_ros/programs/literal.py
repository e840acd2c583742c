"""The literal reading of a program that says what its text does not: its noun, and the words after it as a free text.

Of "the runner sliding into the base" the parser makes a runner that is plugging in the base. The runner is sure.
"""

from collections.abc import Sequence
from typing import Final

from converseg_ros.programs.nodes import Everything, Filter, Like, Node, Parts, Select
from converseg_ros.programs.nouns import main_noun
from converseg_ros.programs.spans import find_span
from converseg_ros.programs.vocabulary import LONGEST_SPAN

CONNECTING: Final = frozenset({'who', 'that', 'which', 'is', 'are', 'with', ','})
KEPT: Final = ('name', 'colour', 'material')
"""Kinds of filters that stand before a noun."""


def literally(program: Node, words: Sequence[str]) -> Node | None:
    """Return the noun of a program with its colours and materials, and the words after it; None without such words."""
    if not isinstance(program, Select) or not (noun := main_noun(program)):
        return None
    span = find_span('noun', noun, words)
    rest = list(words[span[1] + 1 :]) if span else []
    while rest and rest[0] in CONNECTING:
        rest.pop(0)
    while rest and not rest[-1][0].isalnum():
        rest.pop()
    if not 0 < len(rest) <= LONGEST_SPAN or (span and 'of' in words[: span[0]]):
        return None
    named = _noun_phrase(program.of)
    return named and Select(program.quantity, Like(' '.join(rest), named))


def _noun_phrase(node: Node) -> Node | None:
    """Return the filters of a chain that stand before its noun, or None if it does not end in a noun."""
    match node:
        case Filter(by, value, of) if by in KEPT:
            inner = None if by == 'name' else _noun_phrase(of)
            return Filter(by, value) if by == 'name' else inner and Filter(by, value, inner)
        case Everything() | Parts():
            return None
    inner = getattr(node, 'of', None)
    return _noun_phrase(inner) if isinstance(inner, Node) else None
