"""The house keeps its shape: imports run one way, ROS stays at the edge, commands load lazily."""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

from converseg_ros.cli import COMMANDS

PACKAGE = Path(__file__).resolve().parents[1] / 'converseg_ros'

# folder -> the folders it may import from (beside itself)
MAY_IMPORT: dict[str, set[str]] = {
    'core': set(),
    'web': {'core'},
    'console': {'core', 'speech', 'web'},
    'knowledge': {'core'},
    'programs': {'core', 'knowledge'},
    'facts': {'core', 'knowledge', 'programs'},
    'network': {'core', 'knowledge', 'programs', 'facts'},
    'lifting': {'core'},
    'dialogue': {'core', 'knowledge', 'llm'},
    'speech': {'core'},
    'scenes': {'core'},
    'datasets': {'core'},
    'llm': {'core'},
    'data_engine': {'core', 'scenes', 'web', 'datasets', 'llm', 'knowledge', 'programs', 'facts'},
    'training': {'core', 'network', 'datasets', 'knowledge', 'programs', 'facts'},
    'perception': {'core', 'facts', 'lifting'},
    'evaluation': {'core', 'datasets', 'network', 'lifting', 'perception', 'web', 'programs', 'facts', 'knowledge'},
    'ros': {'core', 'lifting', 'perception', 'dialogue'},
    'demo': {'core', 'lifting', 'ros', 'web'},
}
MAY_IMPORT['bench'] = set(MAY_IMPORT) | {'commands'}
MAY_IMPORT['commands'] = set(MAY_IMPORT)  # everybody but nodes, which are started as processes
MAY_IMPORT['nodes'] = set(MAY_IMPORT)
ROS = {'rclpy', 'sensor_msgs', 'std_msgs', 'geometry_msgs', 'tf2_ros', 'vision_msgs', 'visualization_msgs', 'tf2_msgs'}
INTERFACES = {'converseg_ros.msg', 'converseg_ros.srv', 'converseg_ros.action'}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob('*.py') if p.parent != PACKAGE)


@pytest.mark.parametrize('path', modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    folder = path.relative_to(PACKAGE).parts[0]
    allowed = MAY_IMPORT[folder] | {folder, 'msg', 'srv', 'action'}
    ours = {m.split('.')[1] for m in imports(path) if m.startswith('converseg_ros.')} - {'client', 'cli'}
    assert ours <= allowed, f'{folder} may not import {sorted(ours - allowed)}'


@pytest.mark.parametrize('path', modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_ros_stays_at_the_edge(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] in ('ros', 'nodes', 'commands', 'bench', 'demo'):
        return
    used = imports(path)
    assert not {m.split('.')[0] for m in used} & ROS
    assert not used & INTERFACES


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


def test_wrong_usage_exits_with_two() -> None:
    assert subprocess.run([sys.executable, '-m', 'converseg_ros', 'nonsense'], capture_output=True).returncode == 2


def test_the_command_line_starts_without_heavy_imports() -> None:
    code = 'import converseg_ros.cli, sys; print([m for m in ("torch", "cv2", "open3d", "rclpy") if m in sys.modules])'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
