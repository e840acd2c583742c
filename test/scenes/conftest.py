"""Scenes for the tests: built once; skipped where the object models are not installed."""

import numpy as np
import pytest

from converseg_ros.scenes.models import catalogue


@pytest.fixture(scope='session')
def furniture():
    if not catalogue.available():
        pytest.skip('the object models are not installed (apt install sweethome3d-furniture)')


@pytest.fixture(scope='session')
def built(furniture):
    from converseg_ros.scenes.layout.build import build

    return build(4, 'train', 2)


@pytest.fixture(scope='session')
def rendered(built, tmp_path_factory):
    """One scene folder, rendered at the real size."""
    from converseg_ros.scenes.render.scene_folder import render_scene

    out = tmp_path_factory.mktemp('scenes')
    return render_scene(4, 'train', 2, out)


@pytest.fixture
def bench(furniture):
    """An empty scene with a floor and a large plain table: (builder, table surface, floor surface)."""
    from converseg_ros.scenes.geometry.mesh import translation
    from converseg_ros.scenes.geometry.shapes import box
    from converseg_ros.scenes.graph import Scene
    from converseg_ros.scenes.layout.builder import Builder, Surface
    from converseg_ros.scenes.models.procedural import Shape, fixed

    b = Builder(Scene('bench', 0, 'lab', 'train'), np.random.default_rng(1))
    floor = b.add('floor', Shape(box(8, 8, 0.1, fixed((60, 60, 60)))), translation(0, 0, -0.1), kind='structure')
    table = b.add('table', Shape(box(1.8, 1.0, 0.75, fixed((120, 80, 50)))), np.eye(4), kind='surface')
    from converseg_ros.scenes.layout.builder import Footprint

    b.floor_taken.append(Footprint(0, 0, 0.9, 0.5, 0))
    return b, Surface(table.node.id, 0, 0, 0.9, 0.5, 0, 0.75), Surface(floor.node.id, 0, 0, 4, 4, 0, 0, 2)
