"""Fixtures for tests that run nodes; they skip where ROS 2 or the built interfaces are absent."""

from collections.abc import Iterator
import os
from pathlib import Path
import sys

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / 'data_engine')]
pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')

from ros_rig import Camera, Rig
from small_rooms import rooms

__all__ = ['rooms']


@pytest.fixture(scope='module')
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    os.environ['ROS_LOG_DIR'] = str(tmp_path_factory.mktemp('log'))
    rig = Rig()
    yield rig
    rig.close()


@pytest.fixture(scope='module')
def camera(rig: Rig) -> Camera:
    return Camera(rig)
