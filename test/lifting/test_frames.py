"""Transforms in time, geometry in other frames, depth from another camera, words to outputs."""

import numpy as np
import pytest

from converseg_ros.core import GeometryStatus, InputError, Instruction, Intrinsics, Role
from converseg_ros.core.stamps import SECOND
from converseg_ros.lifting import lift_regions, outputs_of
from converseg_ros.lifting.registration import register
from converseg_ros.lifting.tf import (
    TransformBuffer,
    TransformError,
    invert,
    matrix_quaternion,
    quaternion_matrix,
)
from converseg_ros.lifting.transform import transform_geometry, without_transform
from converseg_ros.lifting.truth import TABLE, random_scene

NO_TURN = (0.0, 0.0, 0.0, 1.0)


def turned(degrees) -> tuple[float, float, float, float]:
    half = np.deg2rad(degrees) / 2
    return 0.0, 0.0, float(np.sin(half)), float(np.cos(half))


def test_quaternions_and_matrices_agree():
    rng = np.random.default_rng(0)
    for q in rng.normal(size=(50, 4)):
        r = quaternion_matrix(q)
        np.testing.assert_allclose(r.T @ r, np.eye(3), atol=1e-12)
        q = q / np.linalg.norm(q)
        np.testing.assert_allclose(matrix_quaternion(r), q if q[3] >= 0 else -q, atol=1e-9)


def test_lookup_interpolates_and_chains():
    tf = TransformBuffer()
    tf.set('map', 'base', 0, (0, 0, 0), NO_TURN)
    tf.set('map', 'base', 2 * SECOND, (2, 0, 0), turned(90))
    tf.set('base', 'camera', 0, (0, 0, 1), NO_TURN, static=True)
    tf.set('map', 'other', 0, (5, 0, 0), NO_TURN, static=True)
    middle = tf.lookup('map', 'camera', SECOND)
    np.testing.assert_allclose(middle[:3, 3], [1, 0, 1])
    np.testing.assert_allclose(middle[:3, :3], quaternion_matrix(turned(45)), atol=1e-9)
    np.testing.assert_allclose(tf.lookup('camera', 'map', SECOND), invert(middle), atol=1e-12)
    np.testing.assert_allclose(tf.lookup('other', 'camera', SECOND)[:3, 3], [-4, 0, 1])
    np.testing.assert_allclose(tf.lookup('/map', '/map', 99 * SECOND), np.eye(4))
    np.testing.assert_allclose(tf.gravity('map', 'camera', SECOND), [0, 0, -1], atol=1e-12)
    assert tf.failures == 0


def test_gaps_are_named_counted_and_say_whether_waiting_helps():
    tf = TransformBuffer(keep=5)
    tf.set('map', 'base', 10 * SECOND, (0, 0, 0), NO_TURN)
    for stamp, wait in ((11 * SECOND, True), (9 * SECOND, False)):
        with pytest.raises(TransformError, match=r'1\.000 s') as error:
            tf.lookup('map', 'base', stamp)
        assert error.value.wait is wait
    with pytest.raises(TransformError, match='not connected'):
        tf.lookup('map', 'nowhere', 0)
    assert tf.failures == 3
    tf.set('base', 'map', 0, (0, 0, 0), NO_TURN, static=True)
    with pytest.raises(TransformError, match='loop'):
        tf.lookup('base', 'elsewhere', 0)
    for bad in ((0, 0, 0, 0), (np.nan, 0, 0, 1)):
        with pytest.raises(TransformError):
            tf.set('a', 'b', 0, (0, 0, 0), bad)
    with pytest.raises(TransformError):
        tf.set('a', 'b', 0, (np.inf, 0, 0), NO_TURN)


def test_history_is_bounded_and_late_messages_find_their_place():
    tf = TransformBuffer(keep=2)
    for i in (0, 2, 1, 1, 3, 4, 5):
        tf.set('map', 'base', i * SECOND, (i, 0, 0), NO_TURN)
    assert tf.lookup('map', 'base', 4 * SECOND + SECOND // 2)[0, 3] == 4.5
    with pytest.raises(TransformError):
        tf.lookup('map', 'base', SECOND)
    tf.set('base', 'camera', 0, (0, 0, 1), NO_TURN, static=True)
    tf.set('map', 'base', SECOND // 2, (7, 0, 0), NO_TURN)  # the bag was restarted
    assert tf.lookup('map', 'camera', SECOND // 2)[0, 3] == 7
    tf.clear()
    with pytest.raises(TransformError):
        tf.lookup('map', 'camera', SECOND // 2)


def test_geometry_moves_as_a_whole():
    scene = random_scene(4)
    frame = scene.frame()
    instruction = Instruction('where can I put it', role=Role.AFFORDANCE)
    geometry = lift_regions(frame, [(instruction, scene.labels == TABLE)])[0]
    moved = transform_geometry(geometry, scene.camera, 'map')
    height = float(scene.solids[1].pose[2, 3] + 0.02)
    assert moved.frame_id == 'map' and moved.status == geometry.status
    np.testing.assert_allclose(moved.plane.normal, [0, 0, 1], atol=1e-3)
    assert -moved.plane.d == pytest.approx(height, abs=2e-3)
    for p in moved.placements:
        assert p.position[2] == pytest.approx(height, abs=2e-3)
        np.testing.assert_allclose(p.rotation[:, 2], [0, 0, 1], atol=1e-3)
    assert np.median(moved.points[:, 2]) == pytest.approx(height, abs=2e-3)
    assert moved.distance == geometry.distance
    back = transform_geometry(moved, invert(scene.camera), 'camera')
    np.testing.assert_allclose(back.box.center, geometry.box.center, atol=1e-9)
    stayed = without_transform(geometry, 'map is not known')
    assert stayed.status == GeometryStatus.NO_TF and 'map' in stayed.reason


K = Intrinsics(100.0, 100.0, 49.5, 39.5, 100, 80)


def test_depth_of_another_size_is_scaled_only_if_the_view_is_the_same():
    depth = np.arange(80 * 100, dtype=np.float32).reshape(80, 100)
    big = register(depth, K, K.scaled(200, 160), same_frame=True)
    assert big.shape == (160, 200)
    np.testing.assert_array_equal(big[::2, ::2], depth)
    small = register(depth, K, K.scaled(50, 40), same_frame=True)
    assert small.shape == (40, 50) and np.isin(small, depth).all()  # no invented depth
    with pytest.raises(InputError, match='intrinsics do not agree'):
        register(depth, K, Intrinsics(150.0, 150.0, 49.5, 39.5, 100, 80), same_frame=True)
    with pytest.raises(InputError, match='camera_info says'):
        register(depth[:10], K, K, same_frame=True)


def test_depth_from_another_camera_is_projected_and_the_nearest_wins():
    depth = np.full((80, 100), 2.0, np.float32)
    depth[30:50, 40:60] = 1.0
    depth[:, :3] = np.nan
    shift = np.eye(4)
    shift[0, 3] = -0.1  # the colour camera is 10 cm to the right: 10 pixels at 1 m, 5 at 2 m
    out = register(depth, K, K, shift)
    np.testing.assert_allclose(out[31:49, 31:49], 1.0)
    assert np.nanmax(out[40, 55:90]) == 2.0
    assert np.isnan(out[40, 96:]).all()
    fine = register(depth, K, K.scaled(250, 200), shift)
    assert np.isnan(fine[100, 100:200]).mean() < 0.2  # no cracks, but the shadow of the box
    for bad, word in ((None, 'not known'), (np.full((4, 4), np.nan), 'finite'), (2 * np.eye(4), 'rigid')):
        with pytest.raises(InputError, match=word):
            register(depth, K, K, bad)


@pytest.mark.parametrize(
    ('text', 'role', 'asked'),
    [
        ('Where can I safely set down the knife?', Role.AFFORDANCE, {'placement'}),
        ('put the cup here', Role.AFFORDANCE, {'placement'}),
        ('a free spot on the counter', Role.AFFORDANCE, {'placement'}),
        ('what could put out a fire', Role.AFFORDANCE, {'grasp'}),
        ('pick up the mug', Role.AFFORDANCE, {'grasp'}),
        ('something to cut bread with', Role.AFFORDANCE, {'grasp'}),
        ('open the drawer', Role.AFFORDANCE, {'front', 'grasp'}),
        ('somewhere to sit', Role.AFFORDANCE, set()),
        ('where can I put it', Role.SAFETY, {'keep_out'}),
        ('the hot plate', Role.SAFETY, {'keep_out'}),
        ('put', Role.PLAIN, set()),
        ('the red mug', Role.PLAIN, set()),
    ],
)
def test_role_and_verb_decide_what_is_computed(text, role, asked):
    outputs = outputs_of(Instruction(text, role=role))
    assert {name for name in ('placement', 'grasp', 'front', 'keep_out') if getattr(outputs, name)} == asked
