"""Start the learning node.

ros2 launch converseg_ros learning.launch.py image:=/camera/color/image_raw
"""

from converseg_ros.ros.launching import one_node
from launch import LaunchDescription

TOPICS = {'image': 'camera topic to sample frames from'}
PARAMETERS = {
    'image_transport': ('str', 'raw or compressed'),
    'sample_period': ('float', 'seconds between live frames'),
}


def generate_launch_description() -> LaunchDescription:
    """Start the learning node."""
    return one_node('learning_node', 'learning', TOPICS, PARAMETERS)
