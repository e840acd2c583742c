"""The demo: replay the package's bag through the segmenter and leave pictures in demo_out/.

ros2 launch converseg_ros demo.launch.py
"""

from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration
from launch_ros.substitutions import ExecutableInPackage

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Run `converseg demo`, which starts the node itself."""
    return LaunchDescription([
        DeclareLaunchArgument('out', default_value='demo_out', description='folder for pictures and page'),
        DeclareLaunchArgument('model', default_value='compact', description='name or folder of the network'),
        # a command and no node: it takes no --ros-args
        ExecuteProcess(
            cmd=[
                ExecutableInPackage(package='converseg_ros', executable='converseg'),
                'demo', '--out', LaunchConfiguration('out'), '--model', LaunchConfiguration('model'),
            ],
            output='screen',
        ),
    ])  # fmt: skip
