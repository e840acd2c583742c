"""Properties of the environment of this process."""

from rclpy.utilities import get_rmw_implementation_identifier


def middleware() -> str:
    """Return the name of the ROS middleware in use, e.g. rmw_fastrtps_cpp."""
    return str(get_rmw_implementation_identifier())
