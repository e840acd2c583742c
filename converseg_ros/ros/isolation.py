"""Keep ROS 2 to this machine; nothing here imports rclpy, which reads these settings when it is imported."""

import os

from converseg_ros.core.paths import share


def isolate() -> None:
    """Keep to this machine, and give Fast DDS shared memory that large images fit into (docs/segmenter_node.md)."""
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):  # Jazzy, Kilted
        os.environ.setdefault(name, str(share('config', 'fastdds_local.xml')))
