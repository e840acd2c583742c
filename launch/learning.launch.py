"""Start the learning node: `ros2 launch converseg_ros learning.launch.py image:=/camera/color/image_raw`."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the node with its camera topic."""
    return LaunchDescription(
        [
            DeclareLaunchArgument('namespace', default_value=''),
            DeclareLaunchArgument('use_sim_time', default_value='false', description='take the time from /clock'),
            DeclareLaunchArgument('log_level', default_value='info', description='debug, info, warn, error'),
            DeclareLaunchArgument('respawn', default_value='false', description='start the node again when it dies'),
            DeclareLaunchArgument('image', default_value='image', description='camera topic to sample frames from'),
            DeclareLaunchArgument('image_transport', default_value='raw', description='raw or compressed'),
            DeclareLaunchArgument('sample_period', default_value='1.0', description='seconds between live frames'),
            Node(
                package='converseg_ros',
                executable='learning_node',
                name='learning',
                namespace=LaunchConfiguration('namespace'),
                output='screen',
                remappings=[('image', PythonExpression(["'", LaunchConfiguration('image'), "' or 'image'"]))],
                ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                respawn=LaunchConfiguration('respawn'),
                respawn_delay=2.0,
                parameters=[
                    {
                        'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
                        'image_transport': LaunchConfiguration('image_transport'),
                        'sample_period': LaunchConfiguration('sample_period'),
                    }
                ],
            ),
        ]
    )
