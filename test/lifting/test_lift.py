"""Lifting against tables whose geometry is known exactly."""

from dataclasses import fields, replace
import re

import numpy as np
import pytest

from converseg_ros.core import Frame, GeometryStatus, InputError, Instruction, Intrinsics, Role
from converseg_ros.core.geometry import Geometry, OrientedBox
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.lifting.truth import (
    TABLE,
    VGA,
    Solid,
    TruthScene,
    box_iou,
    look_at,
    placement_faults,
    plane_error,
    random_scene,
)
from converseg_ros.scenes.render.depth_camera import observe

PUT = Instruction('Where can I set down the knife?', role=Role.AFFORDANCE)
GRASP = Instruction('Pick up the mug', role=Role.AFFORDANCE)
SAFETY = Instruction('the hot plate', role=Role.SAFETY)
PLAIN = Instruction('the box')


def table(*things: Solid, eye=(0.0, -1.0, 1.3), target=(0.0, 0.0, 0.7), size=(1.2, 0.8), roll=0.0, k=VGA) -> TruthScene:
    """Return a table of height 0.7 m with things on it."""
    top = np.eye(4)
    top[2, 3] = 0.68
    floor = np.eye(4)
    floor[2, 3] = -0.05
    solids = [
        Solid('box', 1, np.array([8.0, 8.0, 0.1]), floor),
        Solid('box', TABLE, np.array([*size, 0.04]), top),
        *things,
    ]
    return TruthScene(solids, look_at(np.array(eye), np.array(target), roll), k)


def thing(kind, label, size, x=0.0, y=0.0, yaw=0.0) -> Solid:
    """Return something standing on that table."""
    pose = np.eye(4)
    c, s = np.cos(yaw), np.sin(yaw)
    pose[:2, :2] = [[c, -s], [s, c]]
    pose[:3, 3] = x, y, 0.7 + size[2] / 2
    return Solid(kind, label, np.array(size, float), pose)


def lift(scene: TruthScene, instruction=PUT, mask=None, depth=None, gravity=True, **options) -> Geometry:
    mask = scene.labels == TABLE if mask is None else mask
    return lift_regions(scene.frame(depth, gravity=gravity), [(instruction, mask)], LiftOptions(**options))[0]


@pytest.mark.parametrize('noisy', [False, True])
def test_planes_and_placements_are_true(noisy):
    good = count = 0
    small = VGA.scaled(320, 240)
    for seed in range(12):
        scene = random_scene(seed, intrinsics=small)
        depth = observe(scene.depth, np.random.default_rng(seed)) if noisy else scene.depth
        geometry = lift(scene, depth=depth, mask=scene.labels >= TABLE)
        assert geometry.plane is not None and geometry.centroid is not None
        degrees, metres = plane_error(geometry.plane, scene.table, geometry.centroid)
        assert degrees < 1 and metres < 0.005
        for p in geometry.placements:
            count += 1
            good += not placement_faults(p, scene, scene.camera, TABLE, footprint=0.05, margin=0.01)
            assert p.free_radius >= 0.05 and 0 <= p.score <= 1
            np.testing.assert_allclose(p.rotation[:, 2], geometry.plane.normal)
            assert np.linalg.det(p.rotation) == pytest.approx(1)
            assert p.rotation[:, 0] @ -p.position > 0  # x towards the camera
    assert count > 20
    assert good / count >= (0.9 if noisy else 0.98)


def test_the_judge_finds_faults():
    scene = table(thing('box', 3, (0.1, 0.1, 0.1)))
    geometry = lift(scene)
    best = geometry.placements[0]
    camera = scene.camera

    def moved_to(x, y, z):
        return replace(best, position=camera[:3, :3].T @ (np.array([x, y, z]) - camera[:3, 3]))

    def faults(p):
        return placement_faults(p, scene, camera, TABLE, footprint=0.05, margin=0.01)

    assert faults(best) == []
    assert faults(moved_to(0, 0, 0.7)) == ['not free', 'not supported']  # in the box
    assert faults(moved_to(0.105, 0, 0.7)) == ['not free']  # its margin touches the box
    assert faults(moved_to(0.57, 0, 0.7)) == ['not supported']  # over the edge
    assert faults(moved_to(0.4, 0, 0.78)) == ['not supported']  # in the air


def test_everything_above_the_plane_is_an_obstacle_even_outside_the_mask():
    knife = thing('box', 3, (0.02, 0.3, 0.012), x=0.15, yaw=0.4)
    lamp = thing('box', 4, (0.3, 0.3, 0.05), x=-0.3)
    lamp.pose[2, 3] = 1.0  # hangs over the table, 30 cm up
    scene = table(knife, lamp)
    for mask in (scene.labels == TABLE, scene.labels >= TABLE):
        geometry = lift(scene, mask=mask, max_placements=20)
        assert geometry.placements
        for p in geometry.placements:
            assert not placement_faults(p, scene, scene.camera, TABLE, footprint=0.05, margin=0.01, tall=0.5)


def test_what_a_safety_mask_covers_is_not_free_though_it_is_flat():
    scene = table()
    hot = np.zeros_like(scene.labels, bool)
    hot[:, :320] = True
    frame = scene.frame()
    free = lift_regions(frame, [(PUT, scene.labels == TABLE)])[0]
    both = lift_regions(frame, [(PUT, scene.labels == TABLE), (SAFETY, hot & (scene.labels == TABLE))])[0]
    assert any(p.position[0] < -0.1 for p in free.placements)
    assert all(p.position[0] > 0.05 for p in both.placements) and both.placements


def test_unknown_is_not_free_but_small_holes_do_not_matter():
    scene = table()
    unknown = scene.depth.copy()
    unknown[:, 320:] = 0
    assert all(p.position[0] < -0.05 for p in lift(scene, depth=unknown).placements)
    speckled = scene.depth.copy()
    speckled[::20, ::20] = np.nan
    speckled[240:245, 300:305] = 0
    radius = max(p.free_radius for p in lift(scene).placements)
    assert max(p.free_radius for p in lift(scene, depth=speckled).placements) > 0.9 * radius
    glass = scene.depth.copy()  # a glass of 6 cm leaves no depth: a hole that is no sensor's speckle
    rows, columns = np.mgrid[:480, :640]
    hole = np.hypot(rows - 240, columns - 320) < 20
    glass[hole] = 0
    view = scene.camera[:3, :3]
    for p in lift(scene, depth=glass, max_placements=20).placements:
        u = VGA.fx * p.position[0] / p.position[2] + VGA.cx
        v = VGA.fy * p.position[1] / p.position[2] + VGA.cy
        pixels = (p.free_radius - 0.02) * VGA.fx / p.position[2] * abs(view[2, 2])
        assert np.hypot(u - 320, v - 240) > 20 + pixels


def test_support_must_be_level_where_gravity_is_known():
    wall = thing('box', 3, (0.6, 0.05, 0.5), y=0.2)
    scene = table(wall)
    geometry = lift(scene, mask=scene.labels == 3)
    assert not geometry.placements
    assert 'level' in geometry.reason or 'no free disc' in geometry.reason
    plain = lift(scene, PLAIN, mask=scene.labels == 3)
    assert plain.plane is not None
    assert abs((scene.camera[:3, :3] @ plain.plane.normal)[1]) > 0.99  # the wall's front


def test_without_gravity_it_says_so_and_an_upside_down_camera_is_noticed():
    upright = lift(table(), gravity=False)
    assert upright.placements and 'gravity is unknown' in upright.reason
    scene = table(roll=np.pi)
    over = lift(scene, gravity=False)
    assert not over.placements and 'upside down' in over.reason
    assert lift(scene).placements  # with gravity the same image is no problem


def test_rgb_only_and_uncalibrated_cameras_get_no_depth_with_the_reason():
    scene = table()
    mask = scene.labels == TABLE
    frame = scene.frame()
    for other, word in ((replace(frame, depth=None), 'depth'), (replace(frame, intrinsics=None), 'camera_info')):
        geometry = lift_regions(other, [(PUT, mask), (SAFETY, mask)])
        assert [g.status for g in geometry] == [GeometryStatus.NO_DEPTH] * 2
        assert word in geometry[0].reason
    empty = lift_regions(frame, [(PUT, np.zeros_like(mask))])[0]
    assert empty.status == GeometryStatus.NOT_COMPUTED
    with pytest.raises(InputError, match='mask'):
        lift_regions(frame, [(PUT, mask[:10])])
    assert lift_regions(frame, []) == []


def test_partial_depth_is_said():
    scene = table()
    depth = scene.depth.copy()
    depth[:, 400:] = np.nan
    geometry = lift(scene, depth=depth)
    assert geometry.status == GeometryStatus.PARTIAL
    assert 0 < geometry.valid_depth_ratio < 0.9 and '%' in geometry.reason


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


def _world(scene: TruthScene) -> np.ndarray:
    k = scene.intrinsics
    u, v = np.meshgrid(np.arange(k.width), np.arange(k.height))
    local = np.stack([(u - k.cx) / k.fx, (v - k.cy) / k.fy, np.ones(u.shape)], -1) * scene.depth[..., None]
    return local @ scene.camera[:3, :3].T + scene.camera[:3, 3]


def seen_from(degrees: float) -> TruthScene:
    """Return a table seen from 1.5 m, so many degrees above its top."""
    down = np.deg2rad(degrees)
    return table(thing('box', 3, (0.1,) * 3, x=0.2), eye=(0, -1.5 * np.cos(down), 0.7 + 1.5 * np.sin(down)))


@pytest.mark.parametrize('degrees', [8, 10])
@pytest.mark.parametrize('noisy', [False, True])
def test_a_table_seen_flat_has_its_true_plane_though_its_depth_steps_from_row_to_row(degrees, noisy):
    scene = seen_from(degrees)
    depth = observe(scene.depth, np.random.default_rng(0)) if noisy else scene.depth
    geometry = lift(scene, depth=depth)
    off, metres = plane_error(geometry.plane, scene.table, geometry.centroid)
    assert off < 1 and metres < 0.005 and geometry.placements
    for placement in geometry.placements:
        assert not placement_faults(placement, scene, scene.camera, TABLE, footprint=0.05, margin=0.01)


@pytest.mark.parametrize('degrees', [3, 5])
def test_a_table_seen_flatter_than_that_is_refused_with_a_reason(degrees):
    scene = seen_from(degrees)
    geometry = lift(scene)
    assert geometry.plane is None and not geometry.placements
    assert re.search('no placement: .*(too flat|no surface)', geometry.reason)


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


OTHER = {
    'min_depth': 1.2,
    'max_depth': 1.1,
    'edge_px': 0,
    'edge_jump': 0.5,
    'min_points': 10**6,
    'min_part': 0.0,
    'partial_below': 0.999,
    'voxel': 0.05,
    'box': 'upright',
    'box_points': 64,
    'plane_points': 20,
    'plane_tolerance': 0.05,
    'plane_min_ratio': 1.0,
    'support_tilt': 0.001,
    'support_view': 89.0,
    'footprint': 0.2,
    'clearance': 0.1,
    'edge_margin': 0.15,
    'obstacle_height': 0.2,
    'cell': 0.02,
    'hole': 0.0,
    'max_placements': 1,
    'gripper_width': 0.01,
    'safety_dilation_px': 40,
    'safety_clearance': 0.2,
    'safety_depth': 0.01,
    'safety_step': 0.005,
}


@pytest.fixture(scope='module')
def everything() -> tuple[Frame, list]:
    """Return a frame and requests that use every output."""
    scene = table(thing('box', 3, (0.12, 0.05, 0.15), x=-0.2, yaw=0.5), thing('sphere', 4, (0.08, 0.08, 0.08), x=0.2))
    mask3 = scene.labels == 3
    shifted = np.roll(mask3, 6, axis=0) | mask3  # leaks
    depth = observe(scene.depth, np.random.default_rng(2))
    flat = np.zeros_like(mask3)
    flat[300:310, 300:310] = True
    return scene.frame(depth), [
        (PUT, scene.labels >= TABLE),
        (GRASP, shifted),
        (SAFETY, scene.labels == 4),
        (SAFETY, flat),
    ]


@pytest.mark.parametrize('name', [f.name for f in fields(LiftOptions)])
def test_every_option_has_an_effect(everything, name):
    def tell(options):
        return [
            (g.status, g.reason, len(g.points), float(g.extra.sum()),
             g.box and g.box.size.tolist(), g.plane and g.plane.d,
             [(p.position.tolist(), p.free_radius) for p in g.placements], g.grasp and g.grasp.width)
            for g in lift_regions(*everything, options)
        ]  # fmt: skip

    assert tell(LiftOptions(**{name: OTHER[name]})) != tell(LiftOptions())


@pytest.mark.parametrize(
    'bad', [{'cell': 0.0}, {'voxel': -1.0}, {'box': 'round'}, {'max_depth': 0.05}, {'footprint': np.nan}]
)
def test_meaningless_options_are_refused(bad):
    with pytest.raises(InputError):
        LiftOptions(**bad)


def test_hd_and_other_lenses():
    k = Intrinsics(500.0, 700.0, 300.0, 500.0, 1280, 720)
    scene = table(thing('box', 3, (0.2, 0.1, 0.1)), k=k)
    geometry = lift(scene)
    degrees, metres = plane_error(geometry.plane, scene.table, geometry.centroid)
    assert degrees < 0.5 and metres < 0.002 and geometry.placements
