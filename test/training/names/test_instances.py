"""Labelled things are read as they are annotated, and hard variants keep showing them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from converseg_ros.core import InputError
from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.training.names.augment import PATCH, Augmenter, patch_of
from converseg_ros.training.names.instances import NOTHING, crop_sets, foreground, read_source
from converseg_ros.training.names.labels import MEANING, allowed, own_noun


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """A picture with a large cup, a tiny one, and a crowd."""
    folder = tmp_path / 'photos'
    (folder / 'images').mkdir(parents=True)
    rgb = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / 'images' / 'a.png'), rgb)

    def row(id_: int, x: int, y: int, size: int, crowd: int = 0) -> dict[str, object]:
        polygon = [x, y, x + size, y, x + size, y + size, x, y + size]
        return {'id': id_, 'image_id': 1, 'category_id': 47, 'segmentation': [polygon], 'iscrowd': crowd}

    data = {
        'images': [{'id': 1, 'file_name': 'a.png', 'width': 300, 'height': 200}],
        'categories': [{'id': 47, 'name': 'cup'}],
        'annotations': [row(1, 40, 40, 120), row(2, 250, 10, 5), row(3, 200, 100, 80, 1)],
    }
    (folder / 'instances.json').write_text(json.dumps(data))
    return folder


def test_tiny_things_and_crowds_are_left_out_and_parts_have_no_name(coco: Path) -> None:
    (picture,) = read_source(coco, blobs=3)
    assert [i.label for i in picture.instances if i.label != NOTHING] == ['cup']
    cup = picture.instances[0].mask
    blobs = [i.mask for i in picture.instances if i.label == NOTHING]
    assert blobs
    for blob in blobs:
        assert np.count_nonzero(blob & cup) < 0.5 * np.count_nonzero(cup)
    assert not list(read_source(coco, wanted=lambda name: name != 'a.png'))


def test_a_crop_is_one_thing_that_grab_cut_finds(tmp_path: Path) -> None:
    rgb = np.full((120, 160, 3), 240, np.uint8)
    cv2.circle(rgb, (80, 60), 40, (20, 40, 200), -1)
    cv2.imwrite(str(tmp_path / 'a.png'), rgb)
    rows = [{'file': 'a.png', 'set': 'shop', 'name': 'Lemon'}, {'file': 'a.png', 'set': 'bin', 'material': 'metal'}]
    (tmp_path / 'crops.json').write_text(json.dumps(rows))
    named, material = read_source(tmp_path)
    mask = named.instances[0].mask
    assert mask[60, 80] and not mask[2, 2]
    assert 0.7 < np.count_nonzero(mask) / (np.pi * 40**2) < 1.3
    words = vocabulary()
    assert own_noun(named.instances[0].label, words) == words.index['lemon']
    assert own_noun(material.instances[0].label, words) is None
    assert crop_sets(tmp_path) == {'a.png': 'bin'}


def test_where_grab_cut_finds_nothing_the_middle_stands_for_the_thing() -> None:
    mask = foreground(np.full((60, 80, 3), 128, np.uint8))
    assert mask[30, 40] and not mask[0, 0]


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='no rooms and no COCO annotations'):
        list(read_source(tmp_path))


def test_panoptic_photographs_name_their_surfaces(tmp_path: Path) -> None:
    folder = tmp_path / 'photos'
    for name in ('images', 'panoptic'):
        (folder / name).mkdir(parents=True)
    rgb = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    ids = np.zeros((120, 160, 3), np.uint8)
    ids[:60, :, 2], ids[60:, :, 2] = 1, 2  # BGR: the red channel holds the identifier
    ids[80:110, 40:80, 2] = 3
    cv2.imwrite(str(folder / 'images' / 'a.png'), rgb)
    cv2.imwrite(str(folder / 'panoptic' / 'a.png'), ids)
    names = [('sky-other-merged', 0), ('grass-merged', 0), ('dog', 1)]
    categories = [{'id': i, 'name': name, 'isthing': thing} for i, (name, thing) in enumerate(names, 1)]
    segments = [{'id': i, 'category_id': i, 'iscrowd': 0, 'area': 100} for i in (1, 2, 3)]
    data = {
        'images': [{'id': 1, 'file_name': 'a.png', 'width': 160, 'height': 120}],
        'categories': categories,
        'annotations': [{'image_id': 1, 'file_name': 'a.png', 'segments_info': segments}],
    }
    (folder / 'panoptic.json').write_text(json.dumps(data))
    (folder / 'instances.json').write_text(json.dumps({'images': [], 'categories': [], 'annotations': []}))
    (picture,) = read_source(folder, blobs=0)
    words = vocabulary()
    found = {words.names[own_noun(i.label, words) or 0]: i for i in picture.instances}
    assert found.keys() == {'sky', 'grass', 'dog'}
    assert found['sky'].stuff and found['grass'].stuff and not found['dog'].stuff
    assert np.array_equal(found['sky'].mask, ids[..., 2] == 1)


def test_rooms_name_their_things_and_not_their_walls(tmp_path: Path) -> None:
    room = tmp_path / 'rooms' / 'room-0'
    room.mkdir(parents=True)
    labels = np.ones((120, 160), np.uint16)
    labels[30:80, 40:100] = 2
    for name, image in (
        ('view0', np.full((120, 160, 3), 90, np.uint8)),
        ('view0.labels', labels),
        ('view0.noisy', np.full((120, 160), 1500, np.uint16)),
    ):
        cv2.imwrite(str(room / f'{name}.png'), image)
    objects = [
        {'id': 1, 'kind': 'structure', 'category': 'wall', 'parts': {}},
        {'id': 2, 'kind': 'object', 'category': 'mug', 'parts': {}},
    ]
    views = [{'name': 'view0', 'k': [150.0, 150.0, 80.0, 60.0], 'width': 160, 'height': 120}]
    (room / 'scene.json').write_text(json.dumps({'objects': objects, 'views': views}))
    (picture,) = read_source(tmp_path / 'rooms', blobs=0)
    assert [i.label for i in picture.instances] == ['mug']
    assert np.array_equal(picture.instances[0].mask, labels == 2)


def test_variants_differ_but_are_the_same_in_every_run() -> None:
    rgb = np.zeros((200, 200, 3), np.uint8)
    rgb[60:140, 60:140] = (200, 40, 40)
    mask = rgb[..., 0] > 0
    patch = patch_of(rgb, mask)
    first, again = (Augmenter(np.random.default_rng(7)) for _ in range(2))
    variants = [first.variant(patch) for _ in range(30)]
    for variant in variants:
        assert variant.rgb.shape == (PATCH, PATCH, 3)
        assert np.count_nonzero(variant.mask) >= 40
        same = again.variant(patch)
        assert np.array_equal(variant.rgb, same.rgb) and np.array_equal(variant.mask, same.mask)
    areas = [np.count_nonzero(v.mask) for v in variants]
    assert np.std(areas) > 0.05 * np.mean(areas)


def test_a_label_allows_its_narrower_nouns_unless_its_source_is_exact() -> None:
    words = vocabulary()
    may = allowed(['wrench', 'pipe wrench', NOTHING, 'material:glass'], 'photos', words)
    exact = allowed(['wrench'], 'tools', words)
    assert may[0, words.index['pipe wrench']] and not exact[0, words.index['pipe wrench']]
    assert exact[0, words.index['wrench']]
    assert may[2, -1] and may[2].sum() == 1
    assert not may[3].any()
    with pytest.raises(InputError, match='flumadiddle'):
        allowed(['flumadiddle'], 'photos', words)


def test_every_label_of_the_training_data_means_a_noun(shared: Path) -> None:
    words = vocabulary()
    labels = set(MEANING)
    for source in ('coco_sample', 'coco_more', 'tools'):
        rows = json.loads((shared / 'data' / source / 'instances.json').read_text())['categories']
        labels |= {c['name'] for c in rows}
    labels |= {r['name'] for r in json.loads((shared / 'data/crops/crops.json').read_text()) if 'name' in r}
    panoptic = json.loads((shared / 'data/coco_sample/panoptic.json').read_text())['categories']
    for label in labels | {c['name'] for c in panoptic}:
        assert own_noun(label, words) is not None
