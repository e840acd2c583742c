"""One package, the same facts everywhere: versions, interfaces and their documentation, executables, licences."""

import os
from pathlib import Path
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

import converseg_ros

ROOT = Path(__file__).resolve().parents[1]
INTERFACES = sorted(p for kind in ('msg', 'srv', 'action') for p in (ROOT / kind).glob(f'*.{kind}'))


def test_the_version_is_one() -> None:
    manifest = ET.parse(ROOT / 'package.xml').getroot()
    assert manifest.findtext('version') == converseg_ros.__version__
    assert f"version='{converseg_ros.__version__}'" in (ROOT / 'setup.py').read_text()
    assert f'version: {converseg_ros.__version__}\n' in (ROOT / 'CITATION.cff').read_text()
    assert f'\n{converseg_ros.__version__} (' in (ROOT / 'CHANGELOG.rst').read_text()


def test_the_manifest_is_right() -> None:
    manifest = ET.parse(ROOT / 'package.xml').getroot()
    assert manifest.get('format') == '3'
    assert manifest.findtext('license') == 'Apache-2.0'
    assert 'Apache License' in (ROOT / 'LICENSE').read_text()
    catkin = pytest.importorskip('catkin_pkg.package', reason='catkin_pkg is not installed')
    catkin.parse_package(str(ROOT / 'package.xml')).validate()


def test_no_file_names_an_address_of_the_project_which_has_none() -> None:
    """An address that does not exist, or is somebody else's, misleads; `.invalid` is reserved (RFC 2606)."""
    manifest = ET.parse(ROOT / 'package.xml').getroot()
    assert manifest.find('url') is None
    assert [m.get('email', '').rpartition('.')[2] for m in manifest.findall('maintainer')] == ['invalid']
    for name in ('setup.py', 'CITATION.cff', 'mkdocs.yml', 'pyproject.toml'):
        addresses = re.findall(r'https?://[^\s\'"]+', (ROOT / name).read_text())
        assert all(a.startswith('https://arxiv.org/abs/') for a in addresses), f'{name}: {addresses}'


@pytest.mark.parametrize('path', INTERFACES, ids=lambda p: p.name)
def test_interface_is_documented(path: Path) -> None:
    """A consumer reads the file: it begins with what it is for, and what has a unit or a rule says so."""
    lines = path.read_text().splitlines()
    assert lines[0].startswith('# ') and lines[0].endswith('.')
    undocumented = [line for line in lines if re.match(r'[A-Za-z]\S* \w+\s*$', line)]
    assert not undocumented, 'say unit or meaning'


def test_geometry_in_messages_has_a_frame_and_a_stamp() -> None:
    msg = pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')

    for name in ('Region', 'RegionArray', 'InstructionAck', 'AudioChunk'):
        assert getattr(msg, name).get_fields_and_field_types()['header'] == 'std_msgs/Header'
    for name in ('PlacementCandidate', 'GraspHint'):
        assert getattr(msg, name).get_fields_and_field_types()['pose'] == 'geometry_msgs/PoseStamped'


def test_status_numbers_are_those_of_the_messages() -> None:
    msg = pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')
    Instruction, Region = msg.Instruction, msg.Region
    from converseg_ros.core import GeometryStatus, Role, Status

    assert all(getattr(Region, f'STATUS_{s.name}') == s for s in Status)
    assert all(getattr(Region, f'GEOMETRY_{s.name}') == s for s in GeometryStatus)
    assert all(getattr(Instruction, r.name) == r for r in Role)


@pytest.mark.ros
def test_tf_messages_are_type_identical_to_the_real_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is what ROS 2 itself wrote for tf2_msgs/msg/TFMessage; another hash would not match in discovery."""
    rclpy = pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from rclpy.node import Node
    from tf2_msgs.msg import TFMessage

    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path))
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('hashes', context=context)
    try:
        node.create_publisher(TFMessage, 'tf_of_test', 1)
        (info,) = node.get_publishers_info_by_topic('/tf_of_test')
        value = bytes(info.topic_type_hash.value).hex()
        assert value == 'e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087'
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def test_the_tf2_msgs_of_the_wheel_have_what_upstreams_tf2_ros_imports() -> None:
    """The fields are those of the real interfaces, in their order: the hash of a type is made of them."""

    def fields(file: str) -> list[list[str]]:
        parts = (ROOT / 'compat' / 'tf2_msgs' / file).read_text().split('---')
        return [[line.split('#')[0].strip() for line in p.splitlines() if line.split('#')[0].strip()] for p in parts]

    assert fields('srv/FrameGraph.srv') == [[], ['string frame_yaml']]
    goal, result, feedback = fields('action/LookupTransform.action')
    assert goal == [
        *('string target_frame', 'string source_frame', 'builtin_interfaces/Time source_time'),
        *('builtin_interfaces/Duration timeout', 'builtin_interfaces/Time target_time', 'string fixed_frame'),
        'bool advanced',
    ]
    assert result == ['geometry_msgs/TransformStamped transform', 'tf2_msgs/TF2Error error'] and not feedback
    assert fields('msg/TF2Error.msg')[0][-2:] == ['uint8 error', 'string error_string']
    listed = (ROOT / 'compat' / 'tf2_msgs' / 'CMakeLists.txt').read_text()
    files = [p for kind in ('msg', 'srv', 'action') for p in (ROOT / 'compat' / 'tf2_msgs' / kind).iterdir()]
    assert all(f'{p.parent.name}/{p.name}' in listed for p in files)


def test_every_node_has_an_executable_and_a_page() -> None:
    nodes = {p.stem for p in (ROOT / 'converseg_ros' / 'nodes').glob('*_node.py')}
    assert {'segmenter_node', 'learning_node', 'speech_node', 'console_node'} <= nodes
    for name in nodes:
        page = (ROOT / 'docs' / f'{name}.md').read_text()
        for part in ('Subscribed', 'Published', 'Parameters'):
            assert part in page, f'docs/{name}.md does not list {part}'
    installed = Path(sys.prefix) / 'lib' / 'converseg_ros'
    if installed.is_dir():
        assert nodes <= {p.name for p in installed.iterdir()}
        path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'  # as in an activated environment
        env = {**os.environ, 'PATH': path}
        done = subprocess.run([installed / 'converseg', '--version'], capture_output=True, text=True, env=env)
        assert converseg_ros.__version__ in done.stdout


@pytest.mark.parametrize('given', [None, '3'])
def test_numpy_leaves_the_cores_to_the_networks(given: str | None) -> None:
    """The threads of OpenBLAS made a view a third slower. A user's own setting is kept."""
    name = 'OPENBLAS_NUM_THREADS'
    env = {k: v for k, v in os.environ.items() if k != name} | ({name: given} if given else {})
    code = f"import converseg_ros, os; print(os.environ['{name}'])"
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env=env, cwd=ROOT, check=True)
    assert done.stdout.strip() == (given or '1')


def test_the_scripts_say_how_they_are_used() -> None:
    done = subprocess.run(['bash', ROOT / 'run', '--help'], capture_output=True, text=True)
    assert done.returncode == 0 and './run demo' in done.stdout and './run test' in done.stdout
    assert subprocess.run(['bash', ROOT / 'run', 'nonsense'], capture_output=True).returncode == 2


def test_a_missing_compiler_is_named_in_one_line(tmp_path: Path) -> None:
    """On a bare system ./run prints the apt line and stops with 3 before it touches anything."""
    for name in ('bash', 'sed', 'dirname', 'id', 'grep', 'ldconfig', 'python3', 'cat'):
        found = subprocess.run(['bash', '-c', f'command -v {name}'], capture_output=True, text=True).stdout.strip()
        if found:
            (tmp_path / name).symlink_to(found)
    clone = tmp_path / 'clone'
    clone.mkdir()
    (clone / 'run').write_text((ROOT / 'run').read_text())
    done = subprocess.run(
        [tmp_path / 'bash', clone / 'run', 'test'], capture_output=True, text=True, env={'PATH': str(tmp_path)}
    )
    assert done.returncode == 3, done.stderr
    assert re.search(r'apt-get install -y .*build-essential', done.stdout)
    assert not (clone / '.venv').exists()


@pytest.mark.parametrize('beside', [True, False])
def test_a_wheels_executable_runs_with_the_python_it_is_installed_beside(tmp_path: Path, beside: bool) -> None:
    """`ros2 run` starts it whatever the PATH is: pip writes its interpreter into bin/ only."""
    text = (ROOT / 'cmake' / 'wheel_executable.in').read_text().replace('@module@', 'converseg_ros.cli')
    compile(text, 'executable', 'exec')
    folders = {name: tmp_path / name for name in ('a prefix/lib/converseg_ros', 'a prefix/bin', 'elsewhere')}
    for folder in folders.values():
        folder.mkdir(parents=True)
    executable = folders['a prefix/lib/converseg_ros'] / 'converseg'
    executable.write_text(text)
    pythons = {'elsewhere': 'the one on the PATH', **({'a prefix/bin': 'the one beside'} if beside else {})}
    for where, says in pythons.items():
        python = folders[where] / 'python3'
        python.write_text(f'#!/bin/sh\necho "{says}: $(basename "$1") $2"\n')
        python.chmod(0o755)
    executable.chmod(0o755)
    link = tmp_path / 'link'
    link.symlink_to(executable)
    for path in (executable, link):
        done = subprocess.run(
            [path, 'x y'],
            env={'PATH': f'{folders["elsewhere"]}:/usr/bin:/bin'},
            capture_output=True,
            text=True,
            check=True,
        )
        wanted = 'the one beside' if beside else 'the one on the PATH'
        assert done.stdout == f'{wanted}: {path.name} x y\n', done.stderr
