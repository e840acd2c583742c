"""Option dataclasses: each field declares its range, which commands, nodes and docs read."""

import ast
from dataclasses import field, fields
import inspect
import textwrap
from typing import Any

from converseg_ros.core.errors import InputError


def option(default: Any, low: float | None = None, high: float | None = None, *, choices: tuple[str, ...] = ()) -> Any:
    """Return a dataclass field with a range of values: from low to high inclusive, or one of `choices`."""
    return field(default=default, metadata={'low': low, 'high': high, 'choices': choices})


def check_options(options: Any, where: str) -> None:
    """Raise InputError for the first field whose value is out of range; call this in __post_init__."""
    for f in fields(options):
        value, low, high = getattr(options, f.name), f.metadata.get('low'), f.metadata.get('high')
        choices = f.metadata.get('choices', ())
        if choices and value not in choices:
            raise InputError(f'{f.name} is {value!r}', where=where, do=f'choose one of {", ".join(choices)}')
        if low is not None and high is not None and not low <= value <= high:
            raise InputError(f'{f.name} is {value}', where=where, do=f'give a number from {low:g} to {high:g}')


def option_docs(cls: type) -> dict[str, str]:
    """Return the attribute docstring of each field of a dataclass, which is its only description."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for item, after in zip(body.body, body.body[1:]):
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and isinstance(after, ast.Expr):
            docs[item.target.id] = ' '.join(str(ast.literal_eval(after.value)).split())
    return docs
