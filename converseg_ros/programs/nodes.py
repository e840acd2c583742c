"""Nodes of a program: each denotes a set of regions of one view, with a degree of membership for each region.

The JSON form of a node is `{"op": NAME, FIELD: VALUE, ...}` without default values; a whole program is `{"version":
VERSION, "root": NODE}`. Unknown operations, fields and values are an error, so that a program of a later version is
never misinterpreted.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Literal

from converseg_ros.core.errors import InputError
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.node import NODES as NODES
from converseg_ros.programs.node import Node as Node

VERSION = 1
MAX_DEPTH = 12
Quantity = Literal['one', 'all'] | int
Order = Literal['max', 'min']

CLOSED = {'colour': v.COLOURS, 'material': v.MATERIALS, 'state': v.STATES, 'physics': v.PHYSICS, 'region': v.REGIONS}
"""The values of filters with a closed set of values."""

MIGRATIONS: dict[int, Callable[[Any], Any]] = {}
"""For each earlier version, the function that converts the JSON of a root to the next version."""


def _one_of(node: Node, field: str, allowed: tuple[str, ...]) -> None:
    value = getattr(node, field)
    if value not in allowed:
        raise InputError(f'{field} is {value!r}', where=f'program: {node.op}', do=f'use one of {", ".join(allowed)}')


def _text(node: Node, field: str) -> None:
    value = getattr(node, field)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f'{field} is empty', where=f'program: {node.op}', do='name something')


def _nodes(node: Node, *names: str) -> None:
    for name in names:
        if not isinstance(getattr(node, name), Node):
            raise InputError(f'{name} is not a node', where=f'program: {node.op}')


@dataclass(frozen=True)
class Things(Node, op='things'):
    """Every movable object: no surfaces, structures, people, hands or parts."""


@dataclass(frozen=True)
class Everything(Node, op='everything'):
    """Every region of the flat cut: objects, surfaces, structures and agents, but no parts."""


@dataclass(frozen=True)
class Filter(Node, op='filter'):
    """Members of `of` with a property: a noun, a tag of `knowledge`, a colour, a state, or a place in the image."""

    by: Literal['name', 'tag', 'colour', 'material', 'state', 'physics', 'region']
    value: str
    of: Node = Everything()

    def __post_init__(self) -> None:
        """Validate the value against the closed set of its kind."""
        _one_of(self, 'by', ('name', 'tag', 'colour', 'material', 'state', 'physics', 'region'))
        _text(self, 'value')
        _nodes(self, 'of')
        if self.by in CLOSED:
            _one_of(self, 'value', CLOSED[self.by])

    @cached_property
    def nouns(self) -> frozenset[str]:
        """Return the value of a filter by name, and the nouns of its descendants."""
        return self.of.nouns | {self.value} if self.by == 'name' else self.of.nouns


@dataclass(frozen=True)
class Rank(Node, op='rank'):
    """The `count` members of `of` from place `first` (1 = the extreme) when ordered by `key`; see RANK_KEYS."""

    key: str
    order: Order
    of: Node
    first: int = 1
    count: int = 1
    anchor: Node | None = None

    def __post_init__(self) -> None:
        """Validate key, order and places; only 'distance_to' has an anchor."""
        _one_of(self, 'key', v.RANK_KEYS)
        _one_of(self, 'order', ('max', 'min'))
        _nodes(self, 'of')
        if (self.key == 'distance_to') != (self.anchor is not None):
            raise InputError('an anchor belongs to distance_to, and only to it', where='program: rank')
        if not (1 <= self.first <= 20 and 1 <= self.count <= 20):
            raise InputError(f'places {self.first}, {self.count} are not in 1 to 20', where='program: rank')


@dataclass(frozen=True)
class Relate(Node, op='relate'):
    """Members of `of` that stand in a relation to a member of `anchor`; 'between' has two, or one plural anchor."""

    relation: str
    of: Node
    anchor: Node
    other: Node | None = None

    def __post_init__(self) -> None:
        """Validate the relation; only 'between' has a second anchor."""
        _one_of(self, 'relation', v.RELATIONS)
        _nodes(self, 'of', 'anchor')
        if self.other is not None and self.relation != 'between':
            raise InputError('only between has a second anchor', where='program: relate')


@dataclass(frozen=True)
class Act(Node, op='act'):
    """Members of `of` that play `role` in an action; `other` is the other participant, if it is given."""

    kind: str
    role: Literal['agent', 'patient', 'instrument', 'uninvolved']
    of: Node = Everything()
    other: Node | None = None

    def __post_init__(self) -> None:
        """Validate kind and role."""
        _one_of(self, 'kind', v.ACTS)
        _one_of(self, 'role', v.ROLES)
        _nodes(self, 'of')


@dataclass(frozen=True)
class Parts(Node, op='parts'):
    """The parts called `noun` of the members of `of`; the noun 'grip' is where an object is held."""

    noun: str
    of: Node

    def __post_init__(self) -> None:
        """Validate the noun."""
        _text(self, 'noun')
        _nodes(self, 'of')


@dataclass(frozen=True)
class FreeSpace(Node, op='free'):
    """The part of a support surface where something can be set down: the surface minus the objects on it.

    on: the surface, or None for any. thing: the noun of the object to set down, '' if it is not given; its footprint
    comes from `knowledge`. size: its footprint in metres if the text gives one, else 0.
    """

    on: Node | None = None
    thing: str = ''
    size: float = 0.0

    def __post_init__(self) -> None:
        """Validate the size."""
        if not 0 <= self.size <= 5:
            raise InputError(f'size is {self.size} m', where='program: free', do='use 0 to 5 metres')


@dataclass(frozen=True)
class Union(Node, op='union'):
    """Members of any of at least two sets."""

    of: tuple[Node, ...]

    def __post_init__(self) -> None:
        """Validate that there are two."""
        if len(self.of) < 2 or not all(isinstance(x, Node) for x in self.of):
            raise InputError('it needs at least two nodes', where='program: union')


@dataclass(frozen=True)
class Except(Node, op='except'):
    """Members of `of` that are not members of `minus`."""

    of: Node
    minus: Node

    def __post_init__(self) -> None:
        """Validate the nodes."""
        _nodes(self, 'of', 'minus')


@dataclass(frozen=True)
class Select(Node, op='select'):
    """How many are meant: 'one' ("the mug", "a mug"), 'all' ("the mugs", "what could I ..."), or an exact number."""

    quantity: Quantity
    of: Node

    def __post_init__(self) -> None:
        """Validate the quantity."""
        number = isinstance(self.quantity, int) and not isinstance(self.quantity, bool) and 1 <= self.quantity <= 20
        if self.quantity not in ('one', 'all') and not number:
            raise InputError(
                f'quantity is {self.quantity!r}', where='program: select', do="use 'one', 'all' or 1 to 20"
            )
        _nodes(self, 'of')


@dataclass(frozen=True)
class Like(Node, op='like'):
    """Members of `of` that match a free text by similarity; at most LOW_CONFIDENCE unless it is calibrated."""

    text: str
    of: Node = Everything()

    def __post_init__(self) -> None:
        """Validate the text."""
        _text(self, 'text')
        _nodes(self, 'of')


def node_from_json(data: Any, depth: int = 0) -> Node:
    """Return the node of a JSON object; raise InputError for unknown operations, fields and values."""
    if depth > MAX_DEPTH:
        raise InputError(f'nodes are nested deeper than {MAX_DEPTH}', where='program')
    if not isinstance(data, dict) or data.get('op') not in NODES:
        raise InputError(
            f'{data!r:.80} is not a known node', where='program', do=f'use one of {", ".join(NODES)} as its op'
        )
    kind = NODES[data['op']]
    known = {f.name for f in fields(kind)}
    if unknown := data.keys() - known - {'op'}:
        raise InputError(f'unknown fields {sorted(unknown)}', where=f'program: {kind.op}')
    values = {k: _value(x, depth) for k, x in data.items() if k != 'op'}
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(str(error).split('__init__() ')[-1], where=f'program: {kind.op}') from error


def _value(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        return node_from_json(value, depth + 1)
    if isinstance(value, list):
        return tuple(_value(x, depth) for x in value)
    return value


def program_to_json(root: Node) -> dict[str, Any]:
    """Return the JSON object of a whole program."""
    return {'version': VERSION, 'root': root.to_json()}


def program_from_json(data: Any) -> Node:
    """Return the root of a program's JSON object; raise InputError if it is malformed or of a later version."""
    if not isinstance(data, dict) or data.keys() != {'version', 'root'}:
        raise InputError('a program has exactly the keys version and root', where='program')
    version, root = data['version'], data['root']
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= VERSION:
        raise InputError(f'version is {version!r}, this package reads 1 to {VERSION}', where='program')
    for step in range(version, VERSION):
        root = MIGRATIONS[step](root)
    return node_from_json(root)
