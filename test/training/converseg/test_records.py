"""Every format becomes records that are split by image."""

import json

import cv2
import numpy as np
import pytest

from converseg_ros.core import InputError, encode_rle
from converseg_ros.core.splits import split_of
from converseg_ros.training.converseg.config import SourceConfig
from converseg_ros.training.converseg.records import read_records

SIZE = (40, 60)


@pytest.fixture
def picture(tmp_path):
    """Return a function that writes an image with a white block, and its mask."""

    def write(name: str) -> np.ndarray:
        mask = np.zeros(SIZE, bool)
        mask[5:20, 10:30] = True
        cv2.imwrite(str(tmp_path / name), np.repeat(mask[..., None] * np.uint8(255), 3, 2))
        return mask

    return write


def both(path, format_: str):
    """Return all records of a set, whatever their split."""
    source = SourceConfig(str(path), format_)  # type: ignore[arg-type]
    return [r for split in ('train', 'val') for r in read_records(source, split)]


def check(records, mask, prompts):
    """Check the one record's image, mask and prompts."""
    (record,) = records
    assert record.load().shape == (*SIZE, 3)
    assert [i.prompt for i in record.items] == prompts
    assert all((i.mask() == mask).all() for i in record.items)


def test_the_engine_s_items_keep_their_splits(toy):
    train, val = (read_records(SourceConfig(str(toy)), s) for s in ('train', 'val'))
    assert (len(train), len(val)) == (20, 4)
    assert len(read_records(SourceConfig(str(toy), limit=3), 'train')) == 3


def test_reference_with_smaller_masks(tmp_path, picture):
    mask = picture('a.png')
    small = cv2.resize(mask.astype(np.uint8) * 255, (SIZE[1] // 2, SIZE[0] // 2), interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(tmp_path / 'm.png'), small)
    lines = [
        json.dumps({'image': 'a.png', 'mask_merged': 'm.png', 'prompt': p}) for p in ('the block', 'something white')
    ]
    (tmp_path / 'dataset.jsonl').write_text('\n'.join(lines))
    (record,) = both(tmp_path, 'reference')
    assert [i.prompt for i in record.items] == ['the block', 'something white']
    overlap = (record.items[0].mask() & mask).sum() / (record.items[0].mask() | mask).sum()
    assert overlap > 0.85


def test_refcoco(tmp_path, picture):
    (tmp_path / 'images').mkdir()
    mask = picture('images/a.jpg')
    coco = {
        'images': [{'id': 7, 'file_name': 'a.jpg', 'height': SIZE[0], 'width': SIZE[1]}],
        'annotations': [{'id': 3, 'image_id': 7, 'segmentation': encode_rle(mask)}],
    }
    refs = [{'ref_id': 1, 'ann_id': 3, 'image_id': 7, 'split': 'train', 'sentences': [{'sent': 'white block'}]}]
    (tmp_path / 'instances.json').write_text(json.dumps(coco))
    (tmp_path / 'refs.json').write_text(json.dumps(refs))
    records = both(tmp_path, 'refcoco')
    check(records, mask, ['white block'])
    assert records[0].items[0].phase == 'literal'


def test_reasonseg(tmp_path, picture):
    mask = picture('a.png')
    shape = {'label': 'target', 'points': [[10, 5], [30, 5], [30, 20], [10, 20]]}
    (tmp_path / 'a.json').write_text(json.dumps({'text': ['what is white?'], 'shapes': [shape]}))
    (record,) = both(tmp_path, 'reasonseg')
    found = record.items[0].mask()
    assert (found & mask).sum() / (found | mask).sum() > 0.85


def test_hub(tmp_path, picture):
    pa = pytest.importorskip('pyarrow', reason='pyarrow is not installed')
    pq = pytest.importorskip('pyarrow.parquet')
    mask = picture('a.png')
    cv2.imwrite(str(tmp_path / 'm.png'), mask.astype(np.uint8) * 255)
    cells = {n: {'bytes': (tmp_path / f'{n}.png').read_bytes(), 'path': ''} for n in ('a', 'm')}
    row = {'id': 'x', 'image': cells['a'], 'mask': cells['m'], 'prompt': 'the block', 'concept': 'entities'}
    (tmp_path / 'set').mkdir()
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / 'set' / 'train-0.parquet')
    check(both(tmp_path / 'set', 'hub'), mask, ['the block'])


def test_adding_images_moves_none_between_splits():
    names = [f'image{n}' for n in range(2000)]
    share = np.mean([split_of(n, val=0.1) == 'val' for n in names])
    assert 0.08 < share < 0.12
    assert all(split_of(n, val=0.2) == 'val' for n in names if split_of(n, val=0.1) == 'val')


def test_missing_and_broken_sets_are_named(tmp_path):
    with pytest.raises(InputError, match='no such data set'):
        read_records(SourceConfig(str(tmp_path / 'nowhere')), 'train')
    (tmp_path / 'items.jsonl').write_text('{"id": 1\n')
    with pytest.raises(InputError, match=r'items\.jsonl:1'):
        read_records(SourceConfig(str(tmp_path)), 'train')
