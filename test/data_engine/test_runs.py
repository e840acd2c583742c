"""Complete runs of the data engine: the items, repeated runs, shards, Ray, and the judge of a source."""

import json
import os

from engine_runs import ROOT, coco_folder, relocated, run
import pytest

from converseg_ros.cli import main
from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import InputError
from converseg_ros.core.families import Family
from converseg_ros.core.item import read_items
from converseg_ros.data_engine.build import Plan, gather, make_pipeline, natural_judge
from converseg_ros.datasets.images import load_upright


def test_items_are_complete_and_balanced(dataset, rooms):
    items = read_items(dataset)
    per_image = len(items) / 6
    assert 10 <= per_image <= 16
    assert 0.15 <= sum(not i.positive for i in items) / len(items) <= 0.3
    families = {f: sum(i.family == f for i in items) / len(items) for f in Family}
    assert min(families.values()) > 0.08, families
    assert {i.phase for i in items} == {'literal', 'conversational'}
    assert {i.split for i in items} == {'train', 'val', 'test'}
    for i in items:
        rgb, _ = load_upright(i.image_path(dataset))
        assert i.mask().shape == rgb.shape[:2]
        assert SUB_CONCEPTS[i.sub_concept].family == i.family
        assert i.provenance['judge'] and i.provenance['proposer'] == 'graph'
    splits = {i.room: {j.split for j in items if j.room == i.room} for i in items}
    assert all(len(s) == 1 for s in splits.values())
    manifest = json.loads((dataset / 'manifest.json').read_text())
    assert manifest['items'] == len(items) and manifest['unfinished'] == 0


def test_a_finished_run_is_not_made_again(dataset, rooms):
    before = (dataset / 'items.jsonl').read_bytes()
    shots = gather([rooms])
    pipeline = make_pipeline(Plan([rooms], dataset), shots)
    pipeline.judge = None  # type: ignore[assignment] # whoever asks it fails
    pipeline.identity = lambda: json.loads((dataset / 'settings.json').read_text())  # type: ignore[method-assign]
    pipeline.run(shots, dataset)
    assert (dataset / 'items.jsonl').read_bytes() == before


def test_shards_together_make_the_same_data_set(dataset, rooms, tmp_path):
    out = tmp_path / 'd'
    for index in (2, 0, 1):
        manifest = run([rooms], out, shard=f'{index}/3')
    assert manifest['unfinished'] == 0
    assert (out / 'items.jsonl').read_bytes() == relocated(dataset, out)


def test_other_settings_are_refused_in_the_same_folder(dataset, rooms):
    with pytest.raises(InputError, match='prompts'):
        run([rooms], dataset, prompts=5)


def test_ray_makes_the_same_data_set(dataset, rooms, tmp_path, monkeypatch):
    pytest.importorskip('ray', reason='Ray is not installed')
    from converseg_ros.data_engine.ray_run import run_on_ray

    monkeypatch.setenv('PYTHONPATH', str(ROOT), prepend=os.pathsep)  # Ray's workers run elsewhere
    manifest = run_on_ray(Plan([rooms], tmp_path / 'd'), 2)
    assert manifest['unfinished'] == 0
    assert (tmp_path / 'd/items.jsonl').read_bytes() == relocated(dataset, tmp_path / 'd')


def test_a_run_takes_the_judge_that_its_source_brings_along(rooms, tmp_path, capsys):
    labelled = coco_folder(tmp_path / 'coco')
    assert (natural_judge([rooms]), natural_judge([labelled])) == ('scene', 'labels')
    photos = labelled / 'images'
    for sources in ([photos], [rooms, labelled]):
        with pytest.raises(InputError, match='judge'):
            natural_judge(sources)
    (tmp_path / 'c.yaml').write_text('prompts: 4\nseed: 7\n')
    config = ['--config', str(tmp_path / 'c.yaml')]
    call = ['engine', 'run', '--source', str(labelled), *config, '--out', str(tmp_path / 'd')]
    assert main(call) == 0
    assert json.loads((tmp_path / 'd/manifest.json').read_text())['judge'].startswith('labels')
