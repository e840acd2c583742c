"""The labels on real images that are kept beside the tests."""

from collections import Counter
from pathlib import Path

import pytest

from converseg_ros.core import Family
from converseg_ros.datasets.labels import labels_of_polygons, read_labels
from converseg_ros.evaluation.programs import read_gold
from converseg_ros.evaluation.sources import Sources

LABELS = Path(__file__).resolve().parents[1] / 'data/labels'
NAMES = ('kitchen', 'kitchen_more', 'tabletops', 'tabletop', 'tabletop_more')


def test_there_are_enough_labels_of_every_kind():
    labels = [x for n in NAMES for x in read_labels(LABELS / f'{n}.json')]
    positive = [x for x in labels if x.mask().any()]
    assert len(labels) >= 80
    assert len({x.id for x in labels}) == len(labels)
    assert len(positive) / len(labels) <= 0.75
    assert all(count >= 8 for count in Counter(x.family for x in positive).values())
    assert {x.family for x in positive} == set(Family)
    assert all(x.how for x in labels)
    assert not any('assisted' in x.how for x in labels)


@pytest.mark.parametrize('name', NAMES)
def test_every_prompt_has_its_program(name):
    prompts = [x.prompt for x in read_labels(LABELS / f'{name}.json')]
    assert [gold.text for gold in read_gold(LABELS / f'programs/{name}.json')] == prompts


@pytest.mark.parametrize('name', NAMES)
def test_the_labels_are_what_their_polygons_give(name, shared):
    built = labels_of_polygons(LABELS / f'polygons/{name}.json', Sources(shared / 'data').find)
    kept = read_labels(LABELS / f'{name}.json')
    assert [(x.id, x.prompt, x.image) for x in built] == [(x.id, x.prompt, x.image) for x in kept]
    for a, b in zip(built, kept):
        different = (a.mask() != b.mask()).sum()  # GrabCut may differ by pixels between OpenCV versions
        assert different <= 0.03 * b.mask().sum() + 20, a.id
