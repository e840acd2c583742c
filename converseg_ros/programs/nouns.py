"""Nouns of programs: unknown ones are divided into adjectives and simple nouns, and "one" stands for the main noun."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from converseg_ros.knowledge import is_known, kinds, singular, thing
from converseg_ros.programs.nodes import MAX_DEPTH, Everything, Filter, Node, Order, Parts, Rank, Relate, Select, Things
from converseg_ros.programs.vocabulary import ADJECTIVES, FIXED_PARTS, POSITIONS, YOUNG


def with_plain_nouns(node: Node) -> Node:
    """Return a program with simple nouns: 'open book' becomes a book that is open, unless it is the name of a class.

    One 'top drawer' becomes the topmost of the drawers.

    A program that would be deeper than MAX_DEPTH is returned unchanged.
    """
    found = _plain(_ordered(node))
    return found if found.depth() <= MAX_DEPTH else node


def _plain(node: Node) -> Node:
    node = node.map(_plain)
    if not isinstance(node, Filter) or node.by != 'name':
        return node
    filters, noun = adjectives(node.value)
    out = as_part(Filter('name', noun, node.of))
    for by, value in reversed(filters):
        out = Filter(by, value, out)  # type: ignore[arg-type]
    return out


def _ordered(program: Node) -> Node:
    """Return a program for one 'top drawer' or 'baby elephant' as an order: the topmost of the drawers.

    Knowledge has the rest of the noun but not the whole one, as it has 'top hat'. Other programs are unchanged.
    """
    if not isinstance(program, Select) or program.quantity != 'one':
        return program
    noun = main_noun(program)
    first, _, rest = noun.partition(' ')
    order = _order(first.lower(), rest)
    if order is None or not is_known(rest) or is_known(noun) or any(isinstance(node, Rank) for node in program.walk()):
        return program
    return Rank(*order, _called(program.of, rest))


def _order(word: str, noun: str) -> tuple[str, Order] | None:
    """Return the order that a word before a noun means; a young animal is small, a young man is not."""
    if word in YOUNG and 'animal' in kinds(noun):
        return 'size', 'min'
    return POSITIONS.get(word)


def _called(node: Node, noun: str) -> Node:
    """Return a node with another main noun."""
    if isinstance(node, Parts):
        return replace(node, noun=noun)
    if isinstance(node, Filter) and node.by == 'name':
        return replace(node, value=noun)
    return replace(node, of=_called(node.of, noun))  # type: ignore[attr-defined,call-arg]


def main_noun(node: Node | None) -> str:
    """Return the noun of what a program asks for, '' without one."""
    while isinstance(node, Node):
        if isinstance(node, Parts):
            return node.noun
        if isinstance(node, Filter) and node.by == 'name':
            return node.value
        node = getattr(node, 'of', None)
    return ''


def with_antecedents(program: Node, words: Sequence[str]) -> Node:
    """Return a program in which "one" after an adjective stands for the main noun: the mug behind the blue one."""
    noun = main_noun(program)
    said = {ADJECTIVES[word] for word, one in pairwise(words) if one in ('one', 'ones') and word in ADJECTIVES}
    if not noun or not said:
        return program

    def named(node: Node) -> Node:
        """Return an adjective of "one" with the main noun; others are unchanged."""
        if not isinstance(node, Filter) or (node.by, node.value) not in said:
            return node
        nameless = isinstance(node.of, (Things, Everything))
        return replace(node, of=Filter('name', noun) if nameless else named(node.of))

    def resolved(node: Node) -> Node:
        node = node.map(resolved)
        if isinstance(node, Relate):
            node = replace(node, anchor=named(node.anchor), other=node.other and named(node.other))
        return node

    found = resolved(program)
    return found if found.depth() <= MAX_DEPTH else program


def adjectives(noun: str, *, within_names: bool = False) -> tuple[list[tuple[str, str]], str]:
    """Return the (kind, value) of the filters that the first words of a noun mean, and the rest of the noun.

    The name of a class is not divided, since it is recognised as a whole. within_names: also divide it if the class is
    called by the rest alone too, as a wooden box is called a box.
    """
    words, found = noun.split(), []
    while len(words) > 1 and words[0].lower() in ADJECTIVES:
        rest = ' '.join(words[1:])
        called = thing(' '.join(words)) if within_names else None
        if _begins_a_name(words) and not (called and rest in called.names):
            break
        found.append(ADJECTIVES[words.pop(0).lower()])
    return found, ' '.join(words)


def as_part(node: Filter) -> Node:
    """Return the part that a filter by a noun means: a 'cupboard handle' is the handle of a cupboard."""
    whole, _, last = node.value.rpartition(' ')
    part = singular(last.lower())
    if part in FIXED_PARTS and node.of == Everything() and is_known(whole) and not is_known(node.value):
        return Parts(part, Filter('name', whole))
    return node


def _begins_a_name(words: list[str]) -> bool:
    """Return whether the first words are the name of a class, such as 'red wine' in 'red wine stain'."""
    return any(is_known(' '.join(words[:end])) for end in range(2, len(words) + 1))
