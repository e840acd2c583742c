"""Words in the sense that the rest of a text gives them.

What weighs little is what one hand can lift, unless the text speaks of wind: "what might the wind blow away" asks for
paper and leaves, not for everything that is not heavy. A bench is a seat, unless something is to be set down on it:
then it may be a workbench.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from converseg_ros import knowledge
from converseg_ros.programs.nodes import Everything, Filter, FreeSpace, Node, Union

CARRIES: Final = 'supports'  # the tag of classes that things are set down on
WIND: Final = frozenset({'wind', 'breeze', 'draught', 'draft', 'gust', 'gusts', 'winds'})
LITTLE: Final = 'light_weight'  # both a value of the physics of a thing and a tag of its class


def with_senses(program: Node, words: Sequence[str]) -> Node:
    """Return a program whose properties have the sense that the words of its text give them."""
    return program if WIND.isdisjoint(words) else _by_wind(program)


def _by_wind(node: Node) -> Node:
    """Return a node in which what weighs little is what a draught can move."""
    node = node.map(_by_wind)
    if isinstance(node, Filter) and node.by == 'physics' and node.value == LITTLE:
        return replace(node, by='tag')
    return node


def with_carriers(node: Node) -> Node:
    """Return a program in which free space on a noun is that on all its senses that things are set down on."""
    node = node.map(with_carriers)
    match node:
        case FreeSpace(Filter('name', noun, Everything())) if len(nouns := knowledge.senses(noun, CARRIES)) > 1:
            return replace(node, on=Union(tuple(Filter('name', n) for n in nouns)))
    return node
