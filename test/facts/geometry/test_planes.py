"""Planes, normals and the up direction of a view whose geometry is known exactly."""

import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.geometry import Plane
from converseg_ros.facts.geometry.gravity import choose_up, upright_axes
from converseg_ros.facts.geometry.planes import find_planes, level_frame, plane_masks, view_geometry

K = Intrinsics(600, 600, 319.5, 239.5, 640, 480)
TILT = np.radians(40)
UP = np.array([0.0, -np.cos(TILT), -np.sin(TILT)])  # of a camera that looks down by 40 degrees
TABLE = 0.8  # metres below the camera


def table_and_wall(noise: float = 0.0) -> NDArray[np.float32]:
    """Return the depth of a level table 0.8 m below the camera with a wall 2 m ahead."""
    x, y = np.meshgrid(np.arange(640), np.arange(480))
    rays = np.stack([(x - K.cx) / K.fx, (y - K.cy) / K.fy, np.ones_like(x, float)], 2)
    forward = np.array([0, -np.sin(TILT), np.cos(TILT)])
    table, wall = -TABLE / (rays @ UP), 1.2 / (rays @ forward)
    table[table < 0] = np.inf
    depth = np.minimum(table, wall)
    return (depth + noise * np.random.default_rng(0).standard_normal(depth.shape)).astype(np.float32)


def frame(depth: NDArray[np.float32], gravity: NDArray[np.float64] | None = None) -> Frame:
    return Frame(np.zeros((480, 640, 3), np.uint8), depth, K, gravity=gravity)


@pytest.mark.parametrize('noise', [0.0, 0.002])
def test_finds_the_table_the_wall_and_up(noise: float) -> None:
    view = view_geometry(frame(table_and_wall(noise)), 240, 320)
    assert view is not None and view.up_known and view.base is not None
    assert view.up @ UP > np.cos(np.radians(2))
    assert view.base.d == pytest.approx(TABLE, abs=0.01)
    assert len(view.planes) == 2
    assert sum(p.inlier_ratio for p in view.planes) > 0.9


def test_normals_point_to_the_camera_and_heights_are_metres() -> None:
    view = view_geometry(frame(table_and_wall()), 240, 320)
    assert view is not None
    assert np.nanmax(np.einsum('hwc,hwc->hw', view.normals, view.points)) <= 1e-6
    on_table = (
        plane_masks(view, view.planes[0])[0]
        if view.planes[0].normal @ UP > 0.9
        else plane_masks(view, view.planes[1])[0]
    )
    assert np.abs(view.height[on_table]).max() < 0.02
    assert on_table[-20:].mean() > 0.9


def test_holes_stay_unknown() -> None:
    depth = table_and_wall()
    depth[100:200, 100:200] = 0
    depth[300:350, 300:350] = np.nan
    view = view_geometry(frame(depth), 240, 320)
    assert view is not None
    for rows, columns in ((slice(52, 98), slice(52, 98)), (slice(152, 173), slice(152, 173))):
        assert not view.known[rows, columns].any()
        assert np.isnan(view.points[rows, columns]).all() and np.isnan(view.normals[rows, columns]).all()
        assert np.isnan(view.height[rows, columns]).all()
    assert all(not mask[60:90, 60:90].any() for p in view.planes for mask in plane_masks(view, p))


def test_gravity_decides_over_planes_that_agree_roughly() -> None:
    """A table that slopes by 8 degrees is level enough, and gravity, not the table, tells which way is up."""
    angle = TILT + np.radians(8)
    gravity = np.array([0.0, np.cos(angle), np.sin(angle)])
    view = view_geometry(frame(table_and_wall(), gravity), 240, 320)
    assert view is not None and np.allclose(view.up, -gravity) and view.base is not None


def test_without_depth_there_is_no_geometry() -> None:
    assert view_geometry(Frame(np.zeros((48, 64, 3), np.uint8)), 24, 32) is None
    nothing = view_geometry(frame(np.zeros((480, 640), np.float32)), 240, 320)
    assert nothing is not None and not nothing.planes and not nothing.up_known and not nothing.known.any()


def test_the_same_view_gives_the_same_planes() -> None:
    view = view_geometry(frame(table_and_wall(0.003)), 240, 320)
    assert view is not None
    again = find_planes(view.points, view.normals)
    assert [p.d for p in again] == [p.d for p in view.planes]


@pytest.mark.parametrize('up', [[0, -1, 0], [0, -0.6, -0.8], [0, 0, -1.0]])
def test_upright_axes_are_a_rotation(up: list[float]) -> None:
    axes = upright_axes(np.array(up))
    assert np.allclose(axes @ axes.T, np.eye(3)) and np.linalg.det(axes) == pytest.approx(1)
    assert np.allclose(axes @ np.array(up), [0, 0, 1])


def test_gravity_that_the_view_contradicts_is_not_believed() -> None:
    """A recording whose `map` is not level must not make a table top a wall."""
    rgb, depth = np.zeros((480, 640, 3), np.uint8), table_and_wall(0.002)
    tilted = np.array([0.31, 0.04, 0.95]) / np.linalg.norm([0.31, 0.04, 0.95])
    for up in (UP, tilted):
        frame = Frame(rgb, depth, K, gravity=-up)
        level = level_frame(frame).gravity
        assert level is not None and -level @ UP > 0.99
        geometry = view_geometry(frame, 240, 320)
        assert geometry is not None and geometry.up @ UP > 0.99 and geometry.up_known


def test_the_edge_of_two_walls_is_upright_where_no_floor_is_seen() -> None:
    """Gravity that is parallel to one wall by chance, but neither to the other nor to the edge, is not believed."""
    left, ahead = upright_axes(UP)[:2] * np.array([[1.0], [-1.0]])
    turn = np.radians(30)
    walls = (
        Plane(np.cos(turn) * ahead - np.sin(turn) * left, 2.0, 0.3, 0.0),
        Plane(np.cos(turn) * left + np.sin(turn) * ahead, 1.0, 0.3, 0.0),
    )
    wrong = np.cos(np.radians(60)) * UP + np.sin(np.radians(60)) * walls[0].normal
    for gravity in (-wrong, -UP, None):
        up, known = choose_up(gravity, walls)
        assert known and up @ UP > 0.999
    assert choose_up(None, walls[:1])[1] is False


def test_gravity_stands_where_there_is_nothing_to_check_it_by() -> None:
    tilted = np.array([0.31, 0.04, 0.95])
    plain = Frame(np.zeros((480, 640, 3), np.uint8), gravity=tilted)
    assert level_frame(plain) is plain
    empty = Frame(plain.rgb, np.full((480, 640), np.nan, np.float32), K, gravity=tilted)
    assert level_frame(empty) is empty
