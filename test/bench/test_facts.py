"""The benchmark of facts: what counts as a statement, and which region is compared with which object."""

from pathlib import Path

import numpy as np
import pytest

from converseg_ros.bench.facts import Statements, TrueNames, matching, statements, true_segments, views_of
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.naming import facts_of_view
from converseg_ros.scenes.models import catalogue


def test_undecided_statements_do_not_count() -> None:
    counted = Statements()
    found, true = Degree.known([0.9, 0.2, 0.6, 0.1]), Degree.partly([1.0, 0.0, np.nan, 1.0], 'opinions differ')
    counted.add(found, true, np.ones(4, bool))
    summary = counted.summary()
    assert (summary['n'], summary['true'], summary['precision'], summary['recall']) == (3, 2, 1.0, 0.5)
    assert summary['auc'] == pytest.approx(0.5)  # 0.9 is above 0.2, and 0.1 is not


def test_no_true_statement_has_no_area_under_the_curve() -> None:
    counted = Statements()
    counted.add(Degree.known([0.2, 0.7]), Degree.known([0.0, 0.0]), np.ones(2, bool))
    summary = counted.summary()
    assert summary['auc'] is None and summary['recall'] is None and summary['precision'] == 0.0


def test_only_regions_of_the_flat_cut_match_objects() -> None:
    objects = np.zeros((2, 10, 10), bool)
    objects[0, :5], objects[1, 8:, 8:] = True, True
    masks = np.zeros((3, 10, 10), bool)
    masks[0, :6], masks[1, 8:, 8:], masks[2, 3:] = True, True, True
    assert matching(objects, masks, np.array([True, False, True])).tolist() == [0, -1]


def test_geometry_agrees_with_the_ground_truth_of_a_rendered_room(tmp_path: Path) -> None:
    if not catalogue.available():
        pytest.skip('the object models are not installed (apt install sweethome3d-furniture)')
    from converseg_ros.scenes.render.scene_folder import render_scene

    render_scene(4, 'train', 1, tmp_path)
    ((truth, frame),) = views_of(tmp_path)
    wholes = [e for e in truth.listed if e.kind != 'part']
    facts = facts_of_view(frame, true_segments(truth, (240, 320)), TrueNames(wholes))
    rows = [i for i, e in enumerate(truth.listed) if e.kind in ('object', 'surface') and not truth.world.faint(e)]
    where = np.array([wholes.index(truth.listed[i]) for i in rows])
    table = {name: rest for name, *rest in statements(facts, where, truth.facts, np.array(rows))}
    for name in ('left_of', 'on', 'order elevation'):
        counted = Statements()
        counted.add(*table[name])
        assert counted.summary()['auc'] > 0.9, name
