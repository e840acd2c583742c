"""The properties of a program, and the table of phrases of each."""

from collections.abc import Sequence
from dataclasses import replace
import random

from converseg_ros.core.errors import InputError
from converseg_ros.programs.nodes import Act, Everything, Except, Filter, Like, Node, Rank, Relate, Select, Things
from converseg_ros.programs.phrasing.templates import Entry, entries, lists, with_knowledge
from converseg_ros.programs.vocabulary import SAID_BY_FILTERS

MODIFIERS = (Filter, Relate, Act, Like, Except, Rank)
COMMUTING = (Filter, Relate, Act, Like)
PLACES = frozenset({'sittable', 'lie', 'walk_on', 'swim', 'plug_in', 'wash_hands', 'hang', 'trash', 'bathe', 'shelter'})
"""Tags of places: somewhere to sit."""
# Order of adjectives: smaller numbers are farther from the noun.
PLACE = {'rank': 0, 'region': 1, 'tag': 2, 'physics': 2, 'like': 2, 'state': 3, 'act': 3, 'colour': 4, 'material': 5}
WHERE_PEOPLE_ARE = frozenset(
    {'on', 'in', 'under', 'next_to', 'near', 'far_from', 'behind', 'in_front_of', 'between', 'left_of', 'right_of'}
    | {'facing'}
)
"""Relations that questions with "who" ask about."""
WITH_ANY = frozenset(
    {'wearing', 'carrying', 'holding', 'riding', 'eating', 'using', 'sitting', 'pouring', 'drinking', 'cutting'}
)
"""Actions that apply to any object instead of a definite one."""
PLAIN_STARTS = frozenset(
    {'with', 'without', 'for', 'from', 'of', 'like', 'in', 'on', 'as', 'under', 'out', 'unlike', 'different', 'full'}
    | {'taller', 'wider', 'heavier', 'shaped', 'covered', 'decorated', 'made', 'that', 'whose'}
    | {'labeled', 'labelled', 'marked', 'tagged', 'called', 'named', 'wrapped', 'tied'}
)
"""First words of free text that may directly follow a noun."""


def split(node: Node) -> tuple[Node, list[Node]]:
    """Return the base of a node and its properties, the innermost first."""
    modifiers: list[Node] = []
    while isinstance(node, MODIFIERS):
        if isinstance(node, Filter) and node.by == 'name' and isinstance(node.of, Everything):
            break
        if modifiers and isinstance(node, Rank):
            break  # a superlative inside of a condition: "the red one of the two tallest mugs"
        modifiers.append(node)
        node = node.of
    return node, modifiers[::-1]


def is_bare(base: Node) -> bool:
    """Return whether a base has no noun."""
    return isinstance(base, Things | Everything)


def is_person(base: Node) -> bool:
    """Return whether a base is any person: "who", "somebody"."""
    return isinstance(base, Filter) and base.by == 'name' and base.value == 'person'


def is_of_people(condition: Node) -> bool:
    """Return whether a condition is usual for a person: an action, or a place."""
    return isinstance(condition, Act) or (isinstance(condition, Relate) and condition.relation in WHERE_PEOPLE_ARE)


def rearranged(node: Node, rng: random.Random) -> Node:
    """Return the same program, sometimes with its outermost commuting conditions in another order."""
    if isinstance(node, Select | Rank):
        return replace(node, of=rearranged(node.of, rng))
    chain: list[Node] = []
    base = node
    while isinstance(base, COMMUTING) and not (isinstance(base, Filter) and base.by == 'name'):
        chain.append(base)
        base = base.of
    if len(chain) < 2 or rng.random() < 0.6:
        return node
    rng.shuffle(chain)
    for condition in chain:
        base = replace(condition, of=base)  # type: ignore[call-arg]
    return base


def entry(node: Node) -> tuple[Entry, str]:
    """Return the phrase table of a property, and its kind of adjective."""
    if isinstance(node, Filter):
        if node.by == 'tag':
            if node.value in SAID_BY_FILTERS:
                return _find('properties', SAID_BY_FILTERS[node.value]), 'physics'
            return _find('tags', node.value), 'tag'
        table = entries('properties')
        key = f'{node.by}.{node.value}'
        return (table[key] if key in table else _find('properties', node.by)), node.by
    if isinstance(node, Relate):
        two = node.relation == 'between' and node.other is None
        return _find('spatial', f'relate.{node.relation}{"_two" if two else ""}'), 'relate'
    if isinstance(node, Rank):
        return _find('ranks', f'{node.key}.{node.order}'), 'rank'
    if isinstance(node, Act):
        if node.kind == 'using' and node.role == 'patient' and node.other is None:
            return _find('properties', 'state.used'), 'state'
        return _find('acts', f'{node.kind}.{node.role}{".with" if node.other else ""}'), 'act'
    raise InputError(f'{node.op} is not a property', where='phrasing')


def _find(name: str, key: str) -> Entry:
    table = with_knowledge(name) if name == 'tags' else entries(name)
    if key not in table:
        raise InputError('there are no phrases for it', where=f'{name}.yaml: {key}', do='add a table')
    return table[key]


def corner(modifiers: Sequence[Node]) -> str | None:
    """Return the table of two image positions that form a corner, if a set ends with two."""
    last = [x.value for x in modifiers[-2:] if isinstance(x, Filter) and x.by == 'region']
    key = '.'.join(last)
    return key if len(last) == 2 and key in lists('corners') else None


def is_superlative(text: str) -> bool:
    """Return whether a free text is a superlative: 'hottest', 'most expensive'."""
    return text.startswith(('most ', 'least ')) or (' ' not in text and text.endswith('est'))


def is_predicate(text: str) -> bool:
    """Return whether a free text is a predicate with its verb, not an adjective or a phrase after a noun."""
    return ' ' in text and text.split()[0] not in PLAIN_STARTS and not text.startswith('part ')
