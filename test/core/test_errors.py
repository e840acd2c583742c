"""Errors say what is wrong, where, and what to do; packages of extras that are missing are such errors."""

import ast
from pathlib import Path
import re

import pytest

from converseg_ros.core.errors import ConversegError, import_extra

ROOT = Path(__file__).resolve().parents[2]


def test_the_parts_of_an_error_are_one_line() -> None:
    assert str(ConversegError('the file is missing', where='a.png', do='fetch it')) == (
        'a.png: the file is missing; fetch it'
    )


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    expected = r"^no_such_package is not installed; pip install '\.\[engine\]'"
    with pytest.raises(ConversegError, match=expected), import_extra('engine'):
        import no_such_package  # type: ignore[import-not-found] # noqa: F401


def test_a_fault_inside_of_an_installed_package_is_not_hidden() -> None:
    with pytest.raises(ImportError, match='cannot import name'), import_extra('engine'):
        from json import nothing  # type: ignore[attr-defined] # noqa: F401


def test_every_extra_that_an_import_names_exists_and_has_the_package() -> None:
    """`import_extra('engine')` around `import pyarrow` is right only if setup.py lists pyarrow under `engine`."""
    setup = ast.parse((ROOT / 'setup.py').read_text())
    (extras,) = (
        ast.literal_eval(n.value)
        for n in setup.body
        if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == 'EXTRAS'
    )
    found = 0
    for path in (ROOT / 'converseg_ros').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.With):
                continue
            call = node.items[0].context_expr
            if not (isinstance(call, ast.Call) and getattr(call.func, 'id', '') == 'import_extra'):
                continue
            extra = ast.literal_eval(call.args[0])
            listed = {re.split('[<>=~;]', r)[0].replace('-', '_') for r in extras[extra]}
            for line in node.body:
                module = line.module if isinstance(line, ast.ImportFrom) else line.names[0].name
                if not module.startswith('converseg_ros'):
                    assert module.split('.')[0] in listed, f'{path.name}: {module} is not in the extra {extra}'
                    found += 1
    assert found > 10
