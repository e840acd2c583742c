"""Random valid programs, and a text that has all their words."""

from dataclasses import fields
import random

from converseg_ros import knowledge
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.linear import CLOSED, FILTERS
from converseg_ros.programs.nodes import (
    NODES,
    Act,
    Everything,
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

NOUNS = ('mug', 'coffee mug', 'kitchen knife', 'plate', 'box', 'dish', 'glass', 'toy', 'cutting board')


def random_program(rng: random.Random, depth: int = 5) -> Node:
    """Return a random program of at most `depth` levels."""

    def node() -> Node:
        return random_program(rng, depth - 1)

    def maybe() -> Node | None:
        return node() if rng.random() < 0.3 else None

    kinds = [Things, Everything] if depth <= 1 else list(NODES.values())
    kind = rng.choice(kinds)
    if kind in (Things, Everything):
        return kind()
    if kind is Filter:
        by = rng.choice(('name', 'tag', *FILTERS))
        values = {'name': NOUNS, 'tag': tuple(knowledge.tags())} | FILTERS
        return Filter(by, rng.choice(values[by]), node())
    if kind is Rank:
        anchor = maybe()
        key = 'distance_to' if anchor else rng.choice(CLOSED['key'])
        return Rank(key, rng.choice(('max', 'min')), node(), rng.randint(1, 3), rng.randint(1, 3), anchor)
    if kind is Relate:
        other = maybe()
        return Relate('between' if other else rng.choice(v.RELATIONS), node(), node(), other)
    if kind is Act:
        return Act(rng.choice(v.ACTS), rng.choice(v.ROLES), node(), maybe())
    if kind is Parts:
        return Parts(rng.choice(('handle', 'lid', 'grip')), node())
    if kind is FreeSpace:
        return FreeSpace(maybe(), rng.choice(('', 'knife', 'plate')), rng.choice((0.0, 0.2)))
    if kind is Union:
        return Union(tuple(node() for _ in range(rng.randint(2, 3))))
    if kind is Except:
        return Except(node(), node())
    if kind is Select:
        return Select(rng.choice(('one', 'all', 2, 3)), node())
    assert kind is Like, f'{kind} has no random values'
    return Like('ready for guests', node())


def text_of(node: Node, rng: random.Random) -> list[str]:
    """Return words that contain each noun, text and length of a program, in any order."""
    parts = []
    for x in node.walk():
        for f in fields(x):
            value = getattr(x, f.name)
            if (
                isinstance(value, str)
                and value
                and (f.name in ('noun', 'thing', 'text') or (f.name == 'value' and x.by == 'name'))
            ):
                parts.append(value if rng.random() < 0.5 or f.name == 'text' else knowledge.plural(value))
            if f.name == 'size' and value:
                parts.append('20 cm')
    rng.shuffle(parts)
    return ' and '.join(('show', *parts)).split()
