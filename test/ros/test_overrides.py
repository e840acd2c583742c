"""Parameter files as people write them: read as they are meant, or refused by name and file."""

import os
from pathlib import Path
import subprocess
import sys

import pytest
import yaml

rclpy = pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from rclpy.parameter import Parameter

from converseg_ros.core import InputError
from converseg_ros.nodes.operator_parameters import SPEECH
from converseg_ros.ros.overrides import SameValue
from converseg_ros.ros.parameters import declare_table
from converseg_ros.ros.settings import declare

ROOT = Path(__file__).resolve().parents[2]


class Node(SameValue, rclpy.node.Node):
    """A node whose set_parameters is that of this package."""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return a function that makes a node from the text of a parameter file."""
    contexts, nodes = [], []

    def made(text: str, kind: str = 'segmenter') -> Node:
        file = tmp_path / 'robot.yaml'
        file.write_text(text)
        arguments = ['--ros-args', '--params-file', str(file)]
        monkeypatch.setattr(sys, 'argv', ['node', *arguments])
        context = rclpy.Context()
        rclpy.init(args=arguments, context=context)
        contexts.append(context)
        nodes.append(Node(kind, context=context))
        return nodes[-1]

    yield made
    for node in nodes:
        node.destroy_node()
    for context in contexts:
        rclpy.try_shutdown(context=context)


def section(**values: object) -> str:
    return yaml.safe_dump({'segmenter': {'ros__parameters': values}})


@pytest.mark.parametrize(
    ('text', 'name', 'value'),
    [
        (section(instruction_ttl=5), 'instruction_ttl', 5.0),
        ('segmenter:\n  ros__parameters:\n    depth: off\n', 'depth', 'off'),
        ('segmenter:\n  ros__parameters:\n    standing: []\n', 'standing', ['']),
        (section(standing=['a: safety: the stove']), 'standing', ['a: safety: the stove']),
        (section(safety={'max_age': 2}), 'safety.max_age', 2.0),
        ("/**:\n  ros__parameters:\n    use_sim_time: true\n    robot_ip: '10.0.0.2'\n", 'depth', 'auto'),
    ],
)
def test_what_is_meant_is_read(make, text, name, value):
    settings = declare(make(text))
    assert settings[name] == value and type(settings[name]) is type(value)


def test_an_empty_list_is_the_documented_default(make):
    """YAML's [] has no type, so rcl passes on a value that no list of texts can have."""
    node = make('speech:\n  ros__parameters:\n    hotwords: []\n    files: []\n', 'speech')
    values = declare_table(node, SPEECH)
    assert values['hotwords'] == values['files'] == ['']


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (section(standng=['a: safety: the stove']), ['standng', "'standing'", 'robot.yaml']),
        (section(safety={'maxage': 1.0}), ['safety.maxage', "'safety.max_age'", 'robot.yaml']),
        (section(max_age=-1.0), ['max_age', 'robot.yaml']),
        (section(max_rate='fast'), ['max_rate', 'robot.yaml']),
        (section(depth=True), ['depth', 'robot.yaml']),
        (section(depth='maybe'), ['depth', "'maybe'", 'robot.yaml']),
        (section(standing=['stove: the stove']), ['standing', 'name: role: text', 'robot.yaml']),
        (section(tracker={'half_life': 0.0}), ['half_life', 'robot.yaml']),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_file(make, text, words):
    with pytest.raises(InputError) as refused:
        declare(make(text))
    assert all(w in str(refused.value) for w in words), str(refused.value)


def test_a_parameter_set_to_its_own_value_is_taken(make):
    node = make(section(model='micro'))
    declare(node)
    node.declare_parameter('fixed', 3, rclpy.node.ParameterDescriptor(read_only=True))
    same = node.set_parameters([Parameter('fixed', value=3), Parameter('model', value='micro')])
    assert all(r.successful for r in same)
    # what the parameter services call, for `ros2 param load` and `ros2 param set`
    assert node.set_parameters_atomically([Parameter('fixed', value=3), Parameter('model', value='micro')]).successful
    assert not node.set_parameters_atomically([Parameter('fixed', value=4)]).successful
    assert not node.set_parameters([Parameter('fixed', value=4)])[0].successful


@pytest.mark.parametrize('node', ['segmenter', 'console', 'learning', 'speech'])
def test_a_node_says_it_in_one_line_and_ends(tmp_path, node):
    file = tmp_path / 'robot.yaml'
    file.write_text(yaml.safe_dump({node: {'ros__parameters': {'no_such_thing': 1}}}))
    command = [sys.executable, '-m', f'converseg_ros.nodes.{node}_node', '--ros-args', '--params-file', str(file)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=ROOT, env={**os.environ, 'OMP_NUM_THREADS': '1'}
    )
    assert done.returncode == 1
    assert 'no_such_thing' in done.stderr and 'robot.yaml' in done.stderr and 'Traceback' not in done.stderr
