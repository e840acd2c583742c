"""The labels on real images that are kept beside the tests."""

from collections import Counter
import json
from pathlib import Path
import re

import cv2
import numpy as np
import pytest

from converseg_ros.core import Family
from converseg_ros.core.splits import instance_split, picture_name, split_of
from converseg_ros.datasets.coco import CocoInstances
from converseg_ros.datasets.images import read_rgb
from converseg_ros.datasets.labels import labels_of_polygons, read_labels
from converseg_ros.evaluation.programs import read_gold
from converseg_ros.evaluation.sources import Sources

LABELS = Path(__file__).resolve().parents[1] / 'data/labels'
DRAWN = ('kitchen', 'kitchen_more', 'tabletops', 'tabletop', 'tabletop_more')  # all their masks are polygons
TOOLS = ('tools_val', 'tools_free_test')  # their masks are unions of the annotations of `tools`
FREE_SPACE = ('free_space', 'free_space_held_out')
NAMES = (*DRAWN, 'photos_val', *TOOLS, *FREE_SPACE)


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


@pytest.mark.parametrize('name', DRAWN)
def test_the_labels_are_what_their_polygons_give(name, shared):
    built = labels_of_polygons(LABELS / f'polygons/{name}.json', Sources(shared / 'data').find)
    kept = read_labels(LABELS / f'{name}.json')
    assert [(x.id, x.prompt, x.image) for x in built] == [(x.id, x.prompt, x.image) for x in kept]
    for a, b in zip(built, kept):
        different = (a.mask() != b.mask()).sum()  # GrabCut may differ by pixels between OpenCV versions
        assert different <= 0.03 * b.mask().sum() + 20, a.id


def test_the_photographs_are_of_the_splits_that_the_documentation_states():
    for label in read_labels(LABELS / 'photos_val.json'):
        if label.source == 'coco_sample/images':
            assert split_of(picture_name(label.image)) == 'val', label.id
        else:
            assert label.source == 'coco_more/images' and instance_split(label.image) == 'train', label.id


def test_the_pictures_of_tools_are_of_the_splits_that_the_documentation_states():
    for name, split in zip(TOOLS, ('train', 'test')):
        assert {instance_split(x.image) for x in read_labels(LABELS / f'{name}.json')} == {split}


def outline(mask):
    """Return the number of pixels at the edge of a mask, where polygons may be rasterized differently."""
    return np.count_nonzero(mask ^ cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool))


@pytest.mark.parametrize('name', TOOLS)
def test_masks_of_tools_are_what_their_annotations_give(name, shared):
    tools = CocoMasks(shared / 'data/tools')
    of_tools = [x for x in read_labels(LABELS / f'{name}.json') if x.how.startswith('tools annotation')]
    assert len(of_tools) >= 60
    for label in of_tools:
        built, kept = tools.built(label), label.mask()
        assert np.count_nonzero(built ^ kept) <= outline(kept), label.id


def test_questions_for_free_space_are_on_images_that_no_network_was_trained_on_and_no_two_sets_share() -> None:
    chosen, held = (read_labels(LABELS / f'{name}.json') for name in FREE_SPACE)
    seen = {(x.source, x.image) for name in DRAWN for x in read_labels(LABELS / f'{name}.json')}
    images = [{(x.source, x.image) for x in labels} for labels in (chosen, held)]
    assert not images[0] & images[1] and not (images[0] | images[1]) & seen
    splits = {'coco_sample/images': lambda name: split_of(picture_name(name)), 'coco_more/images': instance_split}
    for label in (*chosen, *held):
        if label.source in splits:
            assert splits[label.source](str(label.image)) == 'val', label.id
    assert all(sum(x.mask().any() for x in labels) >= 6 for labels in (chosen, held))


def test_masks_of_photographs_are_what_their_coco_annotations_give(shared):
    pytest.importorskip('pycocotools')
    coco = {n: CocoMasks(shared / 'data' / n) for n in ('coco_sample', 'coco_more')}
    of_coco = [x for x in read_labels(LABELS / 'photos_val.json') if x.how.startswith('COCO')]
    assert len(of_coco) >= 100
    for label in of_coco:
        built, kept = coco[label.source.split('/')[0]].built(label), label.mask()
        assert np.count_nonzero(built ^ kept) <= outline(kept), label.id


class CocoMasks:
    """The masks of a folder in COCO's format by the id of the annotation."""

    def __init__(self, folder):
        """Read the annotations."""
        self.folder = folder
        self.instances = CocoInstances(folder / 'instances.json', folder / 'images')
        panoptic = folder / 'panoptic.json'
        rows = json.loads(panoptic.read_text())['annotations'] if panoptic.is_file() else []
        self.panoptic = {Path(row['file_name']).stem: row for row in rows}

    def of(self, image):
        """Return {id: (H, W) mask} of an image."""
        if image in self.instances.images:
            return {x.key.removeprefix('a'): x.mask for x in self.instances.annotations(image)}
        row = self.panoptic[Path(image).stem]
        red, green, blue = np.moveaxis(read_rgb(self.folder / 'panoptic' / row['file_name']).astype(np.int64), -1, 0)
        ids = red + 256 * green + 65536 * blue
        return {str(x['id']): ids == x['id'] for x in row['segments_info']}

    def built(self, label):
        """Return the mask that the annotations in `how` of a label give."""
        masks = self.of(label.image)
        wanted, _, less = label.how.partition(' less ')
        built = np.logical_or.reduce([masks[i] for i in re.findall(r'\d+', wanted)])
        for other in re.findall(r'\d+', less):
            built = built & ~masks[other]
        return built
