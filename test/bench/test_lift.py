"""The measurement measures what it says, and can fail."""

from pathlib import Path

import pytest

from converseg_ros.bench.lift import failures, measure_speed
from converseg_ros.bench.lift_rendered import judge_rendered
from converseg_ros.bench.lift_truth import judge_analytic
from converseg_ros.scenes.models import catalogue


def test_four_regions_of_sixty_thousand_pixels_are_lifted_and_compared():
    pytest.importorskip('open3d')
    speed = measure_speed((640, 480), repeat=1, open3d=True)
    assert speed['pixels'] == 60_000 and speed['placements'] > 0
    assert speed['points_in_box'] >= 0.99
    assert speed['centroid_mm'] < 5
    assert speed['times_faster'] > 0 and 0 < speed['box_iou_same_points'] <= 1


def test_promises_that_are_broken_are_named():
    truth = judge_analytic(1)['ideal']
    assert truth['scenes'] == 1 and truth['plane_degrees_max'] < 1
    good = {'median_ms': 1.0, 'placements': 1.0}
    assert failures({'speed': {'640x480': good}, 'truth': {'analytic': {'ideal': truth}}}) == []
    slow = {'speed': {'640x480': {**good, 'median_ms': 99.0}}, 'truth': {}}
    assert '99.0 ms' in failures(slow)[0]
    wrong = {**truth, 'placements_good': 0.5, 'plane_mm_p95': 9.0}
    assert len(failures({'speed': {}, 'truth': {'analytic': {'camera-like': wrong}}})) == 2


def test_a_scene_of_a_chosen_room_type_is_judged_by_its_own_geometry(tmp_path: Path) -> None:
    """The room type is not the one that the seed draws."""
    if not catalogue.available():
        pytest.skip('the object models are not installed (apt install sweethome3d-furniture)')
    from converseg_ros.scenes.render.scene_folder import render_scene

    render_scene(5, 'train', 1, tmp_path, room='office')
    found = judge_rendered(tmp_path, 1)['ideal']
    assert found['scenes_changed'] == 0 and found['scenes'] == 1
