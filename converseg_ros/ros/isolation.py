"""Restrict ROS 2 to this machine; this module does not import rclpy, which reads these settings at import."""

import os

from converseg_ros.core.paths import share


def isolate() -> None:
    """Restrict ROS 2 to this machine, and use the Fast DDS profile for large images (docs/segmenter_node.md)."""
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):  # Jazzy, Kilted
        os.environ.setdefault(name, str(share('config', 'fastdds_local.xml')))
