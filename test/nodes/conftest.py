"""Fixtures for tests that run nodes; they skip where ROS 2 or the built interfaces are absent."""

from collections.abc import Iterator
import os

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')

from agents_rig import agents_node, nothing_stands
from live_segmenter import live, restored
from ros_rig import Camera, Rig
from segmenter_process import segmenter
from small_rooms import rooms

__all__ = ['agents_node', 'live', 'nothing_stands', 'restored', 'rooms', 'segmenter']


@pytest.fixture(scope='module')
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    os.environ['ROS_LOG_DIR'] = str(tmp_path_factory.mktemp('log'))
    rig = Rig()
    yield rig
    rig.close()


@pytest.fixture(scope='module')
def camera(rig: Rig) -> Camera:
    return Camera(rig)
