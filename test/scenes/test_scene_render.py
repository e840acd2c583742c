import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from converseg_ros.scenes.geometry import kernels
from converseg_ros.scenes.graph import Scene, object_mask


def _images(folder: Path, view: str):
    return [
        cv2.imread(str(folder / f'{view}{e}.png'), cv2.IMREAD_UNCHANGED) for e in ('', '.depth', '.noisy', '.labels')
    ]


def test_a_scene_is_a_function_of_its_seed(rendered, tmp_path):
    from converseg_ros.scenes.render.scene_folder import render_scene

    again = render_scene(4, 'train', 2, tmp_path)
    names = sorted(p.name for p in rendered.iterdir())
    assert names == sorted(p.name for p in again.iterdir())
    assert all((rendered / n).read_bytes() == (again / n).read_bytes() for n in names)


def test_whole_scenes_are_skipped_and_half_ones_made_again(rendered, tmp_path):
    import shutil

    from converseg_ros.scenes.render.scene_folder import render_many

    shutil.copytree(rendered, tmp_path / rendered.name)
    (tmp_path / '.train_000009.77').mkdir()
    stamp = os.stat(tmp_path / rendered.name / 'scene.json').st_mtime_ns
    assert render_many([4], 'train', 2, tmp_path, 'raster', 1) == 0
    assert os.stat(tmp_path / rendered.name / 'scene.json').st_mtime_ns == stamp
    assert not (tmp_path / '.train_000009.77').exists()


def test_depth_points_of_each_label_lie_on_that_objects_mesh(rendered, built):
    import open3d

    scene = Scene.load(rendered)
    view = scene.views[0]
    _, depth, _, labels = _images(rendered, view.name)
    fx, fy, cx, cy = view.k
    pose = np.array(view.pose)
    checked = 0
    for node in scene.objects:
        mask = object_mask(labels, scene, node.id)
        if mask.sum() < 150 or node.id not in built.builder.things:
            continue
        v, u = np.nonzero(mask)
        pick = np.random.default_rng(0).choice(len(v), 60)
        z = depth[v[pick], u[pick]] / 1000.0
        local = np.stack([(u[pick] - cx) / fx * z, (v[pick] - cy) / fy * z, z], 1)
        world = (local @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)
        triangles = built.triangles(node.id)
        cast = open3d.t.geometry.RaycastingScene(nthreads=1)
        cast.add_triangles(
            open3d.core.Tensor(triangles.reshape(-1, 3)),
            open3d.core.Tensor(np.arange(len(triangles) * 3, dtype=np.uint32).reshape(-1, 3)),
        )
        assert float(cast.compute_distance(open3d.core.Tensor(world)).numpy().max()) < 0.004
        checked += 1
    assert checked >= 5


def test_the_graph_counts_what_the_labels_show(rendered):
    scene = Scene.load(rendered)
    for view in scene.views:
        color, depth, noisy, labels = _images(rendered, view.name)
        assert color.shape == (480, 640, 3) and depth.dtype == noisy.dtype == labels.dtype == np.uint16
        assert 25 < color.mean() < 235 and color.std() > 12
        for node in scene.objects:
            count = int(object_mask(labels, scene, node.id).sum())
            assert view.pixels.get(str(node.id), 0) == count
            if count:
                assert 0 < view.visible.get(str(node.id), 1.0) <= 1
                for other in view.occluded_by.get(str(node.id), []):
                    assert other != node.id
        assert 0.02 < (noisy == 0).mean() < 0.12


def test_supports_carry_what_stands_on_them(built):
    scene = built.scene
    node = {o.id: o for o in scene.objects}
    tops = {s.id: [] for s in built.surfaces}
    for surface in built.surfaces:
        tops[surface.id].append(surface.z)
    for thing in built.builder.things.values():
        o = thing.node
        if o.support:
            assert o.support in node and o.id != o.support
            assert o.support in o.contacts
        if o.inside:
            assert node[o.inside].category
        if o.support in tops and not o.inside and not o.stack > 1:
            low = float(thing.bounds[0][2])
            assert min(abs(low - z) for z in tops[o.support]) < 0.003, (o.category, low, tops[o.support])
        for other in o.falls_with:
            assert other in node and other != o.id


def test_neighbours_on_a_surface_do_not_overlap(built):
    from converseg_ros.scenes.layout.builder import Footprint

    actors = {i for e in built.scene.interactions for i in (e.actor, e.target)}
    for surface in built.surfaces:
        prints = []
        for thing in built.builder.things.values():
            if thing.node.support == surface.id and thing.node.id not in actors and not thing.node.inside:
                low, high = thing.shape.mesh.bounds
                yaw = float(np.arctan2(thing.pose[1, 0], thing.pose[0, 0]))
                half = (high - low)[:2] / 2
                x, y = thing.pose[:2, 3]
                prints.append((Footprint(x, y, float(half[0]), float(half[1]), yaw), low[2] + thing.pose[2, 3]))
        for i, (a, za) in enumerate(prints):
            for b, zb in prints[i + 1 :]:
                assert abs(za - zb) > 0.2 or not a.overlaps(b, -0.002)


def test_splits_share_no_model(furniture):
    from converseg_ros.scenes.layout.build import build

    used = {s: {o.model for o in build(2, s, 1, 'lab').scene.objects if o.model} for s in ('train', 'test')}
    assert used['train'] and used['test'] and not used['train'] & used['test']


def test_the_sheet_shows_scenes(rendered, tmp_path):
    from converseg_ros.cli import main

    assert main(['scenes', 'sheet', str(rendered.parent), '--out', str(tmp_path / 'sheet.png')]) == 0
    assert cv2.imread(str(tmp_path / 'sheet.png')).std() > 20


def test_the_bag_holds_the_scene(rendered, tmp_path):
    from rosbags.rosbag2 import Reader
    from rosbags.typesys import Stores, get_typestore

    from converseg_ros.scenes.render.bag import COLOR, DEPTH, INFO, disparity_steps, write_bag

    scene = Scene.load(rendered)
    size = write_bag(rendered, tmp_path / 'bag', 5.0)
    assert 0 < size < 1_000_000
    types = get_typestore(Stores.ROS2_JAZZY)
    got = {}
    with Reader(tmp_path / 'bag') as reader:
        for link, stamp, raw in reader.messages():
            got.setdefault(link.topic, []).append((stamp, types.deserialize_cdr(raw, link.msgtype)))
    assert {k: len(v) for k, v in got.items()} == dict.fromkeys((COLOR, DEPTH, INFO, '/tf'), len(scene.views))
    for i, view in enumerate(scene.views):
        color, _, noisy, _ = _images(rendered, view.name)
        jpeg = cv2.imdecode(got[COLOR][i][1].data, cv2.IMREAD_COLOR)
        assert np.abs(jpeg.astype(int) - color).mean() < 6
        depth = cv2.imdecode(got[DEPTH][i][1].data[12:], cv2.IMREAD_UNCHANGED)
        assert np.array_equal(depth, disparity_steps(noisy, view.k[0]))
        near = (noisy > 0) & (noisy < 2000)
        assert np.abs(depth[near].astype(int) - noisy[near]).max() <= 10
        np.testing.assert_allclose(got[INFO][i][1].k[[0, 4, 2, 5]], view.k)
        assert got['/tf'][i][1].transforms[0].header.stamp == got[COLOR][i][1].header.stamp
    with pytest.raises(Exception, match='exists'):
        write_bag(rendered, tmp_path / 'bag', 5.0)


def test_cycles_draws_what_the_labels_say(furniture, monkeypatch):
    from converseg_ros.core.geometry import look_at
    from converseg_ros.scenes.geometry.mesh import translation
    from converseg_ros.scenes.geometry.raycast import RayCaster
    from converseg_ros.scenes.geometry.shapes import box
    from converseg_ros.scenes.graph import View
    from converseg_ros.scenes.layout import light
    from converseg_ros.scenes.layout.build import Built
    from converseg_ros.scenes.layout.builder import Builder
    from converseg_ros.scenes.models.procedural import Shape, fixed
    from converseg_ros.scenes.render import cycles

    if cycles.interpreter() is None:
        pytest.skip('no bpy environment (converseg scenes setup)')
    scene = Scene('cycles', 0, 'lab', 'train')
    b = Builder(scene, np.random.default_rng(0))
    b.add('floor', Shape(box(4, 4, 0.1, fixed((8, 8, 8), 0.9))), translation(0, 0, -0.1), kind='structure')
    bright = b.add(
        'box', Shape(box(0.3, 0.2, 0.25, fixed((250, 250, 250), 0.9, emission=8.0))), translation(0.1, 0.05, 0)
    )
    mesh, labels = b.join_all()
    owner = np.zeros(65536, np.uint16)
    owner[[o.id for o in scene.objects]] = [o.id for o in scene.objects]
    pose = look_at(np.array([0.5, -1.1, 0.8]), np.array([0.05, 0.0, 0.1]), 0.1)
    view = View('view0', 160, 120, [150.0, 150.0, 84.0, 56.0], pose.tolist())
    scene.views = [view]
    room = light.Lighting([], [0.05, 0.05, 0.05])
    made = Built(scene, b, room, mesh, labels, RayCaster(mesh, labels), owner, [], (4, 4, 3))
    try:
        picture = cycles.render(made, [view])[0]
    finally:
        cycles.stop()
    lit = picture.color.mean(2) > 220
    truth = picture.labels == bright.node.id
    assert truth.sum() > 500
    assert (lit & truth).sum() / (lit | truth).sum() > 0.95


def test_shares_count_each_ray_once_and_who_is_in_front():
    rays = np.array([0, 0, 0, 1, 1, 3])  # ray 0: thing 2 twice behind thing 1; ray 1: thing 2 before 1; ray 3: only 2
    t = np.array([2.0, 1.0, 3.0, 1.0, 2.0, 1.0], np.float32)
    things = np.array([2, 1, 2, 2, 1, 2], np.uint16)
    whole, hidden = kernels.shares(rays, t, things, 4)
    assert whole.tolist() == [0, 2, 3, 0]
    assert {(int(b), int(f)): int(hidden[b, f]) for b, f in np.argwhere(hidden)} == {(2, 1): 1, (1, 2): 1}


def test_smoothing_averages_within_a_surface_and_never_across_its_edge():
    rng = np.random.default_rng(0)
    labels = np.zeros((24, 32), np.uint16)
    labels[:, 16:] = 1
    normals = np.zeros((3, 24, 32), np.float32)
    normals[2, :12], normals[0, 12:] = 1, 1  # bent by a right angle half-way down
    values = rng.random((2, 24, 32)).astype(np.float32)
    for step in (1, 3):
        result = kernels.smooth(values, normals, labels, step)
        for y, x in [(0, 0), (11, 15), (12, 16), (23, 31), (5, 20)]:
            near = [
                (y + dy, x + dx)
                for dy in (-step, 0, step)
                for dx in (-step, 0, step)
                if 0 <= y + dy < 24 and 0 <= x + dx < 32
            ]
            alike = [p for p in near if labels[p] == labels[y, x] and (p[0] < 12) == (y < 12)]
            weights = [2 if p == (y, x) else 1 for p in alike]
            for k in range(2):
                assert np.isclose(result[k, y, x], np.average([values[k][p] for p in alike], weights=weights))
