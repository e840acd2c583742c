"""Surfaces of tables whose geometry is known exactly: planes, placements, free space, missing depth."""

from dataclasses import replace
import re

import numpy as np
import pytest
from tables import PLAIN, PUT, SAFETY, lift, table, thing

from converseg_ros.core import GeometryStatus, InputError, Intrinsics
from converseg_ros.lifting import lift_regions
from converseg_ros.lifting.truth import (
    TABLE,
    VGA,
    TruthScene,
    placement_faults,
    plane_error,
    random_scene,
)
from converseg_ros.scenes.render.depth_camera import observe


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


def test_hd_and_other_lenses():
    k = Intrinsics(500.0, 700.0, 300.0, 500.0, 1280, 720)
    scene = table(thing('box', 3, (0.2, 0.1, 0.1)), k=k)
    geometry = lift(scene)
    degrees, metres = plane_error(geometry.plane, scene.table, geometry.centroid)
    assert degrees < 0.5 and metres < 0.002 and geometry.placements
