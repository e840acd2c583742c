"""Parameters that are set at start-up, by a file or by -p: convert their types and reject invalid ones by name.

Parameter files are written by hand. YAML reads `5` as an integer, `off` as false and `[]` as None, and rclpy ignores
names that no node declares: a misspelled `standng` would silently lose the safety instructions.
"""

from collections.abc import Iterable, Mapping, Sequence
import difflib
from itertools import pairwise
from pathlib import Path
import sys
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import (
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter
import yaml

from converseg_ros.core import InputError

FOREIGN = ('qos_overrides.', 'use_sim_time', 'start_type_description_service')  # those of rclpy
INVALID = (
    InvalidParameterException,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterException,
)


def given_at_start(node: Node) -> dict[str, RosParameter]:
    """Return the overrides of a node, a mutable dictionary; rclpy has no public access to it."""
    overrides: dict[str, RosParameter] = node._parameter_overrides
    return overrides


def read_as_meant(node: Node, defaults: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> None:
    """Convert overrides to the type of the parameter if YAML has read them as another type."""
    overrides = given_at_start(node)
    for name in defaults.keys() & overrides.keys():
        default, value = defaults[name], overrides[name].value
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        elif isinstance(default, str) and isinstance(value, bool) and ('on', 'off')[not value] in choices[name]:
            value = ('on', 'off')[not value]
        elif isinstance(default, list) and (value is None or len(value) == 0):
            value = default
        else:
            continue
        overrides[name] = RosParameter(name, value=value)


def refuse_unknown(node: Node) -> None:
    """Raise InputError for an unknown parameter; one in a section for all nodes only causes a warning.

    Call this when all parameters are declared.
    """
    declared = [name for name in given_at_start(node) if node.has_parameter(name)]
    unknown = [n for n in given_at_start(node) if n not in declared and not n.startswith(FOREIGN)]
    shared = set(_shared(_files()))
    for name in unknown:
        known = difflib.get_close_matches(name, list(node._parameters), 1)
        hint = f'did you mean {known[0]!r}?' if known else 'see `ros2 param list` for those it has'
        if name in shared:
            node.get_logger().warning(f'parameter {name!r} of the section for all nodes is none of this one; {hint}')
            continue
        raise InputError(f'the node has no parameter {name!r}', where=_where(name), do=hint)


def refused(name: str, error: Exception) -> InputError:
    """Return the error for the override of one parameter, with the file that may contain it."""
    words = ' '.join(str(part) for part in error.args if part) or type(error).__name__
    return InputError(words, where=_where(name), do='see the parameters in the docs of the node')


def in_file(name: str, error: InputError) -> InputError:
    """Return an error about values, with the file that may contain them."""
    return InputError(error.what, where=_where(name or error.where), do=error.do)


def _files() -> list[Path]:
    return [Path(after) for word, after in pairwise(sys.argv) if word == '--params-file']


def _where(name: str) -> str:
    """Return the name of a parameter with the files that contain it, or with all files of the command line."""
    files = _files()
    last = name.split('.')[-1]
    having = [f for f in files if f.is_file() and last in f.read_text(errors='replace')]
    return f'{name} ({", ".join(map(str, having or files))})' if files else name


def _shared(files: Iterable[Path]) -> Iterable[str]:
    """Return the parameters that files set for all nodes ('/**'), with dots between the parts of their names."""

    def names(tree: Any, prefix: str = '') -> Iterable[str]:
        for key, value in tree.items() if isinstance(tree, dict) else ():
            yield from names(value, f'{prefix}{key}.') if isinstance(value, dict) else (f'{prefix}{key}',)

    for file in files:
        try:
            data = yaml.safe_load(file.read_text())
        except (OSError, yaml.YAMLError):
            continue  # rcl has already read it, or has reported the error
        own: set[str] = set()
        everybody: set[str] = set()
        for section, content in data.items() if isinstance(data, dict) else ():
            found = names(content.get('ros__parameters', {}) if isinstance(content, dict) else {})
            (everybody if '*' in str(section) else own).update(found)
        yield from everybody - own


class SameValue:
    """A mixin: setting a parameter to its current value succeeds, also if it is read-only.

    Therefore `ros2 param load` accepts the output of `ros2 param dump`.
    """

    def set_parameters(self, parameter_list: list[RosParameter]) -> list[SetParametersResult]:
        """Set parameters one by one."""
        return [self.set_parameters_atomically([p]) for p in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[RosParameter]) -> SetParametersResult:
        """Set all parameters or none, but leave out those that have the value; the parameter services call this."""
        node: Any = self
        changes = [
            p for p in parameter_list if not (node.has_parameter(p.name) and _same(node.get_parameter(p.name), p))
        ]
        if not changes:
            return SetParametersResult(successful=True)
        return super().set_parameters_atomically(changes)  # type: ignore[misc]


def _same(one: RosParameter, other: RosParameter) -> bool:
    return bool(one.type_ == other.type_ and one.value == other.value)
