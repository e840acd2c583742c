"""Random sensible programs, with the order of nodes that phrasing and parser use (see the package's docstring)."""

from bisect import bisect
from collections.abc import Callable
from itertools import accumulate
import random

from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.nodes import (
    Everything,
    Filter,
    FreeSpace,
    Like,
    Node,
    Parts,
    Quantity,
    Rank,
    Relate,
    Select,
    Things,
    Union,
)
from converseg_ros.programs.phrasing import words
from converseg_ros.programs.phrasing.draw_sets import (
    acting,
    anchor,
    base_of,
    countable,
    counted,
    look,
    maybe_look,
    named,
    noun,
    quantity,
    ranked,
    related,
    select,
    surface,
    thing,
)
from converseg_ros.programs.phrasing.draw_tags import draw_need, draw_tag
from converseg_ros.programs.phrasing.draw_unions import draw_exception, draw_looks, draw_union
from converseg_ros.programs.phrasing.free_text import free_text, plural_verb
from converseg_ros.programs.phrasing.words import weights

BESIDE = ('next_to', 'next_to', 'near', 'left_of', 'right_of', 'behind', 'in_front_of', 'between', 'far_from')
SIZES = (0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0)


LIKES = (
    'behind', 'behind', 'behind', 'verb', 'verb', 'adjective', 'adjective', 'asked', 'many', 'part', 'superlative',
    'stated', 'deed', 'deed', 'doing', 'doing',
)  # fmt: skip
"""Kinds of free text, with their frequencies."""


def draw(rng: random.Random) -> Node:
    """Return a random program that somebody could ask for."""
    return FORMS[bisect(SUMS, rng.random() * SUMS[-1])][0](rng)


def _plain(rng: random.Random) -> Node:
    if rng.random() < 0.05:
        return Select('all' if rng.random() < 0.7 else 'one', Filter('name', 'person'))
    return select(rng, named(rng))


def _looking(rng: random.Random) -> Node:
    return select(rng, look(rng, thing(rng, 0.2)))


def _state(rng: random.Random) -> Node:
    node: Node = Filter('state', rng.choice(v.STATES), maybe_look(rng, thing(rng, 0.25), 0.15))
    return select(rng, related(rng, node, 1, simple=True) if rng.random() < 0.35 else node)


def _physics(rng: random.Random) -> Node:
    node: Node = Filter('physics', rng.choice(v.PHYSICS), thing(rng, 0.65))
    if rng.random() < 0.2:
        node = related(rng, node, 1, simple=True)
    return Select('all', node) if rng.random() < 0.7 else select(rng, node)


def _region(rng: random.Random) -> Node:
    value = rng.choice(v.REGIONS)
    node = Filter('region', value, maybe_look(rng, thing(rng, 0.3), 0.2))
    if value in ('left', 'right', 'top', 'bottom') and rng.random() < 0.75:
        return Select('all', node)
    return select(rng, node)


def _relation(rng: random.Random) -> Node:
    node = noun('person') if rng.random() < 0.06 else maybe_look(rng, thing(rng, 0.3), 0.25)
    if rng.random() < 0.12 and not (isinstance(node, Filter) and words.is_somebody(node.value)):
        node = Filter('state', rng.choice(v.STATES), node)
    node = related(rng, node)
    if isinstance(base_of(node), Things | Everything) and rng.random() < 0.6:
        return Select('all', node)
    return select(rng, node)


def _two_relations(rng: random.Random) -> Node:
    return select(rng, related(rng, related(rng, thing(rng, 0.1), simple=True), 1, simple=True))


def _rank(rng: random.Random) -> Node:
    of = maybe_look(rng, thing(rng, 0.25), 0.2)
    of = Filter('state', rng.choice(v.STATES), of) if rng.random() < 0.1 else of
    return counted(ranked(rng, related(rng, of, 1, simple=True) if rng.random() < 0.3 else of))


def _of_two(rng: random.Random) -> Node:
    """Return a set such as 'the left one of the two bowls'."""
    of = maybe_look(rng, thing(rng, 0.1), 0.2)
    of = related(rng, of, 1, simple=True) if rng.random() < 0.35 else of
    number = rng.choice((2, 2, 2, 3, 4))
    if number == 3 and rng.random() < 0.5:
        return Select('one', Rank('x', 'min', Select(3, of if countable(of) else Things()), first=2))
    return counted(ranked(rng, Select(number, of if countable(of) else Things()), plain=True))


def _act(rng: random.Random) -> Node:
    node = acting(rng)
    if isinstance(base_of(node), Everything) and rng.random() < 0.75:
        return Select('all', node)
    return select(rng, node)


def _part(rng: random.Random) -> Node:
    name = 'grip' if rng.random() < 0.3 else words.draw_part(rng)
    at = rng.random()
    many: Quantity = 'one' if name == 'grip' or at < 0.75 else 'all'
    if at > 0.92 and many == 'all' and not words.is_plural_only(name):
        many = rng.choice((2, 2, 3, 4))
    part: Node = Parts(name, anchor(rng))
    if name != 'grip' and rng.random() < 0.2:  # the red cap of the bottle
        part = (
            look(rng, part) if rng.random() < 0.8 else Filter('state', rng.choice(('open', 'closed', 'hidden')), part)
        )
    return Select(many, part)


def _free(rng: random.Random) -> Node:
    at = rng.random()
    on = surface(rng) if rng.random() < 0.6 else None
    return FreeSpace(on, words.draw_noun(rng) if at < 0.6 else '', rng.choice(SIZES) if at > 0.85 or at < 0.03 else 0.0)


def _compare(rng: random.Random) -> Node:
    """Return which of two named things is taller."""
    two = (_one_named(rng), _one_named(rng))
    if rng.random() < 0.25:
        of = named(rng)
        red, blue = (Filter('colour', weights('colours').draw(rng), of) for _ in range(2))
        two = (red, blue) if red != blue else two
    rank = ranked(rng, Union(two), plain=True)
    return counted(rank)


def _one_named(rng: random.Random) -> Node:
    return maybe_look(rng, named(rng), 0.3)


def _corner(rng: random.Random) -> Node:
    first, second = rng.choice(('top', 'bottom', 'far', 'near')), rng.choice(('left', 'right'))
    return select(rng, Filter('region', second, Filter('region', first, maybe_look(rng, thing(rng, 0.3), 0.2))))


def _several(rng: random.Random) -> Node:
    """Return a noun with two or three conditions of different kinds, at times the extreme of them."""
    node: Node = noun(words.draw_person(rng)) if rng.random() < 0.12 else thing(rng, 0.12)
    somebody = isinstance(node, Filter) and words.is_somebody(node.value)
    kinds = rng.sample(('look', 'state', 'relation', 'relation', 'like', 'act', 'act'), rng.choice((2, 2, 2, 3)))
    if 'look' in kinds:
        node = look(rng, node)
    if 'state' in kinds and not somebody:
        node = Filter('state', rng.choice(v.STATES), node)
    for _ in range(kinds.count('relation')):
        node = related(rng, node, 1, simple=True)
    for _ in range(kinds.count('act') if isinstance(base_of(node), Filter) else 0):
        node = acting(rng, node)
    if 'like' in kinds:
        node = Like(free_text(rng, 'behind'), node)
    if rng.random() < 0.25 and not somebody:
        return counted(ranked(rng, node, plain=True))
    return select(rng, node)


def _group(rng: random.Random) -> Node:
    """Return a row, a heap or a stack of a noun."""
    of = named(rng)
    if not countable(of):
        return _plain(rng)
    if rng.random() < 0.45:
        return Select('all', Filter('state', 'stacked', of))
    return Select('all', Like(rng.choice(words.free('group')), of))


def _space_somewhere(rng: random.Random) -> Node:
    """Return the free space next to something, or in a part of the image."""
    on = surface(rng) if rng.random() < 0.5 else None
    free = FreeSpace(on if rng.random() < 0.7 else None, words.draw_noun(rng) if rng.random() < 0.5 else '')
    if rng.random() < 0.25:
        return Filter('region', rng.choice(v.REGIONS), free)
    relation = rng.choice(BESIDE)
    return Relate(relation, free, anchor(rng, 2), anchor(rng, 2) if relation == 'between' else None)


def _like(rng: random.Random) -> Node:
    kind = rng.choice(LIKES)
    text = free_text(rng, kind)
    if kind in ('asked', 'stated'):
        return Select('all', Like(text))
    if kind in ('deed', 'doing'):
        of: Node = Everything() if rng.random() < 0.55 else named(rng)
        return Select('all' if rng.random() < 0.55 else 'one', Like(text, of))
    if kind == 'part':
        return Select('one', Like(text, Parts('part', named(rng))))
    if kind == 'superlative':
        return Select('one', Like(text, named(rng) if rng.random() < 0.8 else Everything()))
    of = Everything() if kind != 'many' and rng.random() < 0.4 else named(rng)
    many = 'all' if kind == 'many' else quantity(rng)
    if isinstance(of, Everything):
        return Select('one' if many == 'one' else 'all', Like(text, of))
    if not countable(of) and many != 'all':
        many = 'one'
    plural = words.is_plural_only(getattr(of, 'value', '')) or many != 'one'
    node: Node = Like(plural_verb(text) if kind == 'verb' and plural else text, of)
    at = rng.random()
    if at < 0.12 and kind != 'many':  # the box with the red label on the shelf
        node = related(rng, node, 1, simple=True)
    elif at < 0.2 and kind != 'many':
        return counted(ranked(rng, node, plain=True))
    elif at < 0.3 and kind != 'many':
        node = look(rng, node)
    return Select(many, node)


FORMS: tuple[tuple[Callable[[random.Random], Node], int], ...] = (
    (_plain, 6), (_looking, 8), (_state, 8), (_physics, 7), (_region, 5), (_corner, 1), (draw_tag, 28), (draw_need, 2),
    (_relation, 22), (_two_relations, 4), (_rank, 16), (_of_two, 4), (_compare, 2), (_act, 10), (_part, 8), (_free, 8),
    (_space_somewhere, 3), (draw_union, 4), (draw_looks, 1), (draw_exception, 10), (_several, 12), (_like, 12),
    (_group, 1),
)  # fmt: skip
SUMS = tuple(accumulate(weight for _, weight in FORMS))
