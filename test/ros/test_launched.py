"""Each launch file by the real `ros2 launch`: what it starts, what it is told, how it fails and how it ends."""

from collections.abc import Iterator
from pathlib import Path
import signal
from typing import Any

from launched import Launched, installed, launched, skip_without_launch
import pytest

skip_without_launch()

from converseg_ros.msg import RegionArray
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter_client import AsyncParameterClient
from rclpy.serialization import deserialize_message
from rosbags.rosbag2 import Reader

pytestmark = pytest.mark.ros
PACKAGE = 'converseg_ros'
DEMO_BAG = Path(__file__).resolve().parents[2] / 'demo' / 'bag'
# what the demo's bag publishes
TOPICS = (
    'image_transport:=compressed',
    'depth_transport:=compressedDepth',
    'image:=/camera/color/image_raw/compressed',
    'depth:=/camera/aligned_depth_to_color/image_raw/compressedDepth',
    'camera_info:=/camera/color/camera_info',
)


@pytest.fixture(scope='module')
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return installed(tmp_path_factory.mktemp('prefix') / 'install')


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Any:
    def start(*arguments: str) -> Any:
        return launched(environment, tmp_path / 'log.txt', PACKAGE, *arguments)

    return start


@pytest.fixture(scope='module')
def tester() -> Iterator[Any]:
    """Return a function that reads parameters of a node that runs."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('tester', context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def read(launch: Launched, name: str, *parameters: str) -> list[Any]:
        client = AsyncParameterClient(node, name)
        asked: list[Any] = []

        def answered() -> bool:  # asked again: a node that has not found us yet answers nobody
            if client.services_are_ready():
                asked.append(client.get_parameters(list(parameters)))
            executor.spin_once(timeout_sec=0.1)
            for _ in range(5):
                executor.spin_once(timeout_sec=0.1)
            return any(f.done() for f in asked)

        launch.until(answered)
        found = next(f.result() for f in asked if f.done())
        return [rclpy.parameter.parameter_value_to_python(v) for v in found.values]

    yield read
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


NODES = {
    'segmenter': ('segmenter.launch.py', ('model:=micro', 'autostart:=False'), {'max_rate': 7.0}),
    'console': ('console.launch.py', ('port:=0',), {'max_fps': 7.0}),
    'learning': ('learning.launch.py', (), {'sample_change': 7.0}),
    'speech': ('speech.launch.py', ('audio_source:=topic', 'device:=1'), {'silence': 0.7}),
}


@pytest.mark.parametrize('name', NODES)
def test_a_launched_node_is_told_its_parameters_and_ends_with_ctrl_c(
    run: Any, tester: Any, tmp_path: Path, name: str
) -> None:
    file, arguments, parameters = NODES[name]
    given = tmp_path / 'given.yaml'
    given.write_text(f'/**:\n  ros__parameters: {{{", ".join(f"{k}: {v}" for k, v in parameters.items())}}}\n')
    with run(
        file, *arguments, f'params_file:={given}', 'use_sim_time:=True', 'namespace:=left', 'log_level:=debug'
    ) as launch:
        values = tester(launch, f'/left/{name}', 'use_sim_time', *parameters)
        assert values == [True, *parameters.values()]
        launch.says('[DEBUG]')
        assert launch.interrupt() == 0, launch.log
        assert launch.log.count('process has finished cleanly') == 1 and '[ERROR]' not in launch.log


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('segmenter.launch.py', 'camera:=nosuch'), 'realsense'),
        (('segmenter.launch.py', 'params_file:=nosuch.yaml'), 'params_file:=nosuch.yaml is not a file'),
        (('segmenter.launch.py', 'use_sim_time:=perhaps'), 'use_sim_time:=perhaps is not of the type bool'),
        (('segmenter.launch.py', 'log_level:=loud'), 'log_level:=loud is not one of'),
        (('segmenter.launch.py', 'camera:=realsense', 'image:=/left/color/image_raw'), 'depth:= and camera_info:='),
        (('console.launch.py', 'port:=door'), 'port:=door is not of the type int'),
        (('learning.launch.py', 'params_file:=nosuch.yaml'), 'params_file:=nosuch.yaml is not a file'),
        (('speech.launch.py', 'respawn:=sometimes'), 'respawn:=sometimes is not of the type bool'),
        (('replay.launch.py', 'bag:=nowhere', 'model:=micro'), 'bag:=nowhere does not exist'),
        (('rviz.launch.py',), "'rviz2' not found"),
        (('segmenter.launch.py', 'model:=micro', 'rviz:=true'), "'rviz2' not found"),
    ],
)
def test_what_cannot_be_launched_is_named_and_nothing_is_left_behind(
    run: Any, arguments: tuple[str, ...], words: str
) -> None:
    if 'rviz2' in words:
        from ament_index_python.packages import get_packages_with_prefixes

        if 'rviz2' in get_packages_with_prefixes():
            pytest.skip('RViz is installed here')
    with run(*arguments) as launch:
        assert launch.wait(60) == 1
        assert words in launch.log and 'Traceback' not in launch.log and 'process started' not in launch.log


@pytest.mark.parametrize(
    ('own', 'arguments', 'wanted'),
    [
        ('', (), 'share/converseg_ros/config/fastdds.xml'),
        ('', ('fastdds_profile:=no',), ''),
        ('mine.xml', (), 'mine.xml'),
    ],
)
def test_the_users_profile_of_the_middleware_stays(
    environment: dict[str, str], tmp_path: Path, own: str, arguments: tuple[str, ...], wanted: str
) -> None:
    names = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
    given = {k: v for k, v in environment.items() if k not in names} | ({names[0]: own} if own else {})
    with launched(given, tmp_path / 'log.txt', PACKAGE, 'learning.launch.py', *arguments) as launch:
        node = launch.until(lambda: [p for p in launch.children() if 'learning_node' in ' '.join(p.cmdline())])[0]
        assert node.environ().get(names[0], '').endswith(wanted) and bool(node.environ().get(names[0])) == bool(wanted)


def test_a_node_that_dies_comes_back_where_that_is_asked_for(run: Any) -> None:
    with run('learning.launch.py', 'respawn:=true') as launch:
        launch.says('ready: ')
        next(p for p in launch.children() if 'learning_node' in ' '.join(p.cmdline())).send_signal(signal.SIGKILL)
        launch.until(lambda: launch.log.count('ready: ') == 2)
        assert launch.interrupt() == 0


OUTER = """
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

def file(name, **arguments):
    path = PathJoinSubstitution([FindPackageShare('converseg_ros'), 'launch', f'{name}.launch.py'])
    return IncludeLaunchDescription(PythonLaunchDescriptionSource(path), launch_arguments=arguments.items())

def generate_launch_description():
    return LaunchDescription([file('segmenter', model='micro'), file('learning'), file('console', port='0')])
"""


def test_an_empty_image_of_an_outer_launch_file_is_no_topic(environment: dict[str, str], tmp_path: Path) -> None:
    """As in a launch file that starts the segmenter, whose `image` is empty by default, and then the console."""
    outer = tmp_path / 'outer.launch.py'
    outer.write_text(OUTER)
    with launched(environment, tmp_path / 'log.txt', str(outer)) as launch:
        for words in ('active; image: /image ', 'ready: ', 'console: http'):
            launch.says(words)
        assert launch.interrupt() == 0
        assert '[ERROR]' not in launch.log and 'process has died' not in launch.log


def recorded(path: Path) -> list[RegionArray]:
    with Reader(path) as reader:
        wanted = [c for c in reader.connections if c.topic.endswith('/regions')]
        return [deserialize_message(data, RegionArray) for _, _, data in reader.messages(wanted)]


def test_a_replay_waits_for_the_node_and_ends_with_the_bag(run: Any, tmp_path: Path) -> None:
    given = tmp_path / 'given.yaml'
    given.write_text('/**:\n  ros__parameters: {standing: ["box: affordance: a box to carry"], max_age: 100.0}\n')
    # a namespace and a level of the log that hides what the node says: neither matters to when the bag begins
    with run(
        *('replay.launch.py', f'bag:={DEMO_BAG}', 'model:=micro', f'params_file:={given}', *TOPICS),
        *('namespace:=left', 'log_level:=warn', f'record:={tmp_path / "answers"}'),
    ) as launch:
        assert launch.wait(300) == 0, launch.log
        assert '[ERROR]' not in launch.log and 'Traceback' not in launch.log
    with Reader(DEMO_BAG) as bag:
        images = sum(c.msgcount for c in bag.connections if c.topic.endswith('image_raw/compressed'))
    stamps = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in recorded(tmp_path / 'answers') if m.regions}
    assert len(stamps) >= images // 4, launch.log


def test_a_replay_whose_node_cannot_be_configured_ends(run: Any) -> None:
    with run('replay.launch.py', f'bag:={DEMO_BAG}', 'model:=nosuch') as launch:
        assert launch.wait() == 1
        assert 'could not be configured' in launch.log and 'nosuch' in launch.log
        assert 'bag play' not in launch.log


@pytest.mark.slow
def test_the_demo_is_launched_and_leaves_its_page(run: Any, tmp_path: Path) -> None:
    with run('demo.launch.py', 'model:=micro', f'out:={tmp_path / "out"}') as launch:
        assert launch.wait(280) == 0, launch.log
        assert '[ERROR]' not in launch.log
    assert (tmp_path / 'out' / 'index.html').is_file()


def test_ctrl_c_in_the_demo_leaves_no_segmenter(run: Any, tmp_path: Path) -> None:
    with run('demo.launch.py', 'model:=micro', f'out:={tmp_path / "out"}') as launch:
        launch.until(lambda: [p for p in launch.children() if 'segmenter_node' in ' '.join(p.cmdline())])
        launch.process.send_signal(signal.SIGINT)
        launch.wait(30)
