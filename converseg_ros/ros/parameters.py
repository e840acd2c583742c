"""Tables of parameters: description, range, and whether they may change at run time; all nodes declare them here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from converseg_ros.core import ConversegError, InputError
from converseg_ros.core.options import option_docs
from converseg_ros.ros import overrides


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    live: a change is applied immediately; otherwise the node reads the parameter once. valid: raises InputError for
    values that the range and the choices do not exclude.
    """

    name: str
    default: Any
    about: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = True
    valid: Callable[[Any], object] | None = None

    def descriptor(self) -> ParameterDescriptor:
        """Return the descriptor for `ros2 param describe`."""
        made = ParameterDescriptor(name=self.name, description=self.about)
        notes = [f'one of: {", ".join(self.choices)}'] if self.choices else []
        if not self.live:
            notes.append('read when the node is configured')
        made.additional_constraints = '; '.join(notes)
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                made.floating_point_range = [FloatingPointRange(from_value=float(self.low), to_value=float(self.high))]
            else:
                made.integer_range = [IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)]
        return made


def group(prefix: str, cls: type) -> list[Parameter]:
    """Return a parameter for each field of a dataclass of options, with the range of the field."""
    docs = option_docs(cls)
    dot = f'{prefix}.' if prefix else ''
    return [
        Parameter(
            f'{dot}{f.name}',
            f.default,
            docs[f.name],
            f.metadata.get('low'),
            f.metadata.get('high'),
            f.metadata.get('choices', ()),
        )
        for f in fields(cls)
    ]


def check(p: Parameter, value: Any) -> None:
    """Raise InputError if a value is invalid for a parameter."""
    if p.choices and value not in p.choices:
        raise InputError(f'{value!r} is not one of {", ".join(p.choices)}', where=p.name)
    if p.low is not None and p.high is not None and not p.low <= value <= p.high:
        raise InputError(f'{value} is not in {p.low:g} to {p.high:g}', where=p.name)
    if p.valid is not None:
        p.valid(value)


def check_values(table: Sequence[Parameter], values: Mapping[str, Any]) -> None:
    """Raise InputError for the first parameter of a table with an invalid value."""
    for p in table:
        check(p, values[p.name])


def values_of(node: Node, table: Sequence[Parameter], changes: Sequence[RosParameter] = ()) -> dict[str, Any]:
    """Return the values of the parameters of a table by name, with `changes` that are not set yet."""
    values = {p.name: node.get_parameter(p.name).value for p in table}
    values.update({c.name: c.value for c in changes if c.name in values})
    return values


def declare(
    node: Node,
    table: Sequence[Parameter],
    *,
    validate: Callable[[dict[str, Any]], object] = lambda values: None,
    read_once: Callable[[], str] = lambda: 'it is read when the node starts: restart the node',
    apply: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Declare the parameters of a table, accept only valid changes, and return the values.

    Args:
        node: the node.
        table: its parameters.
        validate: raises an error for values that are not consistent with one another.
        read_once: returns why a parameter that is not live cannot change now, or '' if it can.
        apply: is called with all values after a change.
    """
    by_name = {p.name: p for p in table}
    first = declare_table(node, table)

    def may_set(changes: Sequence[RosParameter]) -> SetParametersResult:
        try:
            for change in changes:
                p = by_name.get(change.name)
                if p is None or change.value == node.get_parameter(p.name).value:
                    continue
                if not p.live and (why := read_once()):
                    raise InputError(why, where=p.name)
                check(p, change.value)
            validate(values_of(node, table, changes))
        except (ConversegError, TypeError, ValueError) as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(may_set)
    if apply is not None:
        node.add_post_set_parameters_callback(lambda _: apply(values_of(node, table)))
    return first


def declare_table(node: Node, table: Sequence[Parameter]) -> dict[str, Any]:
    """Declare the parameters of a table that a node does not have yet; return the values by name.

    Raise InputError for a value that a parameter cannot have and for a name that the node does not know.
    """
    overrides.read_as_meant(node, {p.name: p.default for p in table}, {p.name: p.choices for p in table})
    for p in table:
        if not node.has_parameter(p.name):
            try:
                node.declare_parameter(p.name, p.default, p.descriptor())
            except overrides.INVALID as error:
                raise overrides.refused(p.name, error) from error
    overrides.refuse_unknown(node)
    return {p.name: node.get_parameter(p.name).value for p in table}


def markdown(table: Sequence[Parameter], when: str) -> str:
    """Return the rows of a table for the docs; `when`: the word for parameters that are read once."""
    rows = []
    for p in table:
        default = str(p.default).lower() if isinstance(p.default, bool) else repr(p.default)
        default = '[]' if p.default == [''] else default
        values = ', '.join(f'`{c}`' for c in p.choices)
        if p.low is not None and p.high is not None:
            values = f'{p.low:g} to {p.high:g}'
        rows.append(f'| `{p.name}` | `{default}` | {values} | {"yes" if p.live else when} | {p.about} |')
    return '\n'.join(rows)
