"""Serve the operator's page.

ros2 launch converseg_ros console.launch.py image:=/camera/color/image_raw
"""

from converseg_ros.ros.launching import one_node
from launch import LaunchDescription

TOPICS = {'image': 'camera topic to show'}
PARAMETERS = {
    'image_transport': ('str', 'raw or compressed'),
    'host': ('str', 'address to listen on'),
    'port': ('int', 'its port; 0: a free one'),
    'token': ('str', 'token for pages on other machines'),
    'operator': ('str', 'name of the operator'),
}


def generate_launch_description() -> LaunchDescription:
    """Start the console node."""
    return one_node('console_node', 'console', TOPICS, PARAMETERS)
