"""Frames from messages: the mask of the robot."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.lifting.tf import TransformError
from converseg_ros.perception.frames import Bundle, FrameMaker, FrameOptions

H, W = 6, 8


class NoTransforms:
    def lookup(self, *_: Any) -> Any:
        raise TransformError('unknown')


def bundle() -> Bundle:
    header = SimpleNamespace(frame_id='camera', stamp=None)
    image = SimpleNamespace(
        header=header, encoding='rgb8', height=H, width=W, step=3 * W, is_bigendian=0, data=bytes(3 * H * W)
    )
    return Bundle(1, image)


def test_the_mask_of_the_robot_is_part_of_the_frames_of_the_camera() -> None:
    robot = np.zeros((H, W), bool)
    robot[:, :2] = True
    frame, _ = FrameMaker(NoTransforms()).make(bundle(), FrameOptions(robot=robot))
    assert frame.robot is not None and (frame.robot == robot).all()
    assert FrameMaker(None).make(bundle(), FrameOptions(robot=robot))[0].robot is None, 'an image of a request'


def test_a_mask_of_another_size_is_an_error_that_names_the_parameter() -> None:
    with pytest.raises(InputError, match='robot_mask'):
        FrameMaker(NoTransforms()).make(bundle(), FrameOptions(robot=np.ones((2, 2), bool)))
