"""Clouds for costmaps and files other programs read."""

from dataclasses import replace
import zlib

import numpy as np
import pytest

from converseg_ros.core import Frame, GeometryStatus, InputError, Instruction, Intrinsics, Prediction, Role, Status
from converseg_ros.core.geometry import Geometry, OrientedBox
from converseg_ros.core.region import Region
from converseg_ros.lifting import lift_regions
from converseg_ros.lifting.clouds import label_image, organized, segmented, voxel_pick, voxelize
from converseg_ros.lifting.export import collision_object, write_pcd, write_ply

H, W = 30, 40
K = Intrinsics(40.0, 40.0, 19.5, 14.5, W, H)


def frame() -> Frame:
    depth = np.full((H, W), 1.0, np.float32)
    depth[:5] = np.nan
    rgb = np.random.default_rng(0).integers(0, 255, (H, W, 3)).astype(np.uint8)
    return Frame(rgb, depth, K)


def region(x0, x1, role=Role.PLAIN, score=0.5, calibrated=True, asked='') -> Region:
    mask = np.zeros((H, W), bool)
    mask[10:20, x0:x1] = True
    return Region('', Instruction('it', role=role, id=asked), Prediction(mask, score, Status.OK, calibrated=calibrated))


def test_the_organized_cloud_is_aligned_with_the_label_image():
    regions = [region(5, 20, score=0.9), region(10, 30, Role.SAFETY, 0.2), region(0, 12, Role.AFFORDANCE, 0.3, False)]
    cloud = organized(frame(), regions)
    labels = label_image(regions, H, W)
    assert cloud.shape == (H, W) and cloud.dtype.itemsize == 28
    np.testing.assert_array_equal(cloud['label'], labels)
    assert labels[15, 15] == 2 and labels[15, 8] == 3 and labels[15, 25] == 2 and labels[0, 0] == 0
    assert np.isnan(cloud['z'][:5]).all() and np.isnan(cloud['x'][:5]).all()
    assert cloud['z'][15, 8] == 1.0 and cloud['x'][15, 39] == pytest.approx(19.5 / 40)
    assert cloud['confidence'][15, 15] == np.float32(0.2) and cloud['confidence'][15, 8] == 1.0, (
        'not calibrated: nothing may drop it'
    )
    assert not np.isnan(cloud['confidence']).any() and cloud['confidence'][0, 0] == 0
    bits = cloud['rgb'][15, 8].tobytes()
    assert list(bits[:3]) == frame().rgb[15, 8][::-1].tolist()  # little endian: b, g, r, 0


def test_a_point_names_its_instruction_whatever_the_order_of_the_regions():
    some = frame()
    mug, stove = region(5, 10, asked='mug-1'), region(20, 30, Role.SAFETY, asked='stove-7')
    lifted = lift_regions(some, [(r.instruction, r.prediction.mask) for r in (mug, stove)])
    mug, stove = replace(mug, geometry=lifted[0]), replace(stove, geometry=lifted[1])
    key = zlib.crc32(b'stove-7')
    for regions in ([mug, stove], [stove, mug], [stove]):
        for cloud in (organized(some, regions), segmented(some, regions)):
            mine = cloud['instruction'] == key
            assert mine.any() and set(cloud['label'][mine].tolist()) == {1 + regions.index(stove)}
            assert set(cloud['instruction'].ravel().tolist()) <= {r.instruction.key for r in regions} | {0}
    cloud = organized(some, [mug, stove])
    assert not cloud['instruction'][cloud['label'] == 0].any()


def test_scores_decide_between_regions_of_one_role_and_256_are_refused():
    assert label_image([region(5, 20, score=0.9), region(5, 20, score=0.1)], H, W)[15, 10] == 1
    with pytest.raises(InputError, match='256'):
        label_image([region(0, 1)] * 256, H, W)


def test_the_segmented_cloud_has_each_region_s_points():
    some = frame()
    regions = [region(5, 20), region(10, 30, Role.SAFETY)]
    geometry = lift_regions(some, [(r.instruction, r.prediction.mask) for r in regions])
    regions = [replace(r, geometry=g) for r, g in zip(regions, geometry)]
    cloud = segmented(some, regions)
    assert len(cloud) == sum(len(g.points) + len(g.extra) for g in geometry)
    assert set(cloud['label'].tolist()) == {1, 2}
    assert len(segmented(some, [])) == 0


def test_voxels():
    points = np.random.default_rng(0).uniform(-1, 1, (5000, 3)).astype(np.float32)
    chosen = voxel_pick(points, 0.2)
    keys = np.floor(points / np.float32(0.2)).astype(int)
    assert len(chosen) == len(np.unique(keys, axis=0)) == len(voxelize(points, 0.2))
    assert len(voxelize(points[:50], 0.2)) == len(np.unique(keys[:50], axis=0))
    one = voxelize(np.array([[0.05, 0.05, 0.05]], np.float32), 0.1, clearance=0.15)
    np.testing.assert_allclose(one.mean(0), 0.05, atol=1e-6)
    assert len(one) > 27 and np.abs(one - 0.05).max() <= 0.2 + 1e-6


def test_ply_and_pcd_are_read_by_open3d(tmp_path):
    o3d = pytest.importorskip('open3d')
    points = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    colors = np.random.default_rng(1).integers(0, 255, (100, 3)).astype(np.uint8)
    points[3] = np.nan
    good = np.arange(100) != 3
    for write, name in ((write_ply, 'a.ply'), (write_pcd, 'a.pcd')):
        write(tmp_path / name, points, colors, 7)
        cloud = o3d.t.io.read_point_cloud(str(tmp_path / name))
        np.testing.assert_allclose(cloud.point.positions.numpy(), points[good])
        np.testing.assert_array_equal(cloud.point.colors.numpy(), colors[good])
        assert set(cloud.point.label.numpy().ravel().tolist()) == {7}
        write(tmp_path / name, points)
    with pytest.raises(InputError, match='colours'):
        write_ply(tmp_path / 'b.ply', points, colors[:5])


def test_collision_objects():
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    box = OrientedBox(np.array([1.0, 2, 3]), turn, np.array([0.1, 0.2, 0.3]))
    geometry = Geometry(
        GeometryStatus.OK, frame_id='map', points=np.array([[1, 2, 3], [1, 2, 3.3]], np.float32), box=box
    )
    data = collision_object(geometry, 'mug', padding=0.01)
    assert data['header'] == {'frame_id': 'map'} and data['operation'] == 0
    np.testing.assert_allclose(data['primitives'][0]['dimensions'], [0.12, 0.22, 0.32])
    pose = data['primitive_poses'][0]
    assert pose['position'] == {'x': 1.0, 'y': 2.0, 'z': 3.0}
    assert pose['orientation']['z'] == pytest.approx(0.5**0.5) and pose['orientation']['w'] == pytest.approx(0.5**0.5)
    assert len(collision_object(geometry, 'mug', voxel=0.05)['primitives']) == 2
    assert collision_object(geometry, 'mug', operation='remove')['operation'] == 1
    with pytest.raises(InputError, match='no depth'):
        collision_object(Geometry(GeometryStatus.NO_DEPTH, 'no depth image'), 'mug')
