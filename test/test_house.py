"""The structure of the package: imports run one way, ROS stays at the edge, commands load lazily."""

import argparse
import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
import re
import subprocess
import sys

import pytest

from converseg_ros.cli import COMMANDS, make_parser

PACKAGE = Path(__file__).resolve().parents[1] / 'converseg_ros'

# folder -> the folders it imports from (beside itself); CONTRIBUTING.md shows the same table
MAY_IMPORT: dict[str, set[str]] = {
    'core': set(),
    'web': {'core'},
    'speech': {'core'},
    'datasets': {'core'},
    'scenes': {'core', 'datasets'},
    'lifting': {'core'},
    'llm': {'core'},
    'knowledge': {'core'},
    'programs': {'core', 'knowledge'},
    'facts': {'core', 'knowledge', 'programs'},
    'network': {'core', 'facts', 'knowledge', 'llm', 'programs'},
    'dialogue': {'core', 'knowledge', 'llm'},
    'console': {'core', 'speech', 'web'},
    'perception': {'core', 'facts', 'lifting'},
    'data_engine': {
        *('core', 'datasets', 'facts', 'knowledge', 'llm', 'network', 'perception', 'programs', 'scenes', 'web'),
    },
    'training': {'core', 'datasets', 'facts', 'knowledge', 'network', 'programs'},
    'evaluation': {'core', 'datasets', 'facts', 'knowledge', 'lifting', 'network', 'perception', 'programs', 'web'},
    'ros': {'core', 'dialogue', 'lifting', 'perception'},
    'agents': {'core', 'dialogue', 'perception', 'web'},
    'demo': {'core', 'evaluation', 'lifting', 'ros', 'web'},
    'bench': {
        *('console', 'core', 'data_engine', 'datasets', 'dialogue', 'evaluation', 'facts', 'knowledge', 'lifting'),
        *('network', 'programs', 'ros', 'scenes', 'speech', 'training', 'web'),
    },
    'nodes': {'console', 'core', 'dialogue', 'lifting', 'network', 'perception', 'ros', 'speech', 'web'},
    'commands': {
        *('agents', 'bench', 'console', 'core', 'data_engine', 'datasets', 'demo', 'dialogue', 'evaluation'),
        *('lifting', 'network', 'perception', 'programs', 'ros', 'scenes', 'training', 'web'),
    },
}
# sub-packages of a folder, the lower ones first: each imports from those before it alone
ORDER: dict[str, tuple[str, ...]] = {
    'data_engine': ('world', 'grammar', 'judges', 'proposers', 'output', 'stages'),
    'scenes': ('geometry', 'models', 'layout', 'render'),
    'facts': ('geometry', 'predicates', 'execution'),
    'network': ('encoders', 'segments', 'names', 'parser', 'things', 'converseg', 'weights', 'grounded'),
    'ros': ('messages', 'camera', 'segmenter'),
}
EDGE = ('ros', 'agents', 'nodes', 'commands', 'bench', 'demo')  # those that may import ROS
ROS = {'rclpy', 'sensor_msgs', 'std_msgs', 'geometry_msgs', 'tf2_ros', 'vision_msgs', 'visualization_msgs', 'tf2_msgs'}
MAX_LINES = 300
MAX_MODULES = 22  # of a folder; of core alone more, which all folders use and whose modules are small and independent
INTERFACES = {'converseg_ros.msg', 'converseg_ros.srv', 'converseg_ros.action'}


class _Imports(ast.NodeVisitor):
    """Collect the modules that are imported when a module runs, lazily or not; those for types alone are left out."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == 'TYPE_CHECKING'):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found.update(alias.name for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0 and node.module, 'imports are absolute'
        self.found.update(f'{node.module}.{alias.name}' for alias in node.names)


@cache
def imports(path: Path) -> frozenset[str]:
    """Return what a module imports; `from a import b` is a.b."""
    collector = _Imports()
    collector.visit(ast.parse(path.read_text()))
    return frozenset(collector.found)


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob('*.py') if p.parent != PACKAGE)


def folders(path: Path) -> set[str]:
    """Return our folders that a module imports from, beside its own."""
    names = {m.split('.')[1] for m in imports(path) if m.startswith('converseg_ros.')}
    return (names & set(MAY_IMPORT)) - {path.relative_to(PACKAGE).parts[0]}


@pytest.mark.parametrize('path', modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    folder = path.relative_to(PACKAGE).parts[0]
    assert folders(path) <= MAY_IMPORT[folder], f'{folder} may not import {sorted(folders(path) - MAY_IMPORT[folder])}'


def test_the_table_holds_only_arrows_that_exist_and_no_circle() -> None:
    used: dict[str, set[str]] = {folder: set() for folder in MAY_IMPORT}
    for path in modules():
        used[path.relative_to(PACKAGE).parts[0]] |= folders(path)
    # `bench NAME` and nodes are started by name
    used['commands'] |= {'bench', 'console'}
    assert {f: sorted(MAY_IMPORT[f] - used[f]) for f in used if MAY_IMPORT[f] - used[f]} == {}
    order = list(MAY_IMPORT)
    for folder, allowed in MAY_IMPORT.items():
        assert all(order.index(a) < order.index(folder) for a in allowed), folder


def test_contributing_shows_the_same_table() -> None:
    text = (PACKAGE.parent / 'CONTRIBUTING.md').read_text()
    rows = re.findall(r'^\| `(\w+)/` \|[^|]*\| (.*?) \|$', text, re.M)
    shown = {folder: set(re.findall(r'\w+', arrows)) for folder, arrows in rows}
    assert shown == MAY_IMPORT
    assert [folder for folder, _ in rows] == list(MAY_IMPORT)


@pytest.mark.parametrize('folder', ORDER)
def test_sub_packages_run_one_way(folder: str) -> None:
    order = ORDER[folder]
    for path in (PACKAGE / folder).rglob('*.py'):
        own = path.relative_to(PACKAGE / folder).parts[0]
        if own not in order:
            continue
        for module in imports(path):
            parts = module.split('.')
            if parts[:2] == ['converseg_ros', folder] and len(parts) > 2 and parts[2] in order:
                assert order.index(parts[2]) <= order.index(own), f'{path.name} imports {module}'


def test_no_module_imports_itself_through_others() -> None:
    """Lazy imports count: a circle is a circle, whenever it is closed."""
    names = {'.'.join(('converseg_ros', *p.relative_to(PACKAGE).with_suffix('').parts)): p for p in modules()}
    arrows = {
        n: {t for m in imports(p) for t in (m, m.rpartition('.')[0]) if t in names and t != n} for n, p in names.items()
    }
    assert [sorted(c) for c in _circles(arrows)] == []


def test_circles_are_found() -> None:
    arrows = {'a': {'b'}, 'b': {'c'}, 'c': {'a'}, 'd': {'a'}, 'e': set()}
    assert _circles(arrows) == [{'a', 'b', 'c'}] and _circles({'d': {'e'}, 'e': set()}) == []


@pytest.mark.parametrize('path', sorted(PACKAGE.rglob('*.py')), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES, 'split it by what it does'


@pytest.mark.parametrize(
    'folder',
    sorted({p.parent for p in modules()} - {PACKAGE / 'core'}),
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_folders_hold_few_modules(folder: Path) -> None:
    names = sorted(p.stem for p in folder.glob('*.py') if p.stem != '__init__')
    assert len(names) <= MAX_MODULES, 'divide it into sub-packages by the way of the data'


def test_tests_mirror_the_package() -> None:
    tests = PACKAGE.parent / 'test'
    folders = {p.parent.relative_to(tests).parts[0] for p in tests.glob('*/**/test_*.py')}
    assert folders <= set(MAY_IMPORT), 'each folder of tests has the name of the folder that it tests'


def _circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of modules that reach each other."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = [*arrows[start]]
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += arrows[module]
        return seen

    reach = {m: reached(m) for m in arrows}
    found = {frozenset(o for o in reach[m] if m in reach[o]) for m in arrows if m in reach[m]}
    return [set(c) for c in found]


def inner_modules() -> list[Path]:
    """Return the modules that must not import ROS."""
    return [p for p in modules() if p.relative_to(PACKAGE).parts[0] not in EDGE]


@pytest.mark.parametrize('path', inner_modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_ros_stays_at_the_edge(path: Path) -> None:
    assert not {m for m in imports(path) if m.split('.')[0] in ROS or '.'.join(m.split('.')[:2]) in INTERFACES}


@pytest.mark.parametrize('path', sorted((PACKAGE / 'commands').glob('*.py')), ids=lambda p: p.stem)
def test_commands_import_ros_only_when_they_run(path: Path) -> None:
    tops = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {a.name for n in tops if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in tops if isinstance(n, ast.ImportFrom) and n.module}
    assert not {n for n in names if n.split('.')[0] in ROS or n in INTERFACES}


def test_the_renderer_is_never_imported() -> None:
    """bpy is GPL: only scripts that run in its own process, under its own interpreter, may import it."""
    users = {p.name for p in modules() if {m.split('.')[0] for m in imports(p)} & {'bpy', 'mathutils'}}
    importers = {
        p.name
        for p in modules()
        for m in imports(p)
        for user in users
        if m == f'converseg_ros.scenes.render.{user[:-3]}'
    }
    assert not importers - users


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_documents_itself(name: str) -> None:
    done = subprocess.run([sys.executable, '-m', 'converseg_ros', name, '--help'], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'converseg' in done.stdout and len(done.stdout.splitlines()) > 5


@pytest.mark.parametrize('name', COMMANDS)
def test_every_option_documents_itself(name: str) -> None:
    def undocumented(parser: argparse.ArgumentParser, path: str) -> Iterator[str]:
        for action in parser._actions:  # noqa: SLF001 (argparse has no public list of options)
            if isinstance(action.choices, dict):
                for part, sub in action.choices.items():
                    yield from undocumented(sub, f'{path} {part}')
            elif not action.help:
                yield f'{path} {action.dest}'

    commands = next(a for a in make_parser([name])._actions if isinstance(a.choices, dict))  # noqa: SLF001
    assert commands.choices is not None
    assert list(undocumented(dict(commands.choices)[name], name)) == []


def test_wrong_usage_exits_with_two() -> None:
    assert subprocess.run([sys.executable, '-m', 'converseg_ros', 'nonsense'], capture_output=True).returncode == 2


def test_the_command_line_starts_without_heavy_imports() -> None:
    code = 'import converseg_ros.cli, sys; print([m for m in ("torch", "cv2", "open3d", "rclpy") if m in sys.modules])'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
