"""How a program is evaluated: its selection, and how far its conditions are trusted."""

from typing import NamedTuple

from converseg_ros.facts.execution.answer import Options
from converseg_ros.programs.nodes import Filter, Node, Select


class Reading(NamedTuple):
    """How a node is evaluated.

    safe: whether nothing is free that is not seen to be free. trust: as in Options; it is 1 for anchors.
    """

    safe: bool = False
    trust: float = 1.0

    @classmethod
    def of(cls, program: Node, options: Options) -> 'Reading':
        """Return how a program is evaluated; without a name, only its conditions describe the target."""
        doubted = options.trust < 1 and has_name(program)
        return cls(options.recall, options.trust if doubted else 1.0)


def selected(program: Node) -> Node:
    """Return what the outermost selection of a program selects from; the decision is the selection."""
    return program.of if isinstance(program, Select) else program


def has_name(program: Node) -> bool:
    """Return whether the target of a program has a name, not only properties."""
    return any(names(program))


def names(program: Node) -> tuple[str, ...]:
    """Return the name of the target of a program, () without one; of a union those of all members, '' without one."""
    node: object = program
    while node is not None and not isinstance(node, tuple):
        if isinstance(node, Filter) and node.by == 'name':
            return (node.value,)
        node = getattr(node, 'of', None)
    return tuple(name for member in node or () for name in names(member) or ('',))
