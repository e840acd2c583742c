"""Random sets for programs: nouns with colours and materials, relations, places in an order."""

import random
from typing import Literal, cast

from converseg_ros.knowledge import thing as known_thing
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.nodes import (
    Act,
    Everything,
    Except,
    Filter,
    Like,
    Node,
    Order,
    Parts,
    Quantity,
    Rank,
    Relate,
    Select,
    Things,
)
from converseg_ros.programs.phrasing import words
from converseg_ros.programs.phrasing.free_text import free_text
from converseg_ros.programs.phrasing.templates import entries
from converseg_ros.programs.phrasing.words import weights

ON_EVERYTHING = frozenset({'supports', 'contains', 'covers', 'hides', 'part_of'})
"""Relations that may hold for a surface, a structure or an agent: without a noun they apply to everything."""
PERSONS = frozenset(
    {'holding', 'using', 'sitting', 'facing', 'reaching', 'carrying', 'riding', 'wearing', 'watching', 'eating'}
    | {'drinking', 'writing'}
)
"""Actions in which the other participant of a patient is a person or a hand."""
PATIENTS = {'wearing': 'clothes', 'eating': 'food', 'sitting': 'furniture', 'riding': 'rideable'}
"""Groups of nouns of the patients of these actions."""
GENERIC = ('next_to', 'next_to', 'on', 'behind', 'near')
HARD_TO_NEST = frozenset({'part_of', 'covers', 'falls_without', 'own_left_of', 'own_right_of', 'facing', 'hides'})


def quantity(rng: random.Random) -> Quantity:
    """Return the quantity of a selection."""
    at = rng.random()
    return 'one' if at < 0.62 else 'all' if at < 0.9 else rng.choice((2, 2, 2, 3, 3, 4, 5))


def base_of(node: Node) -> Node:
    """Return the base of a set: a noun, or things in general."""
    while isinstance(node, Filter | Relate | Act | Like | Except | Rank):
        if isinstance(node, Filter) and node.by == 'name':
            break
        node = node.of
    return node


def countable(node: Node) -> bool:
    """Return whether the base of a set is countable."""
    base = base_of(node)
    return not (isinstance(base, Filter) and (words.is_mass(base.value) or words.is_plural_only(base.value)))


def select(rng: random.Random, node: Node) -> Node:
    """Return the set with a quantity."""
    many = quantity(rng)
    return Select(many if many == 'all' or countable(node) else 'one', node)


def counted(node: Rank) -> Node:
    """Return a superlative with its quantity."""
    return Select(node.count if node.count > 1 else 'one', node)


def noun(name: str) -> Node:
    """Return everything of a noun."""
    return Filter('name', name)


def named(rng: random.Random) -> Node:
    """Return everything of a random noun."""
    return noun(words.draw_noun(rng))


def thing(rng: random.Random, bare: float = 0.2) -> Node:
    """Return a noun, or things in general."""
    return Things() if rng.random() < bare else named(rng)


def look(rng: random.Random, of: Node) -> Node:
    """Return `of` with a colour or a material, or both."""
    at = rng.random()
    if at < 0.05 or at > 0.6:
        of = Filter('material', _material(rng, of), of)
    if at < 0.02:  # black and white
        of = Filter('colour', weights('colours').draw(rng), of)
    return Filter('colour', weights('colours').draw(rng), of) if at < 0.6 else of


def _material(rng: random.Random, of: Node) -> str:
    """Return a material, mostly one that is usual for the noun."""
    known = known_thing(of.value) if isinstance(of, Filter) and of.by == 'name' else None
    usual = [m for m in known.materials if m in v.MATERIALS] if known else []
    return rng.choice(usual) if usual and rng.random() < 0.7 else weights('materials').draw(rng)


def maybe_look(rng: random.Random, of: Node, often: float) -> Node:
    """Return `of`, sometimes with a colour or a material."""
    return look(rng, of) if rng.random() < often else of


def anchor(rng: random.Random, depth: int = 0) -> Node:
    """Return an anchor of a relation: a named object, sometimes with a property or a relation of its own."""
    at = rng.random()
    node = named(rng)
    if at < 0.55:
        return node
    if at < 0.58:
        return Parts(words.draw_part(rng), node)
    if at < 0.6:
        return Select(rng.choice((2, 2, 3)), node) if countable(node) else node
    if at < 0.62:
        return Filter('colour', weights('colours').draw(rng), Things())
    if at < 0.8:
        return look(rng, node)
    if at < 0.83:
        return Filter('state', rng.choice(v.STATES[:7]), node)
    if at < 0.88:
        return Like(free_text(rng, rng.choice(('behind', 'behind', 'adjective'))), node)
    if at < 0.91:
        of = node if rng.random() < 0.7 else Things()
        return ranked(rng, maybe_look(rng, of, 0.3), depth + 1, plain=True)
    if depth < 2:
        return related(rng, node, depth + 1, simple=True)
    return node


def surface(rng: random.Random, depth: int = 0) -> Node:
    """Return a surface that objects stand on."""
    node = noun(words.draw_surface(rng)) if rng.random() < 0.7 else named(rng)
    at = rng.random()
    if at < 0.15:
        return look(rng, node)
    return related(rng, node, depth + 1, simple=True) if at < 0.21 and depth < 2 else node


def related(rng: random.Random, of: Node, depth: int = 0, simple: bool = False) -> Node:
    """Return `of` with a relation; `simple` excludes those that are hard to express inside of others."""
    relation = weights('relations').draw(rng)
    if simple and relation in HARD_TO_NEST:
        relation = rng.choice(GENERIC)
    if isinstance(of, Things) and relation in ON_EVERYTHING:
        of = Everything()
    if relation in ('facing', 'on', 'in') and isinstance(of, Filter) and words.is_somebody(of.value):
        relation = 'next_to'
    if relation in ('on', 'under') and rng.random() < 0.65:
        return Relate(relation, of, surface(rng, depth))
    if relation == 'in' and rng.random() < 0.65:
        return Relate(relation, of, maybe_look(rng, noun(rng.choice(words.containers())), 0.2))
    if relation in ('own_left_of', 'own_right_of', 'facing') and rng.random() < 0.6:
        return Relate(relation, of, noun(words.draw_person(rng)))
    if relation == 'between':
        if rng.random() < 0.25:
            return Relate(relation, of, named(rng))
        return Relate(relation, of, anchor(rng, 2), anchor(rng, 2))
    return Relate(relation, of, anchor(rng, depth + 1))


def ranked(rng: random.Random, of: Node, depth: int = 0, plain: bool = False) -> Rank:
    """Return a place of `of` in an order; `plain` selects the extreme."""
    key = weights('ranks').draw(rng)
    order: Order = rng.choice(('max', 'min') if key != 'distance_to' else ('min', 'min', 'min', 'min', 'max'))
    at = rng.random()
    first = count = 1
    if not plain and countable(of):
        if 0.72 < at < 0.88 and {'pre', 'sup', 'nth', 'from'} & entries('ranks')[f'{key}.{order}'].keys():
            first = rng.choice((2, 2, 2, 3, 3, 4, 5))
        elif at > 0.88:
            count = rng.choice((2, 2, 2, 3, 3, 4))
    return Rank(key, order, of, first, count, anchor(rng, depth + 1) if key == 'distance_to' else None)


def acting(rng: random.Random, of: Node | None = None) -> Node:
    """Return a participant of an action, with or without a noun, and with or without the other participant."""
    kind, role, *other = weights('acts').draw(rng).split('.')
    if of is None:
        somebody = role == 'agent' and kind != 'plugging'  # "who" is a person
        bare = rng.random() < 0.6
        of = noun('person') if bare and somebody else Everything() if bare else None
        of = of or maybe_look(rng, _actor(rng, kind, role), 0.15)
    partner = _partner(rng, kind, role) if other else None
    return Act(kind, cast(Literal['agent', 'patient', 'instrument', 'uninvolved'], role), of, partner)


def _actor(rng: random.Random, kind: str, role: str) -> Node:
    if role == 'agent' and kind != 'plugging':
        return noun(words.draw_person(rng))
    return _patient(rng, kind)


def _patient(rng: random.Random, kind: str) -> Node:
    if kind in ('pouring', 'drinking') and rng.random() < 0.4:
        return noun(rng.choice(words.contents()))
    return noun(rng.choice(words.group(PATIENTS[kind]))) if kind in PATIENTS else named(rng)


def _partner(rng: random.Random, kind: str, role: str) -> Node:
    if not (role == 'patient' and kind in PERSONS) and kind != 'writing':
        return maybe_look(rng, _patient(rng, kind), 0.15)
    if kind == 'holding' and rng.random() < 0.3:
        return noun(rng.choice(words.group('hands')))
    person = noun(words.draw_person(rng))
    at = rng.random()
    if at < 0.05:
        return look(rng, person)
    if at < 0.12:
        return Act('wearing', 'agent', person, maybe_look(rng, noun(rng.choice(words.group('clothes'))), 0.6))
    return related(rng, person, 2, simple=True) if at < 0.17 else person
