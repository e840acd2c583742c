"""Frames from messages: the mask of the robot, and depth that is not registered."""

from types import SimpleNamespace
from typing import Any

from boards import CAMERA, ELSEWHERE, boards
import numpy as np
import pytest

from converseg_ros.core import Frame, InputError
from converseg_ros.core.stamps import SECOND
from converseg_ros.lifting.alignment import MIN_IMAGES, NO_OFFSET, DepthOffset, RegistrationCheck
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


def seen(number: int, offset: DepthOffset) -> Bundle:
    """Return the messages of a camera at a whole second, whose depth camera is at an offset."""
    rgb, depth = boards(number, offset)
    header = SimpleNamespace(frame_id='camera', stamp=None)
    size = {'height': rgb.shape[0], 'width': rgb.shape[1], 'is_bigendian': 0}
    image = SimpleNamespace(header=header, encoding='rgb8', step=3 * rgb.shape[1], data=rgb.tobytes(), **size)
    deep = SimpleNamespace(header=header, encoding='32FC1', step=4 * rgb.shape[1], data=depth.tobytes(), **size)
    k = [CAMERA.fx, 0, CAMERA.cx, 0, CAMERA.fy, CAMERA.cy, 0, 0, 1]
    roi = SimpleNamespace(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    info = SimpleNamespace(
        header=header, **size, k=k, d=[], r=np.eye(3).ravel(), p=[0.0] * 12, distortion_model='plumb_bob', binning_x=0,
        binning_y=0, roi=roi,
    )  # fmt: skip
    return Bundle(number * SECOND, image, deep, info)


def frames_of(offset: DepthOffset, options: FrameOptions) -> list[Frame]:
    maker = FrameMaker(NoTransforms())
    return [maker.make(seen(number, offset), options)[0] for number in range(MIN_IMAGES + 1)]


def test_depth_that_is_not_registered_is_doubted_after_some_images() -> None:
    *first, last = frames_of(ELSEWHERE, FrameOptions())
    assert not first[0].depth_doubt, 'one image is not enough'
    assert 'registered' in last.depth_doubt and 'depth_offset' in last.depth_doubt
    assert all(not f.depth_doubt for f in frames_of(NO_OFFSET, FrameOptions()))


def test_two_makers_of_a_camera_doubt_the_same_depth() -> None:
    check = RegistrationCheck()
    keys, between = FrameMaker(NoTransforms(), check), FrameMaker(NoTransforms(), check)
    for number in range(MIN_IMAGES):
        keys.make(seen(number, ELSEWHERE), FrameOptions())
    last = seen(MIN_IMAGES, ELSEWHERE)
    doubts = [maker.make(last, FrameOptions())[0].depth_doubt for maker in (keys, between)]
    assert doubts[0] and doubts[0] == doubts[1], 'the second one has seen no other image'


def test_depth_with_the_right_offset_is_registered_and_not_doubted() -> None:
    found = frames_of(ELSEWHERE, FrameOptions(offset=ELSEWHERE))
    assert all(not f.depth_doubt for f in found)
    right = boards(2, NO_OFFSET)[1]
    moved = np.asarray(found[2].depth)
    known = np.isfinite(moved)
    assert (np.abs(moved - right)[known] < 0.05).mean() > 0.95


def test_an_offset_without_camera_info_leaves_no_depth() -> None:
    maker = FrameMaker(NoTransforms())
    whole = seen(0, ELSEWHERE)
    frame, _ = maker.make(Bundle(0, whole.image, whole.depth), FrameOptions(offset=ELSEWHERE))
    assert frame.depth is None and 'camera_info' in maker.note
