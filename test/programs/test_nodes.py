"""The JSON form of programs: what is malformed or of another version is refused, what is older is migrated."""

import os
import pickle
import subprocess
import sys
from typing import Any

import pytest

from converseg_ros.core.errors import InputError
from converseg_ros.programs import nodes
from converseg_ros.programs.nodes import Filter, Select, program_from_json, program_to_json

PROGRAM = Select('one', Filter('name', 'mug', Filter('colour', 'red')))


def test_a_program_comes_back_from_its_json() -> None:
    assert program_from_json(program_to_json(PROGRAM)) == PROGRAM


@pytest.mark.parametrize(
    'data',
    [
        None, [], 'mug', {}, {'version': 1}, {'version': 1, 'root': None}, {'version': 1, 'root': {}},
        {'version': 2, 'root': {'op': 'things'}}, {'version': 0, 'root': {'op': 'things'}},
        {'version': True, 'root': {'op': 'things'}}, {'version': '1', 'root': {'op': 'things'}},
        {'version': 1, 'root': {'op': 'teleport'}}, {'version': 1, 'root': {'op': 'things', 'colour': 'red'}},
        {'version': 1, 'root': {'op': 'filter', 'by': 'colour'}},
        {'version': 1, 'root': {'op': 'filter', 'by': 'colour', 'value': 'loud'}},
        {'version': 1, 'root': {'op': 'filter', 'by': 'name', 'value': ' '}},
        {'version': 1, 'root': {'op': 'rank', 'key': 'height', 'order': 'max', 'of': {'op': 'things'}, 'first': 0}},
        {'version': 1, 'root': {'op': 'rank', 'key': 'distance_to', 'order': 'min', 'of': {'op': 'things'}}},
        {'version': 1, 'root': {'op': 'select', 'quantity': 'many', 'of': {'op': 'things'}}},
        {'version': 1, 'root': {'op': 'union', 'of': [{'op': 'things'}]}},
        {'version': 1, 'root': {'op': 'union', 'of': 'things'}},
        {'version': 1, 'root': {'op': 'free', 'size': -1}},
    ],
)  # fmt: skip
def test_what_is_no_program_is_refused(data: Any) -> None:
    with pytest.raises(InputError):
        program_from_json(data)


def test_nesting_without_end_is_refused() -> None:
    root: dict[str, Any] = {'op': 'things'}
    for _ in range(50):
        root = {'op': 'filter', 'by': 'colour', 'value': 'red', 'of': root}
    with pytest.raises(InputError, match='deeper'):
        program_from_json({'version': 1, 'root': root})


def test_programs_of_an_earlier_version_are_migrated_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, 'VERSION', 3)
    monkeypatch.setattr(
        nodes, 'MIGRATIONS', {1: lambda root: root | {'op': 'thing_s'}, 2: lambda root: {'op': 'things'}}
    )
    assert program_from_json({'version': 1, 'root': {'op': 'stuff'}}) == nodes.Things()
    assert program_from_json({'version': 2, 'root': {'op': 'thing_s'}}) == nodes.Things()


def test_a_node_that_was_a_key_is_found_in_another_process() -> None:
    """Hashes of strings differ between processes, and a node caches its hash."""
    node = Select('one', Filter('name', 'mug'))
    hash(node)
    find = 'import pickle, sys; n, text = pickle.load(sys.stdin.buffer); d = {n: 1}; print(d[eval(text)])'
    names = 'from converseg_ros.programs.nodes import *; '
    done = subprocess.run(
        [sys.executable, '-c', names + find],
        input=pickle.dumps((node, repr(node))),
        env={**os.environ, 'PYTHONHASHSEED': '1234'},
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == b'1'
