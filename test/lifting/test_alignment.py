"""Depth that is not registered is recognised by outlines, and the missing registration is estimated."""

from boards import CAMERA, ELSEWHERE, boards
import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.core.frame import Intrinsics
from converseg_ros.lifting.alignment import MIN_IMAGES, NO_OFFSET, AlignmentMeter, DepthOffset


def measured(offset: DepthOffset, images: int = MIN_IMAGES) -> AlignmentMeter:
    meter = AlignmentMeter()
    for seed in range(images):
        assert meter.update(*boards(seed, offset), CAMERA)
    return meter


def test_registered_depth_is_recognised_and_needs_no_offset() -> None:
    meter = measured(NO_OFFSET)
    assert meter.registered() is True
    found = meter.compute()
    assert found is not None and found.registered
    assert abs(found.offset.focal - 1) < 0.011 and abs(found.offset.x) < 0.005 and abs(found.offset.y) < 0.005


def test_depth_of_another_camera_is_recognised_and_its_place_estimated() -> None:
    meter = measured(ELSEWHERE)
    assert meter.registered() is False
    found = meter.compute()
    assert found is not None and found.registered is False and found.best > 1.3 * found.given
    assert abs(found.offset.focal - ELSEWHERE.focal) < 0.011
    assert abs(found.offset.x - ELSEWHERE.x) < 0.005 and abs(found.offset.y) < 0.005


def test_the_estimated_offset_registers_depth() -> None:
    estimate = measured(ELSEWHERE).compute()
    assert estimate is not None
    _, depth = boards(7, ELSEWHERE)
    _, wanted = boards(7)
    moved = estimate.offset.registered(depth, CAMERA)
    known = np.isfinite(moved)
    assert known.mean() > 0.75, 'behind nearer things, depth of the other camera is not known'
    assert (np.abs(moved - wanted)[known] < 0.05).mean() > 0.95
    assert (np.abs(depth - wanted) < 0.05).mean() < 0.9


def test_little_to_see_gives_no_verdict() -> None:
    wall = np.full((480, 640, 3), 128, np.uint8), np.full((480, 640), 2, np.float32)
    meter = measured(NO_OFFSET, MIN_IMAGES - 1)
    assert meter.update(*wall, CAMERA) is False, 'no depth edges'
    assert meter.registered() is None and meter.compute() is None


def test_unknown_depth_makes_no_edges() -> None:
    depth = np.full((480, 640), 2, np.float32)
    depth[100:200, 100:300] = np.nan
    depth[300:400, 100:300] = 0
    assert AlignmentMeter().update(np.zeros((480, 640, 3), np.uint8), depth, CAMERA) is False


def test_images_of_another_camera_start_again() -> None:
    meter = measured(ELSEWHERE)
    other = Intrinsics(510, 510, 319.5, 239.5, 640, 480)
    meter.update(*boards(0), other)
    assert len(meter) == 1 and meter.registered() is None


def test_an_impossible_offset_is_an_error() -> None:
    with pytest.raises(InputError, match='focal'):
        DepthOffset(0.0)
