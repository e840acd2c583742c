"""Checks which noun a preposition belongs to: in "the pen next to the book on the desk" nothing is next to the desk."""

from collections.abc import Iterator, Sequence
from typing import Final

from converseg_ros.programs.nodes import Node, Relate
from converseg_ros.programs.nouns import main_noun
from converseg_ros.programs.spans import find_span

_ON: Final = frozenset({'on', 'covers', 'touching', 'part_of', 'falls_without', 'in'})
_IN: Final = frozenset({'in', 'on', 'touching', 'part_of'})
_UNDER: Final = frozenset({'under', 'below', 'hidden_by', 'supports'})
_NEXT: Final = frozenset({'next_to', 'near', 'touching', 'left_of', 'right_of', 'own_left_of', 'own_right_of'})
PREPOSITIONS: Final = {
    'on': _ON,
    'onto': _ON,
    'upon': _ON,
    'atop': _ON,
    'top of': _ON,
    'in': _IN,
    'inside': _IN,
    'within': _IN,
    'into': _IN,
    'under': _UNDER,
    'beneath': _UNDER,
    'underneath': _UNDER,
    'below': _UNDER,
    'behind': frozenset({'behind', 'hidden_by'}),
    'above': frozenset({'above', 'on', 'covers'}),
    'over': frozenset({'above', 'on', 'covers', 'falls_without'}),
    'beside': _NEXT,
    'near': _NEXT,
    'next to': _NEXT,
    'close to': _NEXT,
    'between': frozenset({'between'}),
    'front of': frozenset({'in_front_of', 'hides'}),
    'left of': frozenset({'left_of', 'own_left_of', 'next_to'}),
    'right of': frozenset({'right_of', 'own_right_of', 'next_to'}),
}
"""Prepositions, by their last words, with the relations that they can mean."""
SPATIAL: Final = frozenset(
    {
        'on',
        'in',
        'under',
        'above',
        'below',
        'behind',
        'in_front_of',
        'next_to',
        'near',
        'between',
        'left_of',
        'right_of',
    }
)
"""Relations that a preposition before the anchor says."""
DETERMINERS: Final = frozenset(
    {'the', 'a', 'an', 'my', 'your', 'his', 'her', 'our', 'their', 'this', 'that', 'these', 'those'}
)
ADJECTIVES: Final = 2
"""The greatest number of words between a determiner and the noun that are looked at."""


def misplaced(program: Node, words: Sequence[str]) -> int:
    """Return the number of anchors whose preposition in the text says another relation."""
    return sum(node.relation not in said for node in _spatial(program) if (said := _said_before(node.anchor, words)))


def _spatial(program: Node) -> Iterator[Relate]:
    return (node for node in program.walk() if isinstance(node, Relate) and node.relation in SPATIAL)


def _said_before(anchor: Node, words: Sequence[str]) -> frozenset[str]:
    """Return the relations of the preposition before the noun of an anchor.

    There are none if there is no such preposition, for "on the box's left", and if the text has the noun twice.
    """
    noun = main_noun(anchor)
    span = find_span('noun', noun, words) if any(c.isalnum() for c in noun) else None
    if span is None or find_span('noun', noun, rest := words[span[1] + 1 :]) or rest[:1] == ["'s"]:
        return frozenset()
    before = range(span[0] - 1, max(-1, span[0] - 2 - ADJECTIVES), -1)
    place = next((i for i in before if words[i] in DETERMINERS), 0)
    if place == 0:
        return frozenset()
    two, one = ' '.join(words[max(0, place - 2) : place]), words[place - 1]
    return PREPOSITIONS.get(two, PREPOSITIONS.get(one, frozenset()))
