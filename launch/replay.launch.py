"""A bag, its clock, the segmenter on it, and a recorder of what the segmenter says.

ros2 launch converseg_ros replay.launch.py bag:=my_bag image:=/camera/color/image_raw record:=answers
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, ExecuteProcess, IncludeLaunchDescription, OpaqueFunction
from launch.launch_context import LaunchContext
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription

PASSED_ON = (
    'camera', 'model', 'params_file', 'namespace',
    'image', 'depth', 'camera_info', 'image_transport', 'depth_transport',
)  # fmt: skip
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


def generate_launch_description() -> LaunchDescription:
    """Play with --clock, so that stamps and the node's time agree."""
    share = Path(get_package_share_directory('converseg_ros'))
    bag, rate = LaunchConfiguration('bag'), LaunchConfiguration('rate')
    return LaunchDescription([
        DeclareLaunchArgument('bag', description='rosbag2 to play'),
        DeclareLaunchArgument('rate', default_value='1.0', description='speed'),
        DeclareLaunchArgument('record', default_value='', description='bag to write; empty: none'),
        *(DeclareLaunchArgument(n, default_value='', description='see segmenter.launch.py') for n in PASSED_ON),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(share / 'launch' / 'segmenter.launch.py')),
            launch_arguments={'use_sim_time': 'true', **{n: LaunchConfiguration(n) for n in PASSED_ON}}.items(),
        ),
        OpaqueFunction(function=_recorder),
        ExecuteProcess(cmd=['ros2', 'bag', 'play', bag, '--clock', '100', '--rate', rate], output='screen'),
    ])  # fmt: skip
