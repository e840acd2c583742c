"""Random programs about tags: what things are for, and what they are like."""

from bisect import bisect
from functools import cache
from itertools import accumulate
import random

from converseg_ros.knowledge import kinds, nouns_with, tags
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.nodes import (
    Everything,
    Filter,
    Node,
    Select,
    Union,
)
from converseg_ros.programs.phrasing.draw_sets import (
    counted,
    look,
    named,
    noun,
    ranked,
    related,
)
from converseg_ros.programs.phrasing.templates import data, with_knowledge
from converseg_ros.programs.vocabulary import SAID_BY_FILTERS

ADJECTIVES = ('soft', 'sharp', 'fragile', 'electric', 'shiny', 'toxic', 'alive', 'graspable', 'cold')
"""Tags that are adjectives before another tag."""


@cache
def said_tags() -> tuple[str, ...]:
    """Return the tags that have phrases; 'sit' is excluded, because people say 'sit in' for it too."""
    table = with_knowledge('tags')
    return tuple(
        t for t in tags() if t not in SAID_BY_FILTERS and t != 'sit' and {'be', 'verb', 'use', 'pre'} & table[t].keys()
    )


@cache
def _tag_sums() -> tuple[int, ...]:
    often = data('weights')['tags']
    return tuple(accumulate(often.get(t, 1) for t in said_tags()))


def _some_tag(rng: random.Random) -> str:
    sums = _tag_sums()
    return said_tags()[bisect(sums, rng.random() * sums[-1])]


def draw_tag(rng: random.Random) -> Node:
    """Return what has a tag, of any noun or of a likely one, at times with another condition."""
    tag = _some_tag(rng)
    of: Node = Everything() if rng.random() < 0.78 else able(rng, tag)
    node: Node = Filter('tag', tag, of)
    at = rng.random()
    if at < 0.08:
        node = look(rng, node)
    elif at < 0.34:
        node = related(rng, node, simple=at > 0.14)
    elif at < 0.37:
        node = Filter('region', rng.choice(v.REGIONS), node)
    elif at < 0.43:
        return counted(ranked(rng, related(rng, node, 1, simple=True) if at < 0.39 else node))
    elif at < 0.47 and isinstance(of, Everything):  # something soft to sit on
        node = Filter('tag', rng.choice(ADJECTIVES), node)
    return Select('all' if rng.random() < 0.6 else 'one', node)


def draw_need(rng: random.Random) -> Node:
    """Return a need that several tags fulfil together."""
    union = rng.choice(('danger', 'danger', 'child', 'child', *data('unions')))
    return Select('all', Union(tuple(Filter('tag', tag) for tag in data('unions')[union])))


def able(rng: random.Random, tag: str) -> Node:
    """Return a noun for objects that are likely to have the tag."""
    names = tuple(nouns_with(tag))
    if not names or rng.random() < 0.25:
        return named(rng)
    name = rng.choice(names)
    wider = kinds(name)
    return noun(rng.choice(wider) if wider and rng.random() < 0.5 else name)
