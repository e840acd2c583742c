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
EXECUTABLES = {p.stem for p in (ROOT / 'converseg_ros' / 'nodes').glob('*_node.py')} | {'converseg'}


def strings(value: ast.expr) -> list[str]:
    return [n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


@pytest.mark.parametrize('path', LAUNCH, ids=lambda p: p.name)
def test_launch_files_compile_and_start_what_there_is(path: Path) -> None:
    tree = ast.parse(path.read_text())
    compile(tree, str(path), 'exec')
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert 'generate_launch_description' in functions
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, 'id', '') == 'Node'):
        keys = {k.arg: k.value for k in call.keywords if k.arg}
        package, executable = strings(keys['package']), strings(keys['executable'])
        if package == ['rviz2']:
            continue
        assert executable and set(executable) <= EXECUTABLES
    names = [s for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(s := n.value, str)]
    for name in (s for s in names if re.fullmatch(r'[\w.]+\.(launch\.py|rviz|xml)', s)):
        assert list(ROOT.glob(f'*/{name}')), name


def test_arguments_that_become_parameters_are_parameters() -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.ros.parameters import BY_NAME

    tree = ast.parse((ROOT / 'launch' / 'segmenter.launch.py').read_text())
    arguments = next(
        ast.literal_eval(n.value)
        for n in tree.body
        if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == 'ARGUMENTS'
    )
    for name in ('model', 'image_transport', 'depth_transport', 'autostart'):
        assert name in arguments and name in BY_NAME
    assert {'params_file', 'namespace', 'use_sim_time', 'log_level', 'image', 'depth', 'camera_info', 'rviz'} <= set(
        arguments
    )
    replay = (ROOT / 'launch' / 'replay.launch.py').read_text()
    passed = ast.literal_eval(re.search(r'PASSED_ON = (\(.*?\))', replay, re.S)[1])  # type: ignore[index]
    assert set(passed) <= set(arguments)


@pytest.mark.parametrize(('name', 'table'), [('speech', 'SPEECH'), ('console', 'CONSOLE')])
def test_the_operators_nodes_are_launched_with_parameters_they_have(name: str, table: str) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.nodes import operator_parameters

    known = {p.name: p for p in getattr(operator_parameters, table)}
    tree = ast.parse((ROOT / 'launch' / f'{name}.launch.py').read_text())
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call)]
    declared = {strings(c.args[0])[0] for c in calls if getattr(c.func, 'id', '') == 'DeclareLaunchArgument'}
    used = {strings(c.args[0])[0] for c in calls if getattr(c.func, 'id', '') == 'LaunchConfiguration'}
    assert used == declared  # none that is missing, none that changes nothing
    node = next(c for c in calls if getattr(c.func, 'id', '') == 'Node')
    keys = {k.arg: k.value for k in node.keywords if k.arg}
    table_of = next(n for n in ast.walk(keys['parameters']) if isinstance(n, ast.Dict))
    for key, value in zip(table_of.keys, table_of.values):
        if isinstance(key, ast.Constant) and key.value == 'use_sim_time':
            continue  # every node has it
        assert isinstance(key, ast.Constant) and key.value in known, ast.dump(key) if key else ''
        kind = [k.value for k in getattr(value, 'keywords', []) if k.arg == 'value_type']
        wanted = type(known[key.value].default).__name__
        assert (getattr(kind[0], 'id', '') if kind else 'str') == wanted, key.value
    source = (ROOT / 'converseg_ros' / 'nodes' / f'{name}_node.py').read_text()
    for old in (strings(n)[0] for n in ast.walk(keys['remappings']) if isinstance(n, ast.Tuple)):
        assert f"'{old}'" in source, old


@pytest.mark.parametrize('path', CONFIG, ids=lambda p: f'{p.parent.name}/{p.name}')
def test_configurations_set_parameters_that_exist_to_values_they_may_have(path: Path) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.ros.parameters import BY_NAME, TABLE, Settings

    values: dict[str, Any] = yaml.safe_load(path.read_text())['/**']['ros__parameters']
    for name, value in values.items():
        p = BY_NAME[name]
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
    from converseg_ros.nodes.parameter_docs import HEAD, page_with_table

    page = (ROOT / 'docs' / f'{name}_node.md').read_text()
    assert HEAD in page
    assert page_with_table(page, page_name := f'{name}_node.md') == page, f'{page_name}: run nodes/parameter_docs.py'


@pytest.mark.parametrize('table', ['TABLE', 'SPEECH', 'CONSOLE', 'LEARNING'])
def test_every_number_has_a_range_that_means_something(table: str) -> None:
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from converseg_ros.nodes import operator_parameters
    from converseg_ros.ros import parameters

    for p in getattr(parameters if table == 'TABLE' else operator_parameters, table):
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
    from converseg_ros.ros.parameters import TABLE, Settings

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
