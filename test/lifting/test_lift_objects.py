"""Objects on tables whose geometry is known exactly: points, boxes, grasps."""

import numpy as np
import pytest
from tables import GRASP, PLAIN, lift, table, thing

from converseg_ros.core import Instruction, Role
from converseg_ros.core.geometry import OrientedBox
from converseg_ros.lifting.truth import (
    TABLE,
    VGA,
    TruthScene,
    box_iou,
)
from converseg_ros.scenes.render.depth_camera import observe


def _world(scene: TruthScene) -> np.ndarray:
    k = scene.intrinsics
    u, v = np.meshgrid(np.arange(k.width), np.arange(k.height))
    local = np.stack([(u - k.cx) / k.fx, (v - k.cy) / k.fy, np.ones(u.shape)], -1) * scene.depth[..., None]
    return local @ scene.camera[:3, :3].T + scene.camera[:3, 3]


def test_leaking_masks_and_bleeding_edges_do_not_stretch_an_object():
    import cv2

    scene = table(thing('box', 3, (0.12, 0.1, 0.2), yaw=0.3), eye=(0.0, -0.9, 1.0))
    exact = scene.labels == 3
    leaking = cv2.dilate(exact.view(np.uint8), np.ones((9, 9), np.uint8)).view(bool)
    truth = lift(scene, PLAIN, mask=exact, box='upright')
    depth = observe(scene.depth, np.random.default_rng(0))
    noisy = lift(scene, PLAIN, mask=exact, depth=depth, box='upright')
    leaked = lift(scene, PLAIN, mask=leaking, box='upright')
    assert truth.box is not None and noisy.box is not None and leaked.box is not None
    assert box_iou(noisy.box, truth.box) > 0.75
    assert np.linalg.norm(noisy.centroid - truth.centroid) < 0.005
    # behind the object the leak is background at another depth and goes; at its foot it is the table it stands on
    world = scene.camera[:3, :3] @ leaked.points.T + scene.camera[:3, 3:]
    loose = lift(scene, PLAIN, mask=leaking, edge_px=0, min_part=0.0)
    behind = scene.camera[:3, :3] @ loose.points.T + scene.camera[:3, 3:]
    assert np.count_nonzero(world[1] > 0.15) < 0.5 * np.count_nonzero(behind[1] > 0.15)


def test_holes_stay_holes_and_pixels_name_the_points():
    scene = table(thing('cylinder', 3, (0.1, 0.1, 0.12)))
    depth = scene.depth.copy()
    depth[::3, ::3] = np.nan
    geometry = lift(scene, PLAIN, mask=scene.labels == 3, depth=depth)
    rows, columns = np.divmod(geometry.pixels, 640)
    assert not np.isnan(depth[rows, columns]).any()
    np.testing.assert_allclose(geometry.points[:, 2], depth[rows, columns])
    np.testing.assert_allclose(geometry.points[:, 0] / geometry.points[:, 2] * VGA.fx + VGA.cx, columns, atol=1e-3)


def test_grasp_of_a_lying_and_of_a_standing_thing():
    scene = table(thing('box', 3, (0.03, 0.22, 0.03), yaw=0.7, x=-0.2), thing('cylinder', 4, (0.06, 0.06, 0.2), x=0.2))
    camera = scene.camera[:3, :3]
    lying = lift(scene, GRASP, mask=scene.labels == 3).grasp
    standing = lift(scene, GRASP, mask=scene.labels == 4).grasp
    assert lying is not None and standing is not None
    axis = np.array([-np.sin(0.7), np.cos(0.7), 0])
    assert abs(camera @ lying.rotation[:, 1] @ axis) > np.cos(np.deg2rad(8))
    assert (camera @ lying.rotation[:, 2])[2] < -0.95  # from above
    assert 0.02 < lying.width < 0.05
    assert abs((camera @ standing.rotation[:, 1])[2]) > np.cos(np.deg2rad(10))
    assert abs((camera @ standing.rotation[:, 2])[2]) < 0.2  # level
    assert standing.width == pytest.approx(0.06, abs=0.01)
    for grasp in (lying, standing):
        np.testing.assert_allclose(grasp.rotation.T @ grasp.rotation, np.eye(3), atol=1e-6)
        assert np.linalg.det(grasp.rotation) == pytest.approx(1)
    wide = lift(scene, GRASP, mask=scene.labels == TABLE)
    assert wide.grasp is None and 'gripper' in wide.reason


def test_open_gets_the_front_plane_and_safety_no_placement():
    scene = table(thing('box', 3, (0.5, 0.3, 0.4), y=0.2))
    mask = scene.labels == 3
    front = mask & (np.abs(_world(scene)[..., 1] - 0.05) < 0.002)
    geometry = lift(scene, Instruction('open the drawer', role=Role.AFFORDANCE), mask=front)
    assert geometry.plane is not None
    assert (scene.camera[:3, :3] @ geometry.plane.normal)[1] == pytest.approx(-1, abs=0.01)
    assert not lift(scene, Instruction('put nothing here', role=Role.SAFETY)).placements


def test_every_box_holds_its_points_and_agrees_with_open3d():
    o3d = pytest.importorskip('open3d')
    scene = table(thing('box', 3, (0.25, 0.06, 0.15), yaw=0.4))
    for box in ('hull', 'upright'):
        geometry = lift(scene, PLAIN, mask=scene.labels == 3, box=box)
        local = np.abs((geometry.points - geometry.box.center) @ geometry.box.rotation)
        assert np.all(local <= geometry.box.size / 2 + 1e-4)
        assert np.linalg.det(geometry.box.rotation) == pytest.approx(1)
        if box == 'hull':
            cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(geometry.points.astype(float)))
            theirs = cloud.get_oriented_bounding_box()
            np.testing.assert_allclose(np.sort(geometry.box.size), np.sort(theirs.extent), rtol=0.1, atol=0.005)
    up = -scene.gravity
    assert np.abs(geometry.box.rotation.T @ up).max() == pytest.approx(1, abs=1e-6)


def test_on_the_same_noisy_points_the_box_is_open3d_s():
    o3d = pytest.importorskip('open3d')
    scene = table(thing('box', 3, (0.1, 0.08, 0.15), yaw=0.4), thing('cylinder', 4, (0.12, 0.12, 0.1), x=0.3))
    depth = observe(scene.depth, np.random.default_rng(0))
    for label in (3, 4):  # extents so alike that a few points more or less turn the axes
        geometry = lift(scene, PLAIN, mask=scene.labels == label, depth=depth)
        cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(geometry.points.astype(float)))
        box = cloud.get_oriented_bounding_box()
        theirs = OrientedBox(np.asarray(box.center), np.asarray(box.R), np.asarray(box.extent))
        assert box_iou(geometry.box, theirs) > 0.97
