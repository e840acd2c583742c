"""Phrasings of programs."""

from dataclasses import replace
import random
from typing import Literal

from converseg_ros.programs.nodes import (
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Rank,
    Relate,
    Select,
    Union,
)
from converseg_ros.programs.phrasing.amounts import length, number
from converseg_ros.programs.phrasing.constructions import constructed
from converseg_ros.programs.phrasing.frames import Asked, Form, command, first_used, frame, use_there, whole_table
from converseg_ros.programs.phrasing.noun_phrase import (
    anchor_phrase,
    free_space,
    phrase,
    pieces,
    values,
)
from converseg_ros.programs.phrasing.predicates import thing_phrase, word_for
from converseg_ros.programs.phrasing.properties import (
    entry,
    is_bare,
    is_predicate,
    is_superlative,
    rearranged,
    split,
)
from converseg_ros.programs.phrasing.questions import deed, use, which
from converseg_ros.programs.phrasing.several import ask_all
from converseg_ros.programs.phrasing.talk import ANCHOR, Talk
from converseg_ros.programs.phrasing.templates import Part, lists, tidy
from converseg_ros.programs.phrasing.words import is_mass, is_plural_only
from converseg_ros.programs.vocabulary import COLOURS

ONE_DETERMINERS = (
    *('the',) * 24, 'my', 'my', 'that', 'that', 'this', 'this', 'your', 'our', 'none', 'none', 'none', 'the only',
)  # fmt: skip
LOOKS = ('colour', 'material')


Style = Literal['any', 'phrase']


def say(node: Node, rng: random.Random, part: Part = 'all', style: Style = 'any') -> str:
    """Return a random request with the meaning of a program.

    part: the templates that may be used. style: 'phrase' gives a noun phrase alone ("the red mugs on the table"), 'any'
    commands, questions, needs and noun phrases. Raise InputError for a program without phrases.
    """
    talk = Talk(rng, part)
    return tidy(_phrase(talk, node) if style == 'phrase' else request(talk, rearranged(node, rng)))


def _phrase(talk: Talk, node: Node) -> str:
    if isinstance(node, Union):
        return phrase(talk, node, True, 'the')
    quantity, of = (node.quantity, node.of) if isinstance(node, Select) else ('all', node)
    base = split(of)[0]
    if quantity == 'all' and not isinstance(base, FreeSpace):
        return phrase(talk, of, not is_bare(base), 'all' if is_bare(base) else talk.choose(('the', 'all the')))
    many = (isinstance(quantity, int) and quantity > 1) or (isinstance(base, Filter) and is_plural_only(base.value))
    return phrase(talk, of, many, quantity if isinstance(quantity, int) else 'the')


def request(talk: Talk, node: Node) -> str:
    """Return a request with the meaning of a program, before its spaces and articles are tidied."""
    if (whole := constructed(talk, node, request)) is not None:
        return whole
    if isinstance(node, FreeSpace):
        return _free(talk, node)
    if isinstance(split(node)[0], FreeSpace):
        return _space(talk, node)
    if isinstance(node, Select) and (of := _shared(talk, node)) is not None:
        return of
    if isinstance(node, Union):
        both = 'both ' if len(node.of) == 2 and talk.chance(0.12) else ''
        return frame(talk, 'definite', both + phrase(talk, node, True, 'the'), True)
    if isinstance(node, Select):
        if node.quantity in ('one', 1):
            return _one(talk, node.of)
        if node.quantity == 'all':
            return ask_all(talk, node.of)
        return _number(talk, node.of, int(node.quantity))
    return ask_all(talk, node)


def _space(talk: Talk, node: Node) -> str:
    """Return a request for free space next to something or in a part of the image."""
    base, modifiers = split(node)
    only = modifiers[0] if len(modifiers) == 1 else None
    if isinstance(base, FreeSpace) and base.thing and isinstance(only, Relate) and 'be' in entry(only)[0]:
        where = talk.fill(entry(only)[0]['be'], values(talk, only, False))
        on = f'on {anchor_phrase(talk, base.on)[0]}' if base.on is not None else ''
        filled = {'t': thing_phrase(talk, base.thing), 'where': where, 'on': on}
        return talk.fill(lists('free_space')['put'], filled)
    np = phrase(talk, node, False, talk.choose(('the', 'a', 'some', 'any', 'none')))
    return frame(talk, 'space', np, False)


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
    return frame(talk, 'plural' if many else 'indefinite', determiner + np, many)


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
    asked = Asked.of(node)
    if (text := first_used(ONE_FORMS, talk, asked)) is not None:
        return text
    determiner = talk.choose(ONE_DETERMINERS)
    last = asked.last
    contrast = _contrast(talk, last) if last is not None and not asked.many and talk.chance(0.04) else None
    if contrast is not None:
        return talk.fill(lists('negation')['contrast'], {'t': phrase(talk, node, asked.many, 'the'), 'w': contrast})
    if isinstance(last, Rank) or isinstance(asked.base, Parts):
        determiner = 'none' if talk.chance(0.06) else 'the'
    return frame(talk, 'definite', phrase(talk, node, asked.many, determiner), asked.many)


def _taller(talk: Talk, asked: Asked) -> str | None:
    node = asked.node
    if isinstance(node, Rank) and isinstance(node.of, Union) and len(node.of.of) == 2:
        return _compared(talk, node, node.of)
    return None


def _which_of(talk: Talk, asked: Asked) -> str | None:
    """Return 'which of the two mugs is taller'."""
    node = asked.node
    if not isinstance(node, Rank) or not isinstance(node.of, Select) or not isinstance(node.of.quantity, int):
        return None
    table, _ = entry(node)
    slot = 'comp' if node.of.quantity == 2 else 'pre'
    if slot not in table or node.first > 1 or node.count > 1 or not talk.chance(0.4):
        return None
    filled = {'k': number(talk, node.of.quantity), 'ns': pieces(talk, node.of.of, True).text()}
    return talk.fill(lists('frames')['which_of'], {**filled, 'c': talk.fill(table[slot], {})})


def _commanded(talk: Talk, asked: Asked) -> str | None:
    return command(talk, asked.node, 'one')


def _whose_part(talk: Talk, asked: Asked) -> str | None:
    if isinstance(asked.base, Parts) and not asked.modifiers and (asked.base.noun == 'grip' or talk.chance(0.4)):
        return _part(talk, asked.base)
    return None


def _by_whole_table(talk: Talk, asked: Asked) -> str | None:
    """Return the question of a table for a complete property, act or relation."""
    whole = whole_table(asked.node)
    if whole is None:
        return None
    table, modifier = whole
    if 'ask_one' in table and not (isinstance(modifier, Rank) and modifier.first > 1) and talk.chance(0.3):
        return talk.fill(table['ask_one'], values(talk, modifier, False)) + talk.choose(('?', '?', ''))
    return use(talk, table, modifier, 'ask_one') if 'use' in table and talk.chance(0.75) else None


def _with_there(talk: Talk, asked: Asked) -> str | None:
    return use_there(talk, asked.base, asked.modifiers, 'ask_one_there')


def _deed(talk: Talk, asked: Asked) -> str | None:
    return deed(talk, asked.node, False) if isinstance(asked.node, Like) else None


def _what_fits(talk: Talk, asked: Asked) -> str | None:
    """Return 'what would a plumber use' for a free text that is a predicate."""
    node = asked.node
    if not isinstance(node, Like) or asked.many or not talk.chance(0.4):
        return None
    if is_superlative(node.text):
        predicate = f'is {talk.choose(("the ", "the ", ""))}{node.text}'
    elif is_predicate(node.text):
        predicate = node.text
    else:
        return None
    frames = lists('frames')['what_one' if is_bare(asked.base) else 'which_one']
    nouns = {'n': pieces(talk, node.of, False).text(), 'ns': pieces(talk, node.of, True).text()}
    return talk.fill(frames, {**nouns, 'p': predicate, 'p1': predicate})


def _which(talk: Talk, asked: Asked) -> str | None:
    if not asked.modifiers or asked.many or not talk.chance(0.3):
        return None
    return which(talk, asked.node, False) or None


def _is_a(talk: Talk, asked: Asked) -> str | None:
    base = asked.base
    if asked.modifiers or not isinstance(base, Filter) or asked.many or asked.mass or not talk.chance(0.06):
        return None
    return talk.fill(lists('frames')['is_a'], {'n': base.value})


def _indefinite(talk: Talk, asked: Asked) -> str | None:
    """Return a request for any one member: 'a mug', 'one of the mugs'."""
    node, base, many = asked.node, asked.base, asked.many
    if isinstance(asked.last, Rank) or isinstance(base, Parts) or not talk.chance(0.25):
        return None
    if not many and not asked.mass and talk.chance(0.08):
        return talk.fill(lists('frames')['any_one'], {'np': phrase(talk, node, False, 'any')})
    np = phrase(talk, node, many, 'some' if many else 'a')
    counted = not (many or is_bare(base) or isinstance(base, Union) or is_mass(getattr(base, 'value', '')))
    if counted and talk.chance(0.15):
        np = f'{talk.choose(("one", "one", "any one", "just one", "any"))} of {phrase(talk, node, True, "the")}'
    return frame(talk, 'indefinite', np, many)


ONE_FORMS: tuple[Form, ...] = (
    *(_taller, _which_of, _commanded, _whose_part, _by_whole_table, _with_there, _deed, _what_fits, _which, _is_a),
    _indefinite,
)
"""The forms of a request for one thing, tried in this order; each draws whether it is used."""


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


def _number(talk: Talk, node: Node, count: int) -> str:
    if (commanded := command(talk, node, count)) is not None:
        return commanded
    return frame(talk, 'plural' if talk.chance(0.4) else 'definite', phrase(talk, node, True, count), True)


def _free(talk: Talk, node: FreeSpace) -> str:
    if talk.chance(0.12):
        return frame(talk, 'definite', f'{talk.choose(("the", "a", "a"))} {free_space(talk, node)}', False)
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
