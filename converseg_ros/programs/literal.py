"""The literal reading of a text whose program is not sure: its noun, and the words after it as a free text.

Of "the runner sliding into the base" the parser makes a runner that is plugging in the base. The runner is sure. A text
without a noun ("what could I toss the salad with") is a free text as a whole, without the words that ask.
"""

from collections.abc import Sequence
from typing import Final

from converseg_ros.programs.nodes import Everything, Filter, Like, Node, Parts, Select, Things
from converseg_ros.programs.nouns import main_noun
from converseg_ros.programs.spans import find_span
from converseg_ros.programs.vocabulary import LONGEST_SPAN

CONNECTING: Final = frozenset({'who', 'that', 'which', 'is', 'are', 'with', ','})
ASKING: Final = (
    'what', 'which', 'where', 'who', 'how', 'something', 'anything', 'somewhere', 'anywhere', 'everything',
    'whatever', 'thing', 'things', 'one', 'ones', 'item', 'items', 'place', 'spot', 'object', 'objects', 'of',
    'these', 'those', 'this', 'here', 'there', 'in', 'the', 'a', 'an', 'is', 'are', 'be', 'could', 'can', 'would',
    'should', 'might', 'may', 'will', 'do', 'does', 'did', 'i', 'we', 'you', 'to', 'that', 'show', 'me', 'find',
    'point', 'out', 'get', 'give', 'need', 'want', 'please', 'and', 'for', 'it', 'us', 'my', 'any', 'all',
)  # fmt: skip
"""Words at the start of a text that only ask for something."""
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


def as_free_text(program: Node, words: Sequence[str]) -> Node | None:
    """Return a text as a free text if its program is a single property of no noun, else None."""
    if not isinstance(program, Select):
        return None
    of = program.of
    if not (isinstance(of, Filter) and of.by in ('tag', 'physics') and isinstance(of.of, Everything | Things)):
        return None
    start = next((i for i, word in enumerate(words) if word not in ASKING), len(words))
    said = [word for word in words[start:] if word[0].isalnum()][:LONGEST_SPAN]
    return Select(program.quantity, Like(' '.join(said))) if said else None


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
