"""Listen to the operator: `ros2 launch converseg_ros speech.launch.py audio_source:=topic audio:=/microphone`."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PythonExpression
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """Return the node with its source of sound."""
    return LaunchDescription(
        [
            DeclareLaunchArgument('namespace', default_value=''),
            DeclareLaunchArgument('use_sim_time', default_value='false', description='take the time from /clock'),
            DeclareLaunchArgument('log_level', default_value='info', description='debug, info, warn, error'),
            DeclareLaunchArgument('respawn', default_value='false', description='start the node again when it dies'),
            DeclareLaunchArgument('audio_source', default_value='microphone', description='microphone, topic or files'),
            DeclareLaunchArgument('audio', default_value='audio', description='topic of AudioChunk'),
            DeclareLaunchArgument('device', default_value='', description='input device; empty = the default one'),
            DeclareLaunchArgument('model', default_value='', description='faster-whisper folder'),
            DeclareLaunchArgument('push_to_talk', default_value='false'),
            DeclareLaunchArgument('operator', default_value='', description='who speaks'),
            Node(
                package='converseg_ros',
                executable='speech_node',
                name='speech',
                namespace=LaunchConfiguration('namespace'),
                output='screen',
                remappings=[('audio', PythonExpression(["'", LaunchConfiguration('audio'), "' or 'audio'"]))],
                ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                respawn=LaunchConfiguration('respawn'),
                respawn_delay=2.0,
                parameters=[
                    {
                        'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
                        'audio_source': LaunchConfiguration('audio_source'),
                        'device': ParameterValue(LaunchConfiguration('device'), value_type=str),
                        'model': ParameterValue(LaunchConfiguration('model'), value_type=str),
                        'operator': ParameterValue(LaunchConfiguration('operator'), value_type=str),
                        'push_to_talk': ParameterValue(LaunchConfiguration('push_to_talk'), value_type=bool),
                    }
                ],
            ),
        ]
    )
