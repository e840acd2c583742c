"""COCO annotations of every origin: right masks, and nothing negative about what could not be read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
import pytest

from converseg_ros.core import InputError, encode_rle
from converseg_ros.datasets.coco import CocoInstances, find_coco, polygons_mask, segmentation_mask

pytest.importorskip('pycocotools', reason='pycocotools is not installed')
H, W = 120, 160
BOX = [20, 20, 60, 20, 60, 60, 20, 60]
CATEGORIES = [{'id': i + 1, 'name': c} for i, c in enumerate(('person', 'laptop', 'fork', 'dog', 'book', 'cup'))]


def write(folder: Path, rows: list[dict[str, Any]], images: list[dict[str, Any]] | None = None) -> Path:
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    rgb = np.full((H, W, 3), 200, np.uint8)
    rgb[20:60, 20:60], rgb[30:100, 100:150] = (200, 30, 30), (30, 30, 200)
    Image.fromarray(rgb).save(folder / 'images/a.png')
    images = images or [{'id': 1, 'file_name': 'a.png', 'width': W, 'height': H}]
    (folder / 'instances.json').write_text(
        json.dumps({'images': images, 'annotations': rows, 'categories': CATEGORIES})
    )
    return folder


def row(number: Any = 1, category: Any = 1, segmentation: Any = (BOX,), image: Any = 1, **more: Any) -> dict[str, Any]:
    segmentation = list(segmentation) if isinstance(segmentation, tuple) else segmentation
    return {'id': number, 'image_id': image, 'category_id': category, 'segmentation': segmentation, **more}


def read(folder: Path) -> CocoInstances:
    return CocoInstances(folder / 'instances.json', folder / 'images')


def test_a_square_has_as_many_pixels_as_its_area() -> None:
    mask = polygons_mask([[10, 10, 20, 10, 20, 20, 10, 20]], 30, 40)
    assert mask.sum() == 100 and mask[10:20, 10:20].all()


def test_polygons_are_pycocotools() -> None:
    from pycocotools import mask as coco

    random = np.random.default_rng(0)
    for _ in range(200):
        centre, radius = random.uniform(0, (W, H)), random.uniform(2, 40)
        angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 12)))
        points = centre + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
        polygon = points.ravel().tolist()
        expected = coco.decode(coco.merge(coco.frPyObjects([polygon], H, W))).astype(bool)
        assert np.array_equal(polygons_mask([polygon], H, W), expected)


def test_compressed_and_plain_rle_agree_with_pycocotools() -> None:
    from pycocotools import mask as coco

    random = np.random.default_rng(1)
    for share in (0.001, 0.1, 0.5, 0.9):
        mask = random.random((H, W)) < share
        text = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert np.array_equal(segmentation_mask({**text, 'counts': text['counts'].decode()}, H, W), mask)
        assert np.array_equal(segmentation_mask(encode_rle(mask), H, W), mask)


@pytest.mark.parametrize('counts', ['zzzz', '0o1', '\x00', 'PPPP', 'é', [1, 2], [-1, H * W + 1], [0.5], None])
def test_a_broken_rle_is_refused(counts: Any) -> None:
    with pytest.raises(InputError):
        segmentation_mask({'size': [H, W], 'counts': counts}, H, W)


ODD = {
    'missing': None,
    'a text': 'polygon',
    'empty': [],
    'an empty polygon': [[]],
    'a flat list': BOX,
    'an odd number': [[*BOX, 3]],
    'two points': [[1, 1, 5, 5]],
    'no area': [[10, 10, 40, 10, 10, 10]],
    'not a number': [[float('nan'), *BOX[1:]]],
    'infinite': [[float('inf'), *BOX[1:]]],
    'texts': [[str(v) for v in BOX]],
    'outside': [[300, 300, 320, 300, 320, 320]],
    'far outside': [[1e30, 0, 1e30, 5, 0, 5]],
    'of another size': encode_rle(np.ones((H, W + 1), bool)),
    'a broken RLE': {'size': [H, W], 'counts': 'zzz'},
}


@pytest.mark.parametrize('segmentation', ODD.values(), ids=ODD.keys())
def test_one_odd_annotation_is_reported_and_the_others_are_read(tmp_path: Path, segmentation: Any) -> None:
    labels = read(write(tmp_path, [row(1, 1, segmentation), row(2, 2)]))
    assert [a.category for a in labels.annotations('a.png')] == ['laptop']
    image = labels.images['a.png']
    assert image.doubtful == {'person'} and len(image.problems) == 1 and 'a1' in image.problems[0]


def test_unknown_categories_make_every_class_doubtful(tmp_path: Path) -> None:
    labels = read(write(tmp_path, [row(1, 77), row(2, 2)]))
    assert [a.category for a in labels.annotations('a.png')] == ['laptop']
    assert labels.images['a.png'].doubtful == {c['name'] for c in CATEGORIES}


def test_repeated_ids_ids_as_text_and_a_file_listed_twice_lose_nothing(tmp_path: Path) -> None:
    images = [{'id': i, 'file_name': 'a.png', 'width': W, 'height': H} for i in (1, 2)]
    rows = [row(0, 1), row(0, 2), row(0, '3'), row('0', 4, image='2'), 'odd', row(5, 1, image=99)]
    labels = read(write(tmp_path, rows, images))  # type: ignore[arg-type]
    found = labels.annotations('a.png')
    assert [a.category for a in found] == ['person', 'laptop', 'fork', 'dog']
    assert len({a.key for a in found}) == 4 and labels.unplaced == 2


@pytest.mark.parametrize('size', [{}, {'width': 0, 'height': H}, {'width': None, 'height': H}, {'width': '160'}])
def test_a_missing_size_is_that_of_the_image_file(tmp_path: Path, size: dict[str, Any]) -> None:
    labels = read(write(tmp_path, [row()], [{'id': 1, 'file_name': 'a.png', **size}]))
    assert labels.annotations('a.png')[0].mask.shape == (H, W)


def prompts_of(folder: Path) -> tuple[list[Any], Any]:
    from converseg_ros.data_engine.grammar.drafts import enumerate_drafts
    from converseg_ros.data_engine.world.coco_world import CocoLabels

    labels = CocoLabels(find_coco(folder)[0])
    world = labels.world('a.png', 'k')
    return [d for seed in 'abcdefgh' for d in enumerate_drafts(world, seed=seed)], labels


@pytest.mark.parametrize('segmentation', ODD.values(), ids=ODD.keys())
def test_nothing_negative_or_complete_is_said_of_a_class_that_could_not_be_read(
    tmp_path: Path, segmentation: Any
) -> None:
    dog, cup = 4, 6
    other = [100, 30, 150, 30, 150, 100, 100, 100]
    rows = [row(1, dog, segmentation), row(2, 2, [other]), row(3, cup)]
    drafts, labels = prompts_of(write(tmp_path, rows))
    assert labels.problems('a.png')
    words = [set(d.text.lower().replace("'s", '').split()) for d in drafts if not d.keys]
    assert not any(w & {'dog', 'dogs', 'animal', 'animals', 'pet', 'pets'} for w in words)
    assert any('laptop' in d.text for d in drafts if d.keys)
    whole, _ = prompts_of(write(tmp_path / 'whole', [row(1, cup), row(2, 2, [other])]))
    assert any('dog' in d.text for d in whole if not d.keys)
    both, _ = prompts_of(write(tmp_path / 'both', [row(1, dog), row(3, dog, segmentation), row(2, 2, [other])]))
    assert not any({'dog', 'dogs'} & set(d.text.split()) for d in both)  # another dog is there, but where?


def ship(folder: Path, images: str, annotations: str, number: int) -> None:
    """Write one image and its annotations at these places; `number` tells several of a folder apart."""
    for path in (images, annotations):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    write(folder / 'tmp', [row(), row(2, 2, [[100, 30, 150, 30, 150, 100, 100, 100 - number]])])
    (folder / 'tmp/images/a.png').rename(folder / images)
    (folder / 'tmp/instances.json').rename(folder / annotations)
    (folder / 'tmp/images').rmdir()
    (folder / 'tmp').rmdir()


LAYOUTS = {
    'coco': [('val2017/a.png', 'annotations/instances_val2017.json')],
    'coco in images': [('images/train2017/a.png', 'annotations/instances_train2017.json')],
    'roboflow': [('train/a.png', 'train/_annotations.coco.json'), ('valid/a.png', 'valid/_annotations.coco.json')],
    'roboflow, one': [('a.png', '_annotations.coco.json')],
    'cvat': [('images/a.png', 'annotations/instances_default.json')],
    'cvat 2': [('images/default/a.png', 'annotations/instances_default.json')],
    'ours': [('images/a.png', 'instances.json')],
}


@pytest.mark.parametrize('layout', LAYOUTS.values(), ids=LAYOUTS.keys())
def test_folders_are_read_as_they_are_shipped_and_the_file_is_named(
    tmp_path: Path, layout: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    from converseg_ros.cli import main

    for number, (images, annotations) in enumerate(layout):
        ship(tmp_path / 'set', images, annotations, number)
    (tmp_path / 'set/annotations').mkdir(exist_ok=True)
    (tmp_path / 'set/annotations/captions_val2017.json').write_text('{}')
    out = tmp_path / 'out'
    assert main(['engine', 'run', '--source', str(tmp_path / 'set'), '--judge', 'labels', '--out', str(out)]) == 0
    error = capsys.readouterr().err
    assert all(str(tmp_path / 'set' / annotations) in error for _, annotations in layout)
    items = [json.loads(line) for line in (out / 'items.jsonl').read_text().splitlines()]
    assert len({i['image_id'] for i in items}) == len(layout)
    assert all((out / i['image']).resolve().is_file() for i in items)


def test_the_engine_reports_what_it_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from converseg_ros.cli import main

    source = write(tmp_path / 'set', [row(1, 1, None), row(2, 2)])
    out = tmp_path / 'out'
    assert main(['engine', 'run', '--source', str(source), '--judge', 'labels', '--out', str(out)]) == 0
    assert 'a.png: skipped annotation a1: person: no segmentation' in capsys.readouterr().err
    manifest = json.loads((out / 'manifest.json').read_text())
    assert [u['image'] for u in manifest['unusable']] == ['a.png'] and not manifest['failed']
