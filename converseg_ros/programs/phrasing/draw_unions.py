"""Random unions of sets, and sets without some of their members."""

import random

from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.nodes import Act, Everything, Except, Filter, Node, Select, Things, Union
from converseg_ros.programs.phrasing import words
from converseg_ros.programs.phrasing.draw_sets import (
    acting,
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
    thing,
)
from converseg_ros.programs.phrasing.draw_tags import able, said_tags
from converseg_ros.programs.phrasing.words import weights


def draw_union(rng: random.Random) -> Node:
    """Return a union of two or three sets: 'the mug and two forks'."""
    several = tuple(_simple(rng) for _ in range(rng.choice((2, 2, 2, 2, 3))))
    at = rng.random()
    if at < 0.55:
        return Union(tuple(_some(rng, x) for x in several))
    return Select('all' if at < 0.8 else 'one', Union(several))


def _some(rng: random.Random, node: Node) -> Node:
    """Return one, all or a few of a set: 'two forks and a knife'."""
    at = rng.random()
    number = at > 0.8 and countable(node)
    return Select(rng.choice((2, 2, 2, 3, 4)) if number else 'one' if at < 0.6 else 'all', node)


def _simple(rng: random.Random) -> Node:
    at = rng.random()
    if at < 0.08:
        return Filter('tag', rng.choice(said_tags()))
    node = named(rng)
    return node if at < 0.6 else look(rng, node) if at < 0.85 else related(rng, node, 1, simple=True)


def draw_looks(rng: random.Random) -> Node:
    """Return one noun with two colours or materials: 'the red and blue mugs', or 'a black and white mug'."""
    of, table, kind = (
        thing(rng, 0.2),
        *rng.choice((('colours', 'colour'), ('colours', 'colour'), ('materials', 'material'))),
    )
    first, second = (weights(table).draw(rng) for _ in range(2))
    members = tuple(Filter(kind, value, of) for value in dict.fromkeys((first, second)))  # type: ignore[arg-type]
    if len(members) == 1:
        return Select('one', members[0])
    return Select('all' if rng.random() < 0.7 or not countable(of) else 'one', Union(members))


def draw_exception(rng: random.Random) -> Node:
    """Return a set without some of its members: 'everything but the bowls'."""
    at = rng.random()
    if at < 0.29:  # everything but the bowls
        of: Node = Things() if rng.random() < 0.5 else related(rng, Things(), 1, simple=True)
        of = maybe_look(rng, of, 0.15)
        several = Union((named(rng), named(rng))) if rng.random() < 0.15 else None
        return Select('all', Except(of, several or (named(rng) if rng.random() < 0.7 else _simple(rng))))
    if at < 0.33:  # people without a helmet
        person = noun('person' if rng.random() < 0.4 else words.draw_person(rng))
        doing = acting(rng, person)
        return select(rng, Except(person, doing) if isinstance(doing, Act) and doing.other else doing)
    if at < 0.37:  # something to sit on other than the sofa
        tag = rng.choice(said_tags())
        of = Filter('tag', tag) if rng.random() < 0.7 else related(rng, Filter('tag', tag), 1, simple=True)
        return Select('all' if rng.random() < 0.5 else 'one', Except(of, able(rng, tag)))
    of = thing(rng, 0.35)
    if at < 0.39 and isinstance(of, Filter) and countable(of):  # the mugs that are neither red nor empty
        members = (_property(rng, of), _property(rng, of))
        if members[0] != members[1]:
            return Select(quantity(rng), Except(of, Union(members)))
    if at < 0.42:  # all mugs but the smallest
        return Select('all', Except(of, ranked(rng, of, 1, plain=True)))
    if at < 0.5:  # what is not sharp
        tag = rng.choice(said_tags())
        of = Everything() if rng.random() < 0.6 else able(rng, tag)
        return Select('all' if rng.random() < 0.7 else 'one', Except(of, Filter('tag', tag, of)))
    if at < 0.85:  # the mugs that are not red
        node = Except(of, _property(rng, of))
        return Select('all', node) if rng.random() < 0.6 else select(rng, node)
    if at < 0.93:  # the smallest mug that is not empty
        return counted(ranked(rng, Except(of, _property(rng, of)), plain=True))
    return counted(ranked(rng, Except(of, named(rng)), plain=True))


def _property(rng: random.Random, of: Node) -> Node:
    at = rng.random()
    if at < 0.3:
        return Filter('colour', weights('colours').draw(rng), of)
    if at < 0.45:
        return Filter('material', weights('materials').draw(rng), of)
    if at < 0.65:
        return Filter('state', rng.choice(v.STATES[:7]), of)
    if at < 0.7 and not isinstance(of, Things):
        return acting(rng, of)
    if at < 0.75 and isinstance(of, Things):
        return Filter('name', words.draw_noun(rng), of)
    return related(rng, of, 1, simple=True)
