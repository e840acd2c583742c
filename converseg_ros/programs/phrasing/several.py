"""The forms of a request for all members of a set."""

from dataclasses import replace
from functools import cache
import re

from converseg_ros.knowledge import plural
from converseg_ros.programs.nodes import (
    Act,
    Filter,
    Like,
    Node,
    Parts,
    Relate,
    Things,
    Union,
)
from converseg_ros.programs.phrasing.frames import Asked, Form, command, first_used, frame, use_there, whole_table
from converseg_ros.programs.phrasing.noun_phrase import (
    phrase,
    pieces,
    values,
)
from converseg_ros.programs.phrasing.properties import (
    corner,
    entry,
    is_bare,
    is_person,
    is_predicate,
    split,
)
from converseg_ros.programs.phrasing.questions import deed, use, which
from converseg_ros.programs.phrasing.talk import Talk, agreement
from converseg_ros.programs.phrasing.templates import data, entries, lists
from converseg_ros.programs.phrasing.words import free, is_mass

ALL_DETERMINERS = (
    *('the',) * 8, *('all the',) * 8, 'all', 'all', 'none', 'none', 'none', 'all of the', 'these', 'those',
    'every one of the', 'each of the',
)  # fmt: skip
_INVERTED = re.compile(r'(would|could|should|does|do) (a|I|you|the|my)\b')  # what "would a plumber use"


def _need(talk: Talk, node: Union) -> str | None:
    """Return a request for a need that several tags fulfil together, or None for another union."""
    name = unions().get(node.of)
    if name is None:
        return None
    table = entries('needs')[name]
    if 'be' not in table or talk.chance(0.6):
        return talk.fill(table['ask'], {}) + talk.choose(('?', '?', ''))
    slot = talk.choose([s for s in ('be', 'verb', 'pre') if s in table])
    many, one = (talk.fill(table[slot], agreement(m)) for m in (True, False))
    if slot == 'pre':
        return frame(talk, 'plural', f'{talk.choose(("the", "all the", "all", "any", ""))} {many} things', True)
    filled = {'p': many, 'p1': one} if slot == 'verb' else {'p': f'are {many}', 'p1': f'is {one}'}
    return talk.fill(lists('frames')['what_all'], filled)


def _heap(talk: Talk, node: Node) -> str | None:
    """Return 'the stack of plates' for stacked plates, 'the row of chairs' for that free text, else None."""
    if not isinstance(node, Filter | Like) or not isinstance(node.of, Filter) or node.of.by != 'name':
        return None
    if isinstance(node, Like):
        word = node.text if node.text in free('group') else ''
    else:
        word = talk.choose(('stack', 'pile')) if node.value == 'stacked' and talk.chance(0.4) else ''
    return f'the {talk.choose(("", "", "", "whole "))}{word} of {pieces(talk, node.of, True).text()}' if word else None


@cache
def unions() -> dict[tuple[Node, ...], str]:
    """Return the names of needs by the unions of their tags."""
    return {tuple(Filter('tag', tag) for tag in tags): name for name, tags in data('unions').items()}


def ask_all(talk: Talk, node: Node) -> str:
    """Return a request for all members of a set."""
    asked = Asked.of(node)
    if (text := first_used(ALL_FORMS, talk, asked)) is not None:
        return text
    determiner = talk.choose(ALL_DETERMINERS)
    if is_bare(asked.base) and determiner == 'the' and talk.chance(0.7):
        return frame(talk, 'plural', phrase(talk, node, False, 'all'), False)
    bare = pieces(talk, node, True).text()
    return frame(talk, 'plural', phrase(talk, node, True, determiner), not asked.mass, bare)


def _all_needed(talk: Talk, asked: Asked) -> str | None:
    return _need(talk, asked.node) if isinstance(asked.node, Union) else None


def _are_there(talk: Talk, asked: Asked) -> str | None:
    base = asked.base
    if asked.modifiers or not isinstance(base, Filter) or asked.mass or asked.many:
        return None
    return talk.fill(lists('frames')['are'], {'n': base.value, 'ns': plural(base.value)}) if talk.chance(0.12) else None


def _all_commanded(talk: Talk, asked: Asked) -> str | None:
    return command(talk, asked.node, 'all')


def _who_is_there(talk: Talk, asked: Asked) -> str | None:
    return talk.fill(lists('frames')['who'], {}) if is_person(asked.node) and talk.chance(0.4) else None


def _in_corner(talk: Talk, asked: Asked) -> str | None:
    if not is_bare(asked.base) or len(asked.modifiers) != 2 or (place := corner(asked.modifiers)) is None:
        return None
    filled = lists('frames')['corner'], lists('corners')[place]
    return talk.fill(filled[0], {'c': talk.fill(filled[1], {})}) if talk.chance(0.4) else None


def _as_heap(talk: Talk, asked: Asked) -> str | None:
    heap = _heap(talk, asked.node)
    return None if heap is None else frame(talk, 'definite', heap, False)


def _by_whole_table(talk: Talk, asked: Asked) -> str | None:
    """Return the question of a table for a complete property, act or relation."""
    whole = whole_table(asked.node)
    if whole is None:
        return None
    table, modifier = whole
    related = isinstance(modifier, Relate | Act) or 'use' not in table
    if 'ask' in table and (related or talk.chance(0.65)) and talk.chance(0.65):
        return talk.fill(table['ask'], values(talk, modifier, False)) + talk.choose(('?', '?', ''))
    return use(talk, table, modifier, 'ask') if 'use' in table and talk.chance(0.8) else None


def _which_there(talk: Talk, asked: Asked) -> str | None:
    return use_there(talk, asked.base, asked.modifiers, 'ask_there')


def _which_serve(talk: Talk, asked: Asked) -> str | None:
    """Return 'which of the knives cut bread' for a use of some members of a kind."""
    if not asked.modifiers or asked.mass or whole_table(asked.node) is not None or not talk.chance(0.25):
        return None
    last = asked.modifiers[-1]
    if not isinstance(last, Filter) or last.by != 'tag' or 'use' not in entry(last)[0] or is_bare(asked.base):
        return None
    verb = talk.fill(entry(last)[0]['use'], values(talk, last, True))
    one, many = pieces(talk, last.of, False), pieces(talk, last.of, True)
    return talk.fill(lists('uses')['which'], {'v': verb, 'n': one.text(), 'ns': many.text()})


def _which_are(talk: Talk, asked: Asked) -> str | None:
    """Return 'which mugs are on the shelf'."""
    outer = asked.last
    if not isinstance(outer, Relate) or not isinstance(outer.of, Filter) or asked.mass or not talk.chance(0.12):
        return None
    where = pieces(talk, replace(outer, of=Things()), True)
    filled = {'where': where.text(), 'tail': where.tail(), 'ns': pieces(talk, outer.of, True).text()}
    return talk.fill(lists('frames')['which_are'], filled)


def _which_of(talk: Talk, asked: Asked) -> str | None:
    return (which(talk, asked.node, True) or None) if asked.modifiers and not asked.mass and talk.chance(0.35) else None


def _alike(talk: Talk, asked: Asked) -> str | None:
    return _all_like(talk, asked.node, asked.last) if isinstance(asked.last, Like) else None


def _any(talk: Talk, asked: Asked) -> str | None:
    if not talk.chance(0.2) or asked.mass:
        return None
    if is_bare(asked.base) and talk.chance(0.5):
        return frame(talk, 'indefinite', phrase(talk, asked.node, False, 'any'), False)
    return frame(talk, 'any', phrase(talk, asked.node, True, talk.choose(('any', 'none', 'any'))), True)


def _every(talk: Talk, asked: Asked) -> str | None:
    if not talk.chance(0.18) or asked.mass or isinstance(asked.base, Parts):
        return None
    if is_bare(asked.base):
        many = talk.chance(0.5)
        return frame(talk, 'plural' if many else 'definite', phrase(talk, asked.node, many, 'all'), many)
    if talk.chance(0.25):
        return talk.fill(lists('frames')['any_of_all'], {'np': phrase(talk, asked.node, False, 'any')})
    return frame(talk, 'definite', phrase(talk, asked.node, False, talk.choose(('every', 'each', 'every'))), False)


ALL_FORMS: tuple[Form, ...] = (
    *(_all_needed, _are_there, _all_commanded, _who_is_there, _in_corner, _as_heap, _by_whole_table, _which_there),
    *(_which_serve, _which_are, _which_of, _alike, _any, _every),
)
"""The forms of a request for all members, tried in this order; each draws whether it is used."""


def _all_like(talk: Talk, node: Node, outer: Like) -> str:
    """Return a request for all that match a free text, whose verbs may be singular or plural."""
    base = split(node)[0]
    if isinstance(node, Like) and (asked := deed(talk, node, True)) is not None:
        return asked
    if is_bare(base) and outer is node and outer.text in stated():
        return talk.fill(lists('frames')['stated'], {'t': outer.text})
    if is_bare(base) and outer is node:
        if _INVERTED.match(outer.text) or (talk.chance(0.4) and is_predicate(outer.text)):
            return f'{talk.choose(("what", "what", "what", "which of these", "which thing"))} {outer.text}?'
        bare = talk.choose(('any', 'all'))
        return frame(talk, 'indefinite' if bare == 'any' else 'definite', phrase(talk, node, False, bare), False)
    np = phrase(talk, node, True, talk.choose(('the', 'all the', 'any', 'none')))
    many = not (isinstance(base, Filter) and is_mass(base.value))
    return frame(talk, 'any' if np.startswith('any ') else 'plural', np, many, pieces(talk, node, True).text())


@cache
def stated() -> frozenset[str]:
    """Return the needs without tags, which are phrased literally."""
    return frozenset(t.text for t in lists('like')['stated'].all)
