import json

import pytest

from converseg_ros.core import ConversegError, InputError
from converseg_ros.scenes.graph import ATTRIBUTES, Interaction, Scene, SceneObject, View
from converseg_ros.scenes.models import catalogue


def test_a_scene_survives_its_file(tmp_path):
    scene = Scene('train_000001', 1, 'kitchen', 'train')
    scene.objects = [
        SceneObject(1, 'table', kind='surface', parts={'top': 2}),
        SceneObject(3, 'mug', support=1, tips=True),
    ]
    scene.interactions = [Interaction('holding', 4, 3, 5)]
    scene.views = [View('view0', 640, 480, [600, 600, 320, 240], [[1, 0, 0, 0]] * 4, {'3': 9}, {'3': 0.5}, {'3': [1]})]
    scene.save(tmp_path)
    assert Scene.load(tmp_path) == scene


def test_a_broken_scene_file_is_refused_with_a_cure(tmp_path):
    (tmp_path / 'scene.json').write_text('{"id": "x"')
    with pytest.raises(InputError, match='render it again'):
        Scene.load(tmp_path)


def test_missing_models_are_told_with_the_package_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv('CONVERSEG_FURNITURE', str(tmp_path))
    with pytest.raises(ConversegError, match='apt install sweethome3d-furniture'):
        catalogue.entries.__wrapped__()


def test_wrong_options_are_refused(tmp_path, capsys):
    from converseg_ros.cli import main

    assert main(['scenes', 'render', '--views', '0', '--out', str(tmp_path)]) == 1
    assert main(['scenes', 'render', '--room', 'cockpit', '--out', str(tmp_path)]) == 1
    assert 'cockpit' in capsys.readouterr().err
    assert main(['scenes', 'sheet', str(tmp_path), '--out', str(tmp_path / 's.png')]) == 1


def test_categories_use_the_contracts_attributes():
    from converseg_ros.scenes.layout.rooms import ROOMS
    from converseg_ros.scenes.models.categories import CATEGORIES
    from converseg_ros.scenes.models.curated import CHOICES
    from converseg_ros.scenes.models.procedural import MAKERS

    assert {a for c in CATEGORIES.values() for a in c.attributes} <= set(ATTRIBUTES)
    assert {c.category for c in CHOICES} <= set(CATEGORIES)
    assert set(MAKERS) <= set(CATEGORIES)
    assert len(ROOMS) >= 8
    assert {i for r in ROOMS.values() for i in (*r.items, *r.floor_items)} <= set(CATEGORIES)


def test_the_attribution_names_creator_and_licence_of_every_model(furniture):
    from converseg_ros.scenes.models.curated import CHOICES

    text = catalogue.attribution()
    assert {e.licence for e in catalogue.entries().values()} <= set(catalogue.LICENCES.values())
    assert all(f'| {c.key} |' in text for c in CHOICES)
    assert json.dumps(text).count('CC') > 800
