"""RViz with image, overlay, clouds and markers of one segmenter.

ros2 launch converseg_ros rviz.launch.py namespace:=left_arm
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Start RViz on the package's layout."""
    layout = str(Path(get_package_share_directory('converseg_ros')) / 'rviz' / 'segmenter.rviz')
    return LaunchDescription([
        DeclareLaunchArgument('namespace', default_value='', description='namespace of the segmenter'),
        DeclareLaunchArgument('use_sim_time', default_value='false', description='take the time from /clock'),
        Node(
            package='rviz2',
            executable='rviz2',
            namespace=LaunchConfiguration('namespace'),
            arguments=['-d', layout],
            parameters=[{'use_sim_time': LaunchConfiguration('use_sim_time')}],
        ),
    ])  # fmt: skip
