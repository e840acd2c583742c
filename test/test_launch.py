"""Launch files, configurations and layouts name only what the package has; launch itself need not be installed."""

import ast
import json
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
LAUNCH = sorted((ROOT / 'launch').glob('*.launch.py'))
CONFIG = sorted(p for kind in ('models', 'cameras') for p in (ROOT / 'config' / kind).glob('*.yaml'))
STARTERS = {'Node', 'LifecycleNode', 'ExecutableInPackage', 'one_node'}
EXECUTABLES = {p.stem for p in (ROOT / 'converseg_ros' / 'nodes').glob('*_node.py')} | {'converseg'}


def strings(value: ast.expr) -> list[str]:
    return [n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


@pytest.mark.parametrize('path', LAUNCH, ids=lambda p: p.name)
def test_launch_files_compile_and_start_what_there_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    compile(tree, str(path), 'exec')
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert 'generate_launch_description' in functions
    started = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, 'id', '') in STARTERS]
    assert started or path.name == 'replay.launch.py'
    for call in started:
        keys = {k.arg: k.value for k in call.keywords if k.arg}
        executable = strings(keys['executable'] if 'executable' in keys else call.args[0])
        assert set(executable) <= EXECUTABLES | ({'rviz2'} if path.name == 'rviz.launch.py' else set()), executable
    names = [s for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(s := n.value, str)]
    for name in (s for s in names if re.fullmatch(r'[\w.]+\.(launch\.py|rviz|xml)', s)):
        assert list(ROOT.glob(f'*/{name}')), name


def constant(path: Path, name: str) -> dict[str, Any]:
    """Return a dictionary that a launch file assigns to a name."""
    nodes = ast.parse(path.read_text()).body
    return next(
        ast.literal_eval(n.value)
        for n in nodes
        if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == name
    )


@pytest.mark.parametrize(
    ('name', 'table'), [('segmenter', 'TABLE'), ('speech', 'SPEECH'), ('console', 'CONSOLE'), ('learning', 'LEARNING')]
)
def test_nodes_are_launched_with_parameters_and_topics_they_have(name: str, table: str) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.nodes import operator_parameters
    from converseg_ros.ros import settings

    known = {p.name: p for p in getattr(settings if table == 'TABLE' else operator_parameters, table)}
    path = ROOT / 'launch' / f'{name}.launch.py'
    for parameter, (kind, _) in constant(path, 'PARAMETERS').items():
        assert parameter in known and type(known[parameter].default).__name__ == kind, parameter
    page = (ROOT / 'docs' / f'{name}_node.md').read_text()
    assert all(f'`{topic}`' in page for topic in constant(path, 'TOPICS'))


@pytest.mark.parametrize('path', CONFIG, ids=lambda p: f'{p.parent.name}/{p.name}')
def test_configurations_set_parameters_that_exist_to_values_they_may_have(path: Path) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.ros.settings import TABLE, Settings

    values: dict[str, Any] = yaml.safe_load(path.read_text())['/**']['ros__parameters']
    table = {p.name: p for p in TABLE}
    for name, value in values.items():
        p = table[name]
        assert type(value) is type(p.default), name
        if p.low is not None and p.high is not None:
            assert p.low <= value <= p.high, name
    Settings({p.name: p.default for p in TABLE} | values)
    if path.parent.name == 'cameras':
        topics = dict(re.findall(r'^# (image|depth|camera_info): (/\S+)$', path.read_text(), re.M))
        assert set(topics) == {'image', 'depth', 'camera_info'}


def test_layouts_show_topics_that_are_published() -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.ros.segmenter.publishers import STREAMS

    known = {f'segmenter/{name}' for name in STREAMS}
    rviz = yaml.safe_load((ROOT / 'rviz' / 'segmenter.rviz').read_text())
    shown = {d['Topic']['Value'] for d in rviz['Visualization Manager']['Displays'] if 'Topic' in d}
    assert shown - {'image'} <= known and {'segmenter/overlay', 'segmenter/markers', 'segmenter/points'} <= shown
    text = (ROOT / 'rviz' / 'foxglove.json').read_text()
    json.loads(text)
    assert set(re.findall(r'"/(segmenter/[\w/]+)"', text)) <= known
    assert '/segmenter/overlay' in text


@pytest.mark.parametrize(('name', 'table'), [('speech', 'SPEECH'), ('console', 'CONSOLE')])
def test_the_pages_list_the_parameters_with_their_defaults(name: str, table: str) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.nodes import operator_parameters

    page = (ROOT / 'docs' / f'{name}_node.md').read_text()
    rows = {m[1]: (m[2], m[3]) for m in re.finditer(r'^\| `([\w.]+)` \| `(.*?)` \|.*?\| (yes|start) \|', page, re.M)}
    known = getattr(operator_parameters, table)
    assert set(rows) == {p.name for p in known}
    for p in known:
        default = str(p.default).lower() if isinstance(p.default, bool) else repr(p.default)
        assert rows[p.name] == ('[]' if p.default == [''] else default, 'yes' if p.live else 'start'), p.name


@pytest.mark.parametrize('name', ['segmenter', 'speech', 'console', 'learning'])
def test_the_tables_of_parameters_are_those_of_the_code(name: str) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.nodes.parameter_docs import TABLE_HEAD, page_with_table

    page = (ROOT / 'docs' / f'{name}_node.md').read_text()
    assert TABLE_HEAD in page
    assert page_with_table(page, page_name := f'{name}_node.md') == page, f'{page_name}: run nodes/parameter_docs.py'


@pytest.mark.parametrize('table', ['TABLE', 'SPEECH', 'CONSOLE', 'LEARNING'])
def test_every_number_has_a_range_that_means_something(table: str) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.nodes import operator_parameters
    from converseg_ros.ros import settings

    for p in getattr(settings if table == 'TABLE' else operator_parameters, table):
        if isinstance(p.default, bool | str | list):
            assert p.low is None and p.high is None, p.name
            continue
        assert p.low is not None and p.high is not None and p.low <= p.default <= p.high, p.name
        assert p.high <= (1e5 if isinstance(p.default, float) else 1e6), p.name


@pytest.mark.parametrize(
    ('name', 'value'),
    [
        ('tracker.keep_status', 5e5),
        ('tracker.half_life', 0.0),
        ('tracker.width', 1),
        ('lift.support_tilt', 100.0),
        ('lift.partial_below', 2.0),
        ('lift.cell', 0.0),
        ('safety.min_depth_ratio', 1.5),
        ('conversation.timeout_s', 0.0),
        ('conversation.history', 0),
        ('max_instructions', 0),
    ],
)
def test_values_without_sense_are_refused_by_name(name: str, value: float) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.core import InputError
    from converseg_ros.ros.settings import TABLE, Settings

    with pytest.raises(InputError, match=name.replace('.', '[.]')):
        Settings({p.name: p.default for p in TABLE} | {name: value})


def test_the_semantic_layer_knows_every_class_and_its_plugin() -> None:
    whole = yaml.safe_load((ROOT / 'config' / 'nav2_semantic_layer.yaml').read_text())
    layer = whole['local_costmap']['local_costmap']['ros__parameters']['semantic_layer']
    page = (ROOT / 'docs' / 'integrator.md').read_text()
    snippet = yaml.safe_load(re.search(r'```yaml\n(semantic_layer:.*?)```', page, re.S)[1])['semantic_layer']  # type: ignore[index]
    for found in (layer, snippet):
        assert found['plugin'] == 'semantic_segmentation_layer::SemanticSegmentationLayer'
        source = found[found['observation_sources']]
        assert 'background' in [name for kind in source['class_types'] for name in source[kind]['classes']]
    assert 'bond_timeout: 0.0' in page


def test_rviz_has_the_tools_to_move_the_view() -> None:
    rviz = yaml.safe_load((ROOT / 'rviz' / 'segmenter.rviz').read_text())
    assert 'rviz_default_plugins/MoveCamera' in [t['Class'] for t in rviz['Visualization Manager']['Tools']]
