"""Build configuration dataclasses from YAML files and command-line flags."""

import argparse
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from converseg_ros.core.errors import InputError
from converseg_ros.core.options import option_docs


def read_mapping(path: Path, overrides: dict[str, Any] | None = None) -> dict[str, Any]:
    """Read a YAML mapping and apply `overrides` (dotted keys to values); raise InputError if it is not a mapping."""
    import yaml

    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f'cannot be read ({error})', where=str(path)) from error
    if not isinstance(data, dict):
        raise InputError('not a mapping of options', where=str(path), do='write `name: value` lines')
    for key, value in (overrides or {}).items():
        place = data
        *parents, last = key.split('.')
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return data


def build(cls: Any, data: Any, where: str) -> Any:
    """Build dataclass `cls` from a mapping, recursively, checking types."""
    if not isinstance(data, dict):
        raise InputError(f'{data!r} is not a mapping', where=where)
    hints = get_type_hints(cls)
    unknown = sorted(set(data) - {f.name for f in fields(cls)})
    if unknown:
        raise InputError(f'unknown keys {unknown}', where=where, do=f'the known keys are {sorted(hints)}')
    try:
        return cls(**{k: _value(hints[k], v, f'{where}: {k}') for k, v in data.items()})
    except TypeError as error:
        raise InputError(str(error), where=where) from error


def _value(hint: Any, value: Any, where: str) -> Any:
    """Check `value` against `hint`; integers pass as floats."""
    origin = get_origin(hint)
    if is_dataclass(hint):
        return build(hint, value, where)
    if origin is list:
        if not isinstance(value, list):
            raise InputError(f'{value!r} is not a list', where=where)
        return [_value(get_args(hint)[0], v, f'{where}[{i}]') for i, v in enumerate(value)]
    if origin is Literal:
        if value not in get_args(hint):
            raise InputError(f'{value!r} is not one of {get_args(hint)}', where=where)
        return value
    if origin in (Union, types.UnionType):
        inner = next(a for a in get_args(hint) if a is not type(None))
        return None if value is None else _value(inner, value, where)
    if hint is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 1e-3 as a string
        except ValueError as error:
            raise InputError(f'{value!r} is not a number', where=where) from error
    if hint is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)  # YAML reads a name such as 2024 as a number
    if origin is dict:
        hint = dict
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise InputError(f'{value!r} is not {hint.__name__}', where=where)
    return value


def add_flags(parser: argparse.ArgumentParser, cls: type) -> None:
    """Add a flag for each field of a dataclass of options; flags that are not given are absent from the namespace."""
    docs, hints = option_docs(cls), get_type_hints(cls)
    for f in fields(cls):
        text = docs[f.name]
        if f.default is not MISSING and f.default not in ('', False):
            text += f' (default: {f.default})'
        more: dict[str, Any] = {'help': text.replace('%', '%%'), 'default': argparse.SUPPRESS, 'dest': f.name}
        flag = f'--{f.name.replace("_", "-")}'
        if hints[f.name] is bool:
            parser.add_argument(flag, action='store_true', **more)
        else:
            choices = f.metadata.get('choices') or None
            parser.add_argument(flag, type=hints[f.name], choices=choices, **more)


def from_flags(cls: type, args: argparse.Namespace, file: Path | None = None) -> Any:
    """Build a dataclass of options from a YAML file and the given flags, which take precedence over the file."""
    data = {str(k).replace('-', '_'): v for k, v in (read_mapping(file) if file else {}).items()}
    names = {f.name for f in fields(cls)}
    return build(cls, {**data, **{k: v for k, v in vars(args).items() if k in names}}, str(file or 'options'))
