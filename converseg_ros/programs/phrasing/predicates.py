"""Words of single properties: as an adjective, as a phrase or clause after a noun, or negated."""

from collections.abc import Callable

from converseg_ros.knowledge import plural
from converseg_ros.programs.nodes import Filter, Like, Node, Relate, Union
from converseg_ros.programs.phrasing.free_text import kind_of
from converseg_ros.programs.phrasing.pieces import Pieces
from converseg_ros.programs.phrasing.properties import PLACE, PLAIN_STARTS, entry
from converseg_ros.programs.phrasing.talk import Talk, agreement, which_is
from converseg_ros.programs.phrasing.templates import Entry, lists
from converseg_ros.programs.phrasing.words import is_mass, is_plural_only

Slots = Callable[[], dict[str, str]]
"""Draws the values for the slots of the templates of a property, among them the noun phrases of its anchors."""


def word_for(talk: Talk, node: Filter, adjective: bool) -> str:
    """Return a word for a colour or a material; some are only used before a noun."""
    key = f'{node.by}.{node.value}'
    if key not in lists('words'):
        return node.value
    word = talk.fill(lists('words')[key], {})
    if word.endswith('-'):
        return word[:-1] if adjective else node.value
    return word


def thing_phrase(talk: Talk, name: str) -> str:
    """Return the noun of the object to set down, with a determiner."""
    if is_mass(name) or is_plural_only(name):
        return f'{talk.choose(("the", "my", "some", "these" if is_plural_only(name) else "this"))} {name}'
    return f'{talk.choose(("the", "the", "a", "a", "my", "this", "another"))} {name}'


def behind(talk: Talk, table: Entry, node: Node, many: bool, slots: Slots, bare: bool = False) -> str:
    """Return a property as it follows a noun; bare: the noun is a pronoun."""
    options = [(w, s) for s, w in (('be', 4.0), ('verb', 1.2), ('post', 1.0), ('rel', 1.5), ('use', 3.0)) if s in table]
    if 'be_one' in table and not many:
        options = [(1.0, 'be_one')]
    if 'named' in table and not bare:
        options.append((1.5, 'named'))
    if not options:
        options = [(1.0, 'pre')]
    slot = talk.weighted(options)
    filled = slots()
    if slot == 'use':
        return talk.fill(lists('uses')['post'], {'v': talk.fill(table['use'], filled)})
    text = talk.fill(table[slot], filled)
    if slot in ('be', 'be_one', 'named', 'pre'):
        adjective = slot == 'pre' or (isinstance(node, Filter) and node.by in ('colour', 'state', 'physics', 'tag'))
        return which_is(talk, many, text) if adjective or talk.chance(0.4) else text
    if slot == 'verb':
        return f'{talk.choose(("that", "that", "which"))} {text}'
    if slot == 'rel':
        return text if text.startswith(('where ', 'on which')) else f'{talk.choose(("that ", "", "which ", ""))}{text}'
    return text


def add_like(talk: Talk, out: Pieces, node: Like, of_part: bool) -> None:
    """Add free text as an adjective or after the noun."""
    text = node.text
    first = text.split()[0]
    if ' ' not in text and not of_part:
        out.before.append((PLACE['like'], text))
    elif kind := kind_of(text):
        would = f'{talk.choose(("that", "which"))} {talk.choose(("would", "could", "might", "will"))} {text}'
        out.after.append(would if kind == 'deed' else talk.fill(lists('uses')['post'], {'v': text}))
    elif first in PLAIN_STARTS:
        out.after.append(text)
    else:
        out.after.append(f'{talk.choose(("that", "that", "which"))} {text}')


def _opposite(talk: Talk, node: Node, many: bool) -> str | None:
    """Return the words for the lack of a property, as they follow 'is': 'unlit', 'dull'."""
    if isinstance(node, Filter):
        table = lists('opposites')
        key = f'{node.by}.{node.value}'
        if key in table:
            return talk.fill(table[key], agreement(many))
    return None


def lacking(talk: Talk, node: Node, many: bool, slots: Slots) -> str | None:
    """Return a predicate with its verb for the lack of a property: 'is not red', or None."""
    be, be_not = ('are', ('are not', "aren't")) if many else ('is', ('is not', "isn't"))
    if (other := _opposite(talk, node, many)) is not None and talk.chance(0.5):
        return f'{be} {other}'
    if isinstance(node, Filter) and node.by == 'name':
        return f'{talk.choose(be_not)} {plural(node.value) if many else "a " + node.value}'
    if isinstance(node, Like):
        return None
    table, _ = entry(node)
    for slot in ('be', 'pre'):
        if slot in table:
            for _ in range(4):
                text = talk.fill(table[slot], slots())
                if 'not' not in text.split():
                    return f'{talk.choose(be_not)} {text}'
    return None


def lacking_both(talk: Talk, minus: Union, of: Node, many: bool, slots: Callable[[Node], Slots]) -> str | None:
    """Return 'that are neither red nor blue' for two properties that the set `of` leaves out, or None."""
    found = [_after_be(talk, x, many, slots(x)) for x in minus.of if getattr(x, 'of', None) == of]
    words = [x for x in found if x is not None]
    if len(words) != 2 or len(minus.of) != 2 or not talk.chance(0.75):
        return None
    return talk.fill(lists('negation')['neither'], {'x': words[0], 'y': words[1], **agreement(many)})


def _after_be(talk: Talk, node: Node, many: bool, slots: Slots) -> str | None:
    """Return a property as it follows 'is', or None."""
    if isinstance(node, Filter) and node.by == 'name':
        return plural(node.value) if many else f'a {node.value}'
    if not isinstance(node, Filter | Relate):
        return None
    table, _ = entry(node)
    slot = next((s for s in ('be', 'pre') if s in table), None)
    return None if slot is None else talk.fill(table[slot], slots())
