"""The examples run as they are documented, and what they say is true."""

import json
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest

from converseg_ros.core.files import write_json
from converseg_ros.lifting.truth import TABLE, random_scene

ROOT = Path(__file__).resolve().parents[2]


def run(name: str, *args: object) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / 'examples' / name), *map(str, args)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, env={'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    )


@pytest.mark.parametrize('more', [(), ('--camera-like',)])
def test_pick_and_place_holds_in_truth(more):
    done = run('pick_and_place.py', *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'free and supported' in done.stdout and 'grasp at' in done.stdout


def test_collision_objects(tmp_path):
    done = run('moveit_collision_objects.py', '--json', tmp_path / 'objects.json')
    assert done.returncode == 0, done.stderr
    objects = json.loads((tmp_path / 'objects.json').read_text())
    assert objects[0]['id'] == 'hot' and len(objects[0]['primitives']) > 10
    table = random_scene(4)
    height = table.solids[1].pose[2, 3] + 0.02
    for box in objects[1:]:
        centre = box['primitive_poses'][0]['position']
        assert height < centre['z'] < height + 0.3
        assert abs(centre['x']) < 0.8 and abs(centre['y']) < 0.6


def test_save_clouds(tmp_path):
    import cv2

    scene = random_scene(4)
    k = scene.intrinsics
    cv2.imwrite(str(tmp_path / 'c.png'), scene.frame().rgb)
    cv2.imwrite(str(tmp_path / 'd.png'), np.rint(scene.depth * 1000).astype(np.uint16))
    cv2.imwrite(str(tmp_path / 'm.png'), (scene.labels == TABLE).astype(np.uint8) * 255)
    write_json(
        tmp_path / 'k.json', {'width': k.width, 'height': k.height, 'K': [k.fx, 0, k.cx, 0, k.fy, k.cy, 0, 0, 1]}
    )
    done = run(
        'save_clouds.py', *(tmp_path / n for n in ('c.png', 'd.png', 'k.json', 'out')), '--mask', tmp_path / 'm.png'
    )
    assert done.returncode == 0, done.stderr
    for name in ('scene.ply', 'scene.pcd', 'region.ply', 'region.pcd'):
        assert (tmp_path / 'out' / name).stat().st_size > 10_000
