"""Measurements of regions whose outlines and depth do not agree exactly."""

from facts_blocks import Block, K, Pose, camera, render
import numpy as np
import pytest

from converseg_ros.core.frame import Frame
from converseg_ros.facts.geometry.measures import measure
from converseg_ros.facts.geometry.planes import view_geometry

WALL = Block('wall', 0, 0.3, (2, 0.02, 1.5), -0.5)


@pytest.mark.parametrize('shift', [0, 4, -4])
def test_depth_beside_its_colour_does_not_lengthen_a_thing(shift: int) -> None:
    """Depth that is displaced by a few pixels shows the wall behind one side of a mug."""
    mug = Block('mug', 0.0, 0.0, (0.08, 0.08, 0.12))
    depth, label = render([mug, WALL], Pose(height=0.1, down=5))
    mask = np.roll(label == 0, shift, 1)
    gravity = -camera(Pose(height=0.1, down=5))[1].T @ np.array([0, 0, 1.0])
    geometry = view_geometry(Frame(np.zeros((*depth.shape, 3), np.uint8), depth, K, gravity=gravity), *depth.shape)
    found = measure(mask[None], geometry)
    assert found.length[0] < 0.12 and found.high[0] - found.low[0] == pytest.approx(0.12, abs=0.03)
