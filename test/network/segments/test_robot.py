"""Segments without the robot: what it covers is cut, what mostly shows it is gone, and indices still fit."""

import numpy as np
import pytest

from converseg_ros.core import Frame, InputError
from converseg_ros.core.segments import Segments
from converseg_ros.network.segments.robot import without_robot


def segments() -> Segments:
    """Return an arm with a finger as its part, a box with a lid as its part, and a table."""
    masks = np.zeros((5, 12, 16), bool)
    masks[0, :, :4], masks[1, 8:, :2] = True, True
    masks[2, :6, 4:12], masks[3, :2, 4:12] = True, True
    masks[4, 6:, 4:] = True
    parent = np.array([-1, 0, -1, 2, -1])
    kinds = np.eye(4, dtype=np.float32)[[0, 0, 0, 0, 1]]
    rest = np.full((12, 16), 0.2, np.float32)
    plane = np.array([-1, -1, -1, -1, 0])
    planes = np.array([[0, -1, 0, 1]], np.float32)
    quality = np.arange(5, dtype=np.float32) / 5
    return Segments(masks, (24, 32), kinds, quality, parent < 0, parent, plane, planes, unexplained=rest)


def test_the_robot_is_cut_out() -> None:
    robot = np.zeros((24, 32), bool)
    robot[:, :12] = True  # the arm, and a fourth of the box
    left = without_robot(segments(), robot)
    assert left.quality.tolist() == pytest.approx([0.4, 0.6, 0.8])
    assert left.parent.tolist() == [-1, 0, -1] and left.plane.tolist() == [-1, -1, 0]
    assert not left.masks[:, :, :6].any() and left.masks[0, :6, 6:12].all()
    assert left.unexplained is not None and not left.unexplained[:, :6].any() and left.unexplained[:, 6:].all()


def test_a_view_of_the_robot_alone_has_no_regions() -> None:
    assert len(without_robot(segments(), np.ones((24, 32), bool))) == 0


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match='robot'):
        Frame(np.zeros((24, 32, 3), np.uint8), robot=np.zeros((12, 16), bool))
