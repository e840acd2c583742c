"""The canonical form of programs: programs with the same meaning for a simple reason become equal."""

from dataclasses import replace
from functools import lru_cache
import json

from converseg_ros.knowledge import implies, singular
from converseg_ros.programs.nodes import Act, Except, Filter, FreeSpace, Like, Node, Parts, Rank, Relate, Select, Union
from converseg_ros.programs.nouns import adjectives, as_part
from converseg_ros.programs.vocabulary import TAGS_WITH_PHYSICS

MODIFIERS = (Filter, Relate, Act, Like)
"""Nodes that keep the members of `of` which fulfil a condition, so that their order does not matter."""
FILTERS = ('name', 'tag', 'material', 'colour', 'state', 'physics', 'region')
"""The order of filters, the innermost first, as in a noun phrase."""
PLACES = {
    ('x', 'min'): 'left',
    ('x', 'max'): 'right',
    ('y', 'min'): 'top',
    ('y', 'max'): 'bottom',
    ('depth', 'min'): 'near',
    ('depth', 'max'): 'far',
}
"""The part of the view that the extreme of an order lies in, by key and order."""
CONNECTING = frozenset({'with', 'has', 'have', 'having', 'that', 'which', 'is', 'are', 'the', 'a', 'an'})
"""Words at the start of a free text that describe nothing."""


@lru_cache(maxsize=1024)  # the hypotheses for a text have most of their nodes in common
def canonical(node: Node) -> Node:
    """Return the canonical form: unions flat and sorted, chains of conditions sorted, redundant selections removed."""
    node = _simple(node.map(canonical))
    return _sorted_chain(node) if isinstance(node, MODIFIERS) else node


def equal(first: Node, second: Node) -> bool:
    """Return whether two programs have the same canonical form."""
    return canonical(first) == canonical(second)


def by_place(node: Node) -> Node:
    """Return the canonical form with extremes as parts of the view.

    "The cup on the left" is the leftmost cup, or the cup in the left part of the view: the answer is usually the same.
    """
    found = canonical(_by_place(node))
    return found.of if isinstance(found, Select) and found.quantity == 'one' else found  # an extreme is one anyway


def _by_place(node: Node) -> Node:
    node = node.map(_by_place)
    match node:
        case Rank(order_key, order, of, first=1, count=1) if place := PLACES.get((order_key, order)):
            return Filter('region', place, of)
    return node


def key(node: Node) -> str:
    """Return a text that orders nodes and is equal for equal nodes."""
    return json.dumps(node.to_json(), sort_keys=True)


def _simple(node: Node) -> Node:
    """Return the canonical form of a node with canonical children."""
    match node:
        case Filter(by='name'):
            return _named(singular(_plain(node.value)), node.of)
        case Filter(by='tag', value=value) if value in TAGS_WITH_PHYSICS:
            return replace(node, by='physics', value=TAGS_WITH_PHYSICS[value])
        case Filter(by='tag', value='transparent'):
            return replace(node, by='material')
        case Like():
            return replace(node, text=_content(node.text))
        case Parts():
            return replace(node, noun=singular(_plain(node.noun)))
        case FreeSpace():
            return replace(node, thing=singular(_plain(node.thing)))
        case Union(of):
            return _union(of)
        case Except(Except(of, first), second):
            return Except(of, _union((first, second)))
        case Relate(relation='between', anchor=anchor, other=Node() as other) if key(other) < key(anchor):
            return replace(node, anchor=other, other=anchor)
        case Select(quantity, of):
            return _select(quantity, of)
    return node


def _plain(text: str) -> str:
    """Return a text in lower case with single spaces."""
    return ' '.join(text.casefold().split())


def _named(noun: str, of: Node) -> Node:
    """Return the filters by a noun and by the adjectives in it."""
    filters, noun = adjectives(noun, within_names=True)
    for by, value in filters:
        of = Filter(by, value, of)  # type: ignore[arg-type]
    return Filter('name', noun, of)


def _content(text: str) -> str:
    """Return a free text without the words that only connect it to its noun: 'with the red cap' is 'red cap'."""
    words = _plain(text).split()
    start = next((i for i, word in enumerate(words) if word not in CONNECTING), 0)
    return ' '.join(words[start:])


def _union(of: tuple[Node, ...]) -> Node:
    flat = {key(x): x for member in of for x in (member.of if isinstance(member, Union) else (member,))}
    members = tuple(flat[k] for k in sorted(flat))
    return Union(members) if len(members) > 1 else members[0]


def _select(quantity: str | int, of: Node) -> Node:
    """Return the selection unless its input already has that many members."""
    count = 1 if quantity in ('one', 1) else quantity
    if isinstance(of, Rank) and (count == of.count or quantity == 'all'):
        return of
    if isinstance(of, Select):
        if quantity in ('all', of.quantity):
            return of
        if of.quantity == 'all':
            of = of.of
    return Select('one' if quantity == 1 else quantity, of)  # type: ignore[arg-type]


def _sorted_chain(node: Node) -> Node:
    """Return the same conditions in a fixed order without duplicates; filters are innermost, names first."""
    chain: dict[tuple[int, int, str], Node] = {}
    base = node
    while isinstance(base, MODIFIERS):
        kind = FILTERS.index(base.by) if isinstance(base, Filter) else 0
        condition = json.dumps(base.to_json(without='of'), sort_keys=True)
        chain[MODIFIERS.index(type(base)), kind, condition] = base
        base = base.of
    names = [c.value for c in chain.values() if isinstance(c, Filter) and c.by == 'name']
    for place in sorted(chain):
        if not _implied(chain[place], names):
            base = replace(chain[place], of=base)  # type: ignore[call-arg]
            base = as_part(base) if isinstance(base, Filter) and base.by == 'name' else base
    return base


def _implied(node: Node, names: list[str]) -> bool:
    """Return whether a noun of the chain says as much: 'a fork to eat with' is a fork."""
    return isinstance(node, Filter) and node.by == 'tag' and any(implies(name, node.value) for name in names)
