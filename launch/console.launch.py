"""Serve the operator's page: `ros2 launch converseg_ros console.launch.py image:=/camera/color/image_raw`."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the node with its camera topic and address."""
    return LaunchDescription(
        [
            DeclareLaunchArgument('namespace', default_value=''),
            DeclareLaunchArgument('use_sim_time', default_value='false', description='take the time from /clock'),
            DeclareLaunchArgument('log_level', default_value='info', description='debug, info, warn, error'),
            DeclareLaunchArgument('respawn', default_value='false', description='start the node again when it dies'),
            DeclareLaunchArgument('image', default_value='image', description='camera topic to show'),
            DeclareLaunchArgument('host', default_value='127.0.0.1', description='address to listen on'),
            DeclareLaunchArgument('port', default_value='8723'),
            DeclareLaunchArgument('token', default_value='', description='what pages from other machines must know'),
            DeclareLaunchArgument('operator', default_value='', description='who speaks'),
            Node(
                package='converseg_ros',
                executable='console_node',
                name='console',
                namespace=LaunchConfiguration('namespace'),
                output='screen',
                remappings=[('image', PythonExpression(["'", LaunchConfiguration('image'), "' or 'image'"]))],
                ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                respawn=LaunchConfiguration('respawn'),
                respawn_delay=2.0,
                parameters=[
                    {
                        'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
                        'host': LaunchConfiguration('host'),
                        'port': ParameterValue(LaunchConfiguration('port'), value_type=int),
                        'operator': ParameterValue(LaunchConfiguration('operator'), value_type=str),
                        'token': ParameterValue(LaunchConfiguration('token'), value_type=str),
                    }
                ],
            ),
        ]
    )
