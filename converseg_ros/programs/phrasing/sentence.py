"""From a program to one of the many ways to say it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
import random
import re
from typing import Literal

from converseg_ros.knowledge import plural
from converseg_ros.programs.nodes import (
    Act,
    Except,
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)
from converseg_ros.programs.phrasing.amounts import length
from converseg_ros.programs.phrasing.noun_phrase import (
    anchor_phrase,
    free_space,
    phrase,
    pieces,
    thing_phrase,
    values,
    word_for,
)
from converseg_ros.programs.phrasing.properties import (
    corner,
    entry,
    is_bare,
    is_person,
    is_predicate,
    rearranged,
    split,
)
from converseg_ros.programs.phrasing.questions import deed, use, which
from converseg_ros.programs.phrasing.talk import ANCHOR, Talk, agreement
from converseg_ros.programs.phrasing.templates import Entry, Part, data, entries, lists, tidy
from converseg_ros.programs.phrasing.words import free, is_mass, is_plural_only
from converseg_ros.programs.vocabulary import COLOURS

ONE_DETERMINERS = (
    *('the',) * 24, 'my', 'my', 'that', 'that', 'this', 'this', 'your', 'our', 'none', 'none', 'none', 'the only',
)  # fmt: skip
LOOKS = ('colour', 'material')
ALL_DETERMINERS = (
    *('the',) * 8, *('all the',) * 8, 'all', 'all', 'none', 'none', 'none', 'all of the', 'these', 'those',
    'every one of the', 'each of the',
)  # fmt: skip
_INVERTED = re.compile(r'(would|could|should|does|do) (a|I|you|the|my)\b')  # what "would a plumber use"


Style = Literal['any', 'phrase']


def say(node: Node, rng: random.Random, part: Part = 'all', style: Style = 'any') -> str:
    """Return one way to ask for what a program denotes.

    part: which templates may be used. style: 'phrase' gives a noun phrase alone ("the red mugs on the table"), 'any'
    commands, questions, needs and noun phrases. Raise InputError for a program without phrases.
    """
    talk = Talk(rng, part)
    return tidy(_phrase(talk, node) if style == 'phrase' else _say(talk, rearranged(node, rng)))


def _phrase(talk: Talk, node: Node) -> str:
    if isinstance(node, Union):
        return phrase(talk, node, True, 'the')
    quantity, of = (node.quantity, node.of) if isinstance(node, Select) else ('all', node)
    base = split(of)[0]
    if quantity == 'all' and not isinstance(base, FreeSpace):
        return phrase(talk, of, not is_bare(base), 'all' if is_bare(base) else talk.choose(('the', 'all the')))
    many = (isinstance(quantity, int) and quantity > 1) or (isinstance(base, Filter) and is_plural_only(base.value))
    return phrase(talk, of, many, quantity if isinstance(quantity, int) else 'the')


def _say(talk: Talk, node: Node) -> str:
    if isinstance(node, FreeSpace):
        return _free(talk, node)
    if isinstance(split(node)[0], FreeSpace):
        return _space(talk, node)
    if isinstance(node, Select) and (of := _shared(talk, node)) is not None:
        return of
    if isinstance(node, Union):
        both = 'both ' if len(node.of) == 2 and talk.chance(0.12) else ''
        return _frame(talk, 'definite', both + phrase(talk, node, True, 'the'), True)
    if isinstance(node, Select):
        if node.quantity in ('one', 1):
            return _one(talk, node.of)
        if node.quantity == 'all':
            return _all(talk, node.of)
        return _number(talk, node.of, int(node.quantity))
    return _all(talk, node)


def _space(talk: Talk, node: Node) -> str:
    """Return a request for free space beside something or in a part of the image."""
    base, modifiers = split(node)
    only = modifiers[0] if len(modifiers) == 1 else None
    if isinstance(base, FreeSpace) and base.thing and isinstance(only, Relate) and 'be' in entry(only)[0]:
        where = talk.fill(entry(only)[0]['be'], values(talk, only, False))
        on = f'on {anchor_phrase(talk, base.on)[0]}' if base.on is not None else ''
        filled = {'t': thing_phrase(talk, base.thing), 'where': where, 'on': on}
        return talk.fill(lists('free_space')['put'], filled)
    np = phrase(talk, node, False, talk.choose(('the', 'a', 'some', 'any', 'none')))
    return _frame(talk, 'space', np, False)


def _shared(talk: Talk, node: Select) -> str | None:
    """Return 'the red and blue mugs' for the union of two colours of one noun, or None."""
    if not isinstance(node.of, Union) or node.quantity not in ('all', 'one'):
        return None
    members = node.of.of
    if not all(isinstance(x, Filter) and x.by in ('colour', 'material') for x in members):
        return None
    below = {x.of for x in members if isinstance(x, Filter)}
    if len(below) > 1:
        return None
    inner = pieces(talk, below.pop(), node.quantity == 'all')
    words = [word_for(talk, x, True) for x in members if isinstance(x, Filter)]
    joint = talk.choose((' and ', ' and ', ' or ', ' and the ')) if node.quantity == 'all' else ' or '
    np = f'{", ".join(words[:-1])}{joint}{words[-1]} {inner.text()}'
    many = node.quantity == 'all'
    determiner = talk.choose(('the ', 'all the ', 'the ', 'any ', '')) if many else talk.choose(('a ', 'the ', 'any '))
    return _frame(talk, 'plural' if many else 'indefinite', determiner + np, many)


def _frame(talk: Talk, name: str, np: str, many: bool, bare: str = '') -> str:
    if name != 'any' and talk.chance(0.22):
        name = 'bare'
    forms = {'np': np, 'is': 'are' if many else 'is', 'it': 'them' if many else 'it', 'bare': bare or np}
    return talk.fill(lists('frames')[name], forms)


def _whole(node: Node) -> tuple[Entry, Node] | None:
    """Return the table of the only property of something that is not named, where whole requests exist for it."""
    base, modifiers = split(node)
    somebody = is_person(base) and len(modifiers) == 1 and isinstance(modifiers[0], Act)
    if (is_bare(base) or somebody) and len(modifiers) == 1 and not isinstance(modifiers[0], Except | Like):
        return entry(modifiers[0])[0], modifiers[0]
    return None


def _compared(talk: Talk, node: Rank, of: Union) -> str:
    """Return which of two named things is taller."""
    filled = values(talk, node, False)
    first, second = of.of
    if isinstance(first, Filter) and isinstance(second, Filter) and first.of == second.of and first.by in LOOKS:
        filled |= {'x': word_for(talk, first, True), 'y': word_for(talk, second, True)}
        filled |= {'n': pieces(talk, first.of, False).text(), 'comp': talk.fill(entry(node)[0]['compared'], filled)}
        return talk.fill(lists('frames')['compared_looks'], filled)
    both = [phrase(talk, x, False, 'the') for x in of.of]
    filled['comp'] = talk.fill(entry(node)[0]['compared'], filled)
    return talk.fill(lists('frames')['compared'], {**filled, 'x': both[0], 'y': both[1]})


def _one(talk: Talk, node: Node) -> str:
    base, modifiers = split(node)
    if isinstance(node, Rank) and isinstance(node.of, Union) and len(node.of.of) == 2:
        return _compared(talk, node, node.of)
    many = isinstance(base, Filter) and is_plural_only(base.value)
    if (command := _command(talk, node, 'one')) is not None:
        return command
    if isinstance(base, Parts) and not modifiers and (base.noun == 'grip' or talk.chance(0.4)):
        return _part(talk, base)
    whole = _whole(node)
    if whole is not None:
        table, modifier = whole
        if 'ask_one' in table and not (isinstance(modifier, Rank) and modifier.first > 1) and talk.chance(0.3):
            return talk.fill(table['ask_one'], values(talk, modifier, False)) + talk.choose(('?', '?', ''))
        if 'use' in table and talk.chance(0.75):
            return use(talk, table, modifier, 'ask_one')
    if (there := _use_there(talk, base, modifiers, 'ask_one_there')) is not None:
        return there
    if isinstance(node, Like) and (asked := deed(talk, node, False)) is not None:
        return asked
    if isinstance(node, Like) and is_predicate(node.text) and not many and talk.chance(0.4):
        frames = lists('frames')['what_one' if is_bare(base) else 'which_one']
        nouns = {'n': pieces(talk, node.of, False).text(), 'ns': pieces(talk, node.of, True).text()}
        return talk.fill(frames, {**nouns, 'p': node.text, 'p1': node.text})
    if modifiers and not many and talk.chance(0.3):
        question = which(talk, node, False)
        if question:
            return question
    if not modifiers and isinstance(base, Filter) and not many and not is_mass(base.value) and talk.chance(0.06):
        return talk.fill(lists('frames')['is_a'], {'n': base.value})
    unique = modifiers and isinstance(modifiers[-1], Rank)
    if not unique and not isinstance(base, Parts) and talk.chance(0.25):
        np = phrase(talk, node, many, 'a' if not many else 'some')
        if (
            not many
            and not is_bare(base)
            and not isinstance(base, Union)
            and not is_mass(getattr(base, 'value', ''))
            and talk.chance(0.15)
        ):
            np = f'{talk.choose(("one", "one", "any one", "just one", "any"))} of {phrase(talk, node, True, "the")}'
        return _frame(talk, 'indefinite', np, many)
    determiner = talk.choose(ONE_DETERMINERS)
    contrast = _contrast(talk, modifiers[-1]) if modifiers and not many and talk.chance(0.04) else None
    if contrast is not None:
        return talk.fill(lists('negation')['contrast'], {'t': phrase(talk, node, many, 'the'), 'w': contrast})
    if unique or isinstance(base, Parts):
        determiner = 'the'
    return _frame(talk, 'definite', phrase(talk, node, many, determiner), many)


def _command(talk: Talk, node: Node, quantity: str | int) -> str | None:
    """Return 'take the plates off the table' for plates on the table, or None."""
    if not isinstance(node, Relate) or is_bare(split(node)[0]) or not talk.chance(0.1):
        return None
    table, _ = entry(node)
    if 'command' not in table:
        return None
    what = phrase(talk, node.of, quantity != 'one', 'the' if quantity in ('one', 'all') else quantity)
    return talk.fill(table['command'], {**values(talk, node, quantity != 'one'), 't': what})


def _contrast(talk: Talk, node: Node) -> str | None:
    """Return an adjective of what is not meant: 'the red mug, not the blue one'."""
    if isinstance(node, Filter) and node.by == 'colour':
        other = talk.choose([c for c in COLOURS if c != node.value])
        return word_for(talk, replace(node, value=other), True)
    if isinstance(node, Rank) and node.anchor is None and node.first == node.count == 1:
        table, _ = entry(replace(node, order='min' if node.order == 'max' else 'max'))
        slot = talk.choose([s for s in ('plain', 'pre') if s in table])
        return talk.fill(table[slot], {})
    return None


def _part(talk: Talk, node: Parts) -> str:
    owner, several = anchor_phrase(talk, node.of)
    key = 'grip' if node.noun == 'grip' else 'which' if len(owner.split()) < 4 else 'which_long'
    return talk.fill(lists('parts')[key], {'a': owner, 'n': node.noun, **ANCHOR[several]})


def _need(talk: Talk, node: Union) -> str | None:
    """Return how people ask for a need that several tags fill together, or None for another union."""
    name = unions().get(node.of)
    if name is None:
        return None
    table = entries('needs')[name]
    if 'be' not in table or talk.chance(0.6):
        return talk.fill(table['ask'], {}) + talk.choose(('?', '?', ''))
    slot = talk.choose([s for s in ('be', 'verb', 'pre') if s in table])
    many, one = (talk.fill(table[slot], agreement(m)) for m in (True, False))
    if slot == 'pre':
        return _frame(talk, 'plural', f'{talk.choose(("the", "all the", "all", "any", ""))} {many} things', True)
    filled = {'p': many, 'p1': one} if slot == 'verb' else {'p': f'are {many}', 'p1': f'is {one}'}
    return talk.fill(lists('frames')['what_all'], filled)


def _heap(talk: Talk, node: Node) -> str | None:
    """Return 'the stack of plates' for stacked plates, 'the row of chairs' where that is the free text; else None."""
    if not isinstance(node, Filter | Like) or not isinstance(node.of, Filter) or node.of.by != 'name':
        return None
    if isinstance(node, Like):
        word = node.text if node.text in free('group') else ''
    else:
        word = talk.choose(('stack', 'pile')) if node.value == 'stacked' and talk.chance(0.4) else ''
    return f'the {talk.choose(("", "", "", "whole "))}{word} of {pieces(talk, node.of, True).text()}' if word else None


@cache
def unions() -> dict[tuple[Node, ...], str]:
    """Return the names of the needs by the sets whose union they are."""
    return {tuple(Filter('tag', tag) for tag in tags): name for name, tags in data('unions').items()}


@dataclass(frozen=True, slots=True)
class _Several:
    """A set that is asked for: its base and modifiers, inner ones first, and whether it has no plural ('the milk')."""

    node: Node
    base: Node
    modifiers: Sequence[Node]
    mass: bool


def _all(talk: Talk, node: Node) -> str:
    base, modifiers = split(node)
    several = _Several(node, base, modifiers, isinstance(base, Filter) and is_mass(base.value))
    for form in ALL_FORMS:
        text = form(talk, several)
        if text is not None:
            return text
    determiner = talk.choose(ALL_DETERMINERS)
    if is_bare(base) and determiner == 'the' and talk.chance(0.7):
        return _frame(talk, 'plural', phrase(talk, node, False, 'all'), False)
    bare = pieces(talk, node, True).text()
    return _frame(talk, 'plural', phrase(talk, node, True, determiner), not several.mass, bare)


def _all_needed(talk: Talk, asked: _Several) -> str | None:
    return _need(talk, asked.node) if isinstance(asked.node, Union) else None


def _are_there(talk: Talk, asked: _Several) -> str | None:
    base = asked.base
    if asked.modifiers or not isinstance(base, Filter) or asked.mass or is_plural_only(base.value):
        return None
    return talk.fill(lists('frames')['are'], {'n': base.value, 'ns': plural(base.value)}) if talk.chance(0.12) else None


def _all_commanded(talk: Talk, asked: _Several) -> str | None:
    return _command(talk, asked.node, 'all')


def _in_corner(talk: Talk, asked: _Several) -> str | None:
    if not is_bare(asked.base) or len(asked.modifiers) != 2 or (place := corner(asked.modifiers)) is None:
        return None
    filled = lists('frames')['corner'], lists('corners')[place]
    return talk.fill(filled[0], {'c': talk.fill(filled[1], {})}) if talk.chance(0.4) else None


def _as_heap(talk: Talk, asked: _Several) -> str | None:
    heap = _heap(talk, asked.node)
    return None if heap is None else _frame(talk, 'definite', heap, False)


def _by_whole_table(talk: Talk, asked: _Several) -> str | None:
    """Return the question that a table has for the whole of a property, act or relation."""
    whole = _whole(asked.node)
    if whole is None:
        return None
    table, modifier = whole
    related = isinstance(modifier, Relate | Act) or 'use' not in table
    if 'ask' in table and (related or talk.chance(0.65)) and talk.chance(0.65):
        return talk.fill(table['ask'], values(talk, modifier, False)) + talk.choose(('?', '?', ''))
    return use(talk, table, modifier, 'ask') if 'use' in table and talk.chance(0.8) else None


def _which_there(talk: Talk, asked: _Several) -> str | None:
    return _use_there(talk, asked.base, asked.modifiers, 'ask_there')


def _which_serve(talk: Talk, asked: _Several) -> str | None:
    """Return 'which of the knives cut bread' for a use that some of a kind have."""
    if not asked.modifiers or asked.mass or _whole(asked.node) is not None or not talk.chance(0.25):
        return None
    last = asked.modifiers[-1]
    if not isinstance(last, Filter) or last.by != 'tag' or 'use' not in entry(last)[0] or is_bare(asked.base):
        return None
    verb = talk.fill(entry(last)[0]['use'], values(talk, last, True))
    one, many = pieces(talk, last.of, False), pieces(talk, last.of, True)
    return talk.fill(lists('uses')['which'], {'v': verb, 'n': one.text(), 'ns': many.text()})


def _which_are(talk: Talk, asked: _Several) -> str | None:
    """Return 'which mugs are on the shelf'."""
    outer = asked.modifiers[-1] if asked.modifiers else None
    if not isinstance(outer, Relate) or not isinstance(outer.of, Filter) or asked.mass or not talk.chance(0.12):
        return None
    where = pieces(talk, replace(outer, of=Things()), True)
    filled = {'where': where.text(), 'tail': where.tail(), 'ns': pieces(talk, outer.of, True).text()}
    return talk.fill(lists('frames')['which_are'], filled)


def _which_of(talk: Talk, asked: _Several) -> str | None:
    return (which(talk, asked.node, True) or None) if asked.modifiers and not asked.mass and talk.chance(0.35) else None


def _alike(talk: Talk, asked: _Several) -> str | None:
    last = asked.modifiers[-1] if asked.modifiers else None
    return _all_like(talk, asked.node, last) if isinstance(last, Like) else None


def _any(talk: Talk, asked: _Several) -> str | None:
    if not talk.chance(0.2) or asked.mass:
        return None
    if is_bare(asked.base) and talk.chance(0.5):
        return _frame(talk, 'indefinite', phrase(talk, asked.node, False, 'any'), False)
    return _frame(talk, 'any', phrase(talk, asked.node, True, talk.choose(('any', 'none', 'any'))), True)


def _every(talk: Talk, asked: _Several) -> str | None:
    if not talk.chance(0.18) or asked.mass or isinstance(asked.base, Parts):
        return None
    if is_bare(asked.base):
        many = talk.chance(0.5)
        return _frame(talk, 'plural' if many else 'definite', phrase(talk, asked.node, many, 'all'), many)
    np = phrase(talk, asked.node, False, talk.choose(('every', 'each', 'every', 'any')))
    return _frame(talk, 'indefinite' if np.startswith('any ') else 'definite', np, False)


ALL_FORMS: tuple[Callable[[Talk, _Several], str | None], ...] = (
    *(_all_needed, _are_there, _all_commanded, _in_corner, _as_heap, _by_whole_table, _which_there),
    *(_which_serve, _which_are, _which_of, _alike, _any, _every),
)
"""The forms in which all of a set is asked for, tried in this order; each draws whether it is used."""


def _all_like(talk: Talk, node: Node, outer: Like) -> str:
    """Return a request for all that fits a free text, whose words are those of one thing or of many already."""
    base = split(node)[0]
    if isinstance(node, Like) and (asked := deed(talk, node, True)) is not None:
        return asked
    if is_bare(base) and outer is node and outer.text in stated():
        return talk.fill(lists('frames')['stated'], {'t': outer.text})
    if is_bare(base) and outer is node:
        if _INVERTED.match(outer.text) or (talk.chance(0.4) and is_predicate(outer.text)):
            return f'{talk.choose(("what", "what", "what", "which of these", "which thing"))} {outer.text}?'
        bare = talk.choose(('any', 'all'))
        return _frame(talk, 'indefinite' if bare == 'any' else 'definite', phrase(talk, node, False, bare), False)
    np = phrase(talk, node, True, talk.choose(('the', 'all the', 'any', 'none')))
    many = not (isinstance(base, Filter) and is_mass(base.value))
    return _frame(talk, 'any' if np.startswith('any ') else 'plural', np, many, pieces(talk, node, True).text())


@cache
def stated() -> frozenset[str]:
    """Return the needs that no tag fills: they are said as they are."""
    return frozenset(t.text for t in lists('like')['stated'].all)


def _number(talk: Talk, node: Node, count: int) -> str:
    if (command := _command(talk, node, count)) is not None:
        return command
    return _frame(talk, 'plural' if talk.chance(0.4) else 'definite', phrase(talk, node, True, count), True)


def _free(talk: Talk, node: FreeSpace) -> str:
    if talk.chance(0.12):
        return _frame(talk, 'definite', f'{talk.choose(("the", "a", "a"))} {free_space(talk, node)}', False)
    out: dict[str, str] = {}
    key = 'ask'
    if node.on is not None:
        out['a'], several = anchor_phrase(talk, node.on)
        out |= ANCHOR[several]
        key += '.on'
    if node.thing:
        out['t'], out['n'] = thing_phrase(talk, node.thing), node.thing
        key += '.thing'
    if node.size:
        out['m'] = length(talk, node.size)
        key += '.size'
    return talk.fill(lists('free_space')[key], out)
