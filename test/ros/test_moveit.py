"""Regions as MoveIt messages, where MoveIt is installed; a clear refusal where it is not."""

import numpy as np
import pytest

from converseg_ros.core import GeometryStatus, InputError
from converseg_ros.core.geometry import Geometry, OrientedBox


def test_a_region_becomes_a_collision_object_or_says_what_to_install() -> None:
    pytest.importorskip('rclpy')
    from converseg_ros.ros.messages.moveit import collision_object_message

    box = OrientedBox(np.array([1.0, 2, 3]), np.eye(3), np.array([0.1, 0.2, 0.3]))
    geometry = Geometry(GeometryStatus.OK, frame_id='map', box=box)
    try:
        import moveit_msgs  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match='moveit_msgs is not installed'):
            collision_object_message(geometry, 'mug')
        return
    message = collision_object_message(geometry, 'mug', padding=0.01)
    assert message.id == 'mug' and message.header.frame_id == 'map'
    assert list(message.primitives[0].dimensions) == pytest.approx([0.12, 0.22, 0.32])
