"""A bag, its clock, the segmenter on it, and a recorder of what the segmenter says.

ros2 launch converseg_ros replay.launch.py bag:=my_bag image:=/camera/color/image_raw record:=answers
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.events import Shutdown
from launch.events.process import ProcessIO
from launch.launch_context import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription

PASSED_ON = (
    'camera', 'model', 'params_file', 'namespace',
    'image', 'depth', 'camera_info', 'image_transport', 'depth_transport',
)  # fmt: skip
ACTIVE = b'[segmenter]: active;'  # what the node logs when it has subscribed to the camera
OUTPUTS = ('regions', 'mask', 'label_info', 'affordance/points', 'safety/points', 'safety_ok', 'placements')


def _recorder(context: LaunchContext) -> list[ExecuteProcess]:
    """Record the segmenter's outputs if a bag to write was named."""
    path = LaunchConfiguration('record').perform(context)
    if not path:
        return []
    space = LaunchConfiguration('namespace').perform(context).strip('/')
    base = f'/{space}/segmenter' if space else '/segmenter'
    topics = [f'{base}/{name}' for name in OUTPUTS]
    return [ExecuteProcess(cmd=['ros2', 'bag', 'record', '-o', path, '--use-sim-time', *topics], output='screen')]


def _player(context: LaunchContext) -> list[RegisterEventHandler]:
    """Play the bag once the segmenter says that it is active, and end everything with the bag."""
    bag, rate = (LaunchConfiguration(name).perform(context) for name in ('bag', 'rate'))
    if not Path(bag).exists():
        raise RuntimeError(f'bag:={bag} does not exist')
    player = ExecuteProcess(cmd=['ros2', 'bag', 'play', bag, '--clock', '100', '--rate', rate], output='screen')
    started = False

    def start(event: ProcessIO) -> list[ExecuteProcess] | None:
        nonlocal started
        if started or ACTIVE not in event.text:
            return None
        started = True
        return [player]

    over = EmitEvent(event=Shutdown(reason='the bag is over'))
    return [
        RegisterEventHandler(OnProcessIO(on_stdout=start, on_stderr=start)),
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[over])),
    ]


def generate_launch_description() -> LaunchDescription:
    """Play with --clock, so that stamps and the node's time agree."""
    share = Path(get_package_share_directory('converseg_ros'))
    return LaunchDescription([
        DeclareLaunchArgument('bag', description='rosbag2 to play'),
        DeclareLaunchArgument('rate', default_value='1.0', description='speed'),
        DeclareLaunchArgument('record', default_value='', description='bag to write; empty: none'),
        *(DeclareLaunchArgument(n, default_value='', description='see segmenter.launch.py') for n in PASSED_ON),
        OpaqueFunction(function=_player),  # first: where it fails, nothing has been started
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / 'launch' / 'segmenter.launch.py')),
            launch_arguments={'use_sim_time': 'true', **{n: LaunchConfiguration(n) for n in PASSED_ON}}.items(),
        ),
        OpaqueFunction(function=_recorder),
    ])  # fmt: skip
