"""Start the learning node: `ros2 launch converseg_ros learning.launch.py image:=/camera/color/image_raw`."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the node with its camera topic."""
    return LaunchDescription(
        [
            DeclareLaunchArgument('namespace', default_value=''),
            DeclareLaunchArgument('image', default_value='image', description='camera topic to sample frames from'),
            DeclareLaunchArgument('image_transport', default_value='raw', description='raw or compressed'),
            DeclareLaunchArgument('sample_period', default_value='1.0', description='seconds between live frames'),
            Node(
                package='converseg_ros',
                executable='learning_node',
                name='learning',
                namespace=LaunchConfiguration('namespace'),
                output='screen',
                remappings=[('image', LaunchConfiguration('image'))],
                parameters=[
                    {
                        'image_transport': LaunchConfiguration('image_transport'),
                        'sample_period': LaunchConfiguration('sample_period'),
                    }
                ],
            ),
        ]
    )
