"""The base of all nodes of a program: children, JSON form, and the table of operations."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

NODES: dict[str, type['Node']] = {}


@dataclass(frozen=True)
class Node:
    """Base of all nodes; `op` is the name in JSON."""

    op: ClassVar[str] = ''

    def __init_subclass__(cls, op: str = '', **kwargs: Any) -> None:
        """Register the operation; the hash of a node is cached, since nodes are keys of the executor's caches."""
        cls.__hash__ = Node._cached_hash  # type: ignore[assignment, method-assign]
        if op:
            cls.op = op
            NODES[op] = cls

    def _cached_hash(self) -> int:
        own = self.__dict__
        if '_hash' not in own:
            own['_hash'] = hash(tuple([getattr(self, name) for name in self.__dataclass_fields__]))
        return own['_hash']  # type: ignore[no-any-return]

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone for pickling: hashes of strings differ between processes."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def named_children(self) -> Iterator[tuple[str, 'Node']]:
        """Yield the child nodes in field order, each with the name of its field."""
        for name, value in tuple(vars(self).items()):
            if isinstance(value, Node):
                yield name, value
            elif isinstance(value, tuple):
                yield from ((name, x) for x in value if isinstance(x, Node))

    def children(self) -> Iterator['Node']:
        """Yield the child nodes in field order."""
        return (child for _, child in self.named_children())

    @cached_property
    def nouns(self) -> frozenset[str]:
        """Return the nouns of this node and its descendants that are filters by name."""
        return frozenset[str]().union(*(child.nouns for child in self.children()))

    def map(self, function: Callable[['Node'], 'Node']) -> 'Node':
        """Return this node with `function` applied to each of its child nodes."""
        changed: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, Node):
                new: Any = function(value)
                same = new is value
            elif isinstance(value, tuple):
                new = tuple([function(x) for x in value])
                same = all(a is b for a, b in zip(new, value))
            else:
                continue
            if not same:
                changed[name] = new
        return replace(self, **changed) if changed else self

    def depth(self) -> int:
        """Return the number of levels below this node."""
        return max((1 + child.depth() for child in self.children()), default=0)

    def walk(self) -> Iterator['Node']:
        """Yield this node and its descendants, depth first."""
        yield self
        for child in self.children():
            yield from child.walk()

    def to_json(self, without: str = '') -> dict[str, Any]:
        """Return the JSON object of this node without default values, and without the field `without`."""
        out: dict[str, Any] = {'op': self.op}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == without or (f.default is not MISSING and value == f.default):
                continue
            if isinstance(value, Node):
                out[f.name] = value.to_json()
            elif isinstance(value, tuple):
                out[f.name] = [x.to_json() if isinstance(x, Node) else x for x in value]
            else:
                out[f.name] = value
        return out
