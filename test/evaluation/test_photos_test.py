"""The labels on held-out photographs that are used only for reporting."""

from collections import Counter
from pathlib import Path
import re

import numpy as np

from converseg_ros.core import Family
from converseg_ros.core.splits import instance_split, picture_name, split_of
from converseg_ros.datasets.coco import CocoInstances
from converseg_ros.datasets.labels import read_labels

ROOT = Path(__file__).resolve().parents[2]
LABELS = ROOT / 'test/data/labels/photos_test.json'
TRAINED_ON = ROOT / 'converseg_ros/models/compact/PHOTOGRAPHS.md'
# the rules by which the training configurations split these sources
SPLITS = {
    'coco_sample/images': lambda name: split_of(picture_name(name)),
    'coco_more/images': instance_split,
}


def test_every_photograph_is_held_out_from_training():
    trained = set(re.findall(r'^\| (\d+) \|', TRAINED_ON.read_text(), re.MULTILINE))
    assert trained
    for label in read_labels(LABELS):
        assert SPLITS[label.source](str(label.image)) == 'test', label.id
        assert str(int(Path(str(label.image)).stem)) not in trained, label.id


def test_every_family_has_prompts_with_and_without_a_target():
    labels = read_labels(LABELS)
    with_target = Counter(x.family for x in labels if x.mask().any())
    without = Counter(x.family for x in labels if not x.mask().any())
    assert len(labels) >= 120
    assert all(with_target[f] >= 20 and without[f] >= 4 for f in Family)
    assert 0.15 <= without.total() / len(labels) <= 0.25
    assert len({(x.image, x.prompt) for x in labels}) == len(labels)


def test_masks_are_the_annotated_segments_that_they_name(shared):
    checked = 0
    for source in ('coco_sample', 'coco_more'):
        folder = shared / 'data' / source
        coco = CocoInstances(folder / 'instances.json', folder / 'images')
        for label in read_labels(LABELS):
            named = re.fullmatch(r'COCO instances ([\d, ]+)', label.how)
            if label.source != f'{source}/images' or named is None:
                continue
            masks = {a.key: a.mask for a in coco.annotations(str(label.image))}
            union = np.any([masks[f'a{number}'] for number in named[1].split(', ')], axis=0)
            assert (union == label.mask()).all(), label.id
            checked += 1
    assert checked >= 50
