"""Stamps: integer nanoseconds in the package, seconds and nanoseconds in ROS messages (builtin_interfaces/Time)."""

from typing import Any

SECOND = 1_000_000_000
"""Nanoseconds."""


def to_ns(stamp: Any) -> int:
    """Return a stamp with the fields sec and nanosec in nanoseconds."""
    return int(stamp.sec) * SECOND + int(stamp.nanosec)
