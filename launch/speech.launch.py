"""Listen to the operator.

ros2 launch converseg_ros speech.launch.py audio_source:=topic audio:=/microphone
"""

from converseg_ros.ros.launching import one_node
from launch import LaunchDescription

TOPICS = {'audio': 'topic of AudioChunk'}
PARAMETERS = {
    'audio_source': ('str', 'microphone, topic or files'),
    'device': ('str', 'name or number of the input device'),
    'model': ('str', 'folder of a faster-whisper model'),
    'push_to_talk': ('bool', 'listen only while ~/talk says so'),
    'operator': ('str', 'name of the operator'),
}


def generate_launch_description() -> LaunchDescription:
    """Start the speech node."""
    return one_node('speech_node', 'speech', TOPICS, PARAMETERS)
