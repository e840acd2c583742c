"""The canonical form of programs: programs with the same meaning for a simple reason become equal."""

from dataclasses import fields, replace
import json
from typing import Any

from converseg_ros.knowledge import singular
from converseg_ros.programs.nodes import Act, Except, Filter, FreeSpace, Like, Node, Parts, Rank, Relate, Select, Union
from converseg_ros.programs.vocabulary import TAGS_WITH_PHYSICS

MODIFIERS = (Filter, Relate, Act, Like)
"""Nodes that keep the members of `of` which fulfil a condition, so that their order does not matter."""
FILTERS = ('name', 'tag', 'material', 'colour', 'state', 'physics', 'region')
"""The order of filters, the innermost first, as in a noun phrase."""


def canonical(node: Node) -> Node:
    """Return the canonical form: unions flat and sorted, chains of conditions sorted, redundant selections removed."""
    node = _simple(_with_canonical_children(node))
    return _sorted_chain(node) if isinstance(node, MODIFIERS) else node


def equal(first: Node, second: Node) -> bool:
    """Return whether two programs have the same canonical form."""
    return canonical(first) == canonical(second)


def key(node: Node) -> str:
    """Return a text that orders nodes and is equal for equal nodes."""
    return json.dumps(node.to_json(), sort_keys=True)


def _with_canonical_children(node: Node) -> Node:
    changed: dict[str, Any] = {}
    for f in fields(node):
        value = getattr(node, f.name)
        if isinstance(value, Node):
            changed[f.name] = canonical(value)
        elif isinstance(value, tuple):
            changed[f.name] = tuple(canonical(x) for x in value)
    return replace(node, **changed) if changed else node


def _simple(node: Node) -> Node:
    """Return the canonical form of a node with canonical children."""
    match node:
        case Filter(by='name'):
            return replace(node, value=singular(_plain(node.value)))
        case Filter(by='tag', value=value) if value in TAGS_WITH_PHYSICS:
            return replace(node, by='physics', value=TAGS_WITH_PHYSICS[value])
        case Filter(by='tag', value='transparent'):
            return replace(node, by='material')
        case Like():
            return replace(node, text=_plain(node.text))
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
        below = base.of
        alone = replace(base, of=node)  # the condition without its input
        data = alone.to_json()
        del data['of']
        kind = FILTERS.index(base.by) if isinstance(base, Filter) else 0
        chain[MODIFIERS.index(type(base)), kind, json.dumps(data, sort_keys=True)] = base
        base = below
    for place in sorted(chain):
        base = replace(chain[place], of=base)  # type: ignore[call-arg]
    return base
