"""What a finished data set is turned into: exports in four formats, and the gallery."""

import json

import cv2
import numpy as np
import pytest

from converseg_ros.cli import main
from converseg_ros.core.item import read_items
from converseg_ros.core.mask import decode_rle
from converseg_ros.data_engine.output.store import read_rejects


def test_an_item_of_every_export_is_the_same_item(dataset, tmp_path):
    pq = pytest.importorskip('pyarrow.parquet')
    formats = ['dataset', 'items', 'coco', 'parquet']
    assert main(['engine', 'export', str(dataset), '--format', *formats, '--out', str(tmp_path)]) == 0
    items = {i.id: i for i in read_items(dataset)}
    seen = 0
    for split in ('train', 'val', 'test'):
        folder = tmp_path / split
        rows = [json.loads(line) for line in (folder / 'dataset.jsonl').read_text().splitlines()]
        listed = json.loads((folder / 'items.json').read_text())
        coco = json.loads((folder / 'annotations.json').read_text())
        table = pq.read_table(folder / f'{split}.parquet').to_pylist()
        assert listed['count'] == len(listed['items']) == len(rows) == len(coco['annotations']) == len(table)
        for row, entry, note, cells in zip(rows, listed['items'], coco['annotations'], table):
            item = items[entry['id']]
            seen += 1
            truth = item.mask()
            assert row['prompt'] == entry['prompt'] == note['caption'] == cells['prompt'] == item.prompt
            assert entry['concept'] == cells['concept'] == item.family
            for path in (row['mask_merged'], entry['mask']):
                mask = cv2.imread(str(folder / path), cv2.IMREAD_UNCHANGED)
                assert set(np.unique(mask)) <= {0, 255} and np.array_equal(mask > 0, truth)
            assert np.array_equal(decode_rle(note['segmentation']), truth) and note['area'] == truth.sum()
            image = cv2.imread(str(folder / row['image']))
            assert image.shape[:2] == truth.shape
            decoded = cv2.imdecode(np.frombuffer(cells['image']['bytes'], np.uint8), cv2.IMREAD_COLOR)
            assert np.array_equal(decoded, image)
            assert np.array_equal(cv2.imdecode(np.frombuffer(cells['mask']['bytes'], np.uint8), 0) > 0, truth)
    assert seen == len(items)


def test_the_gallery_filters_and_draws(dataset):
    client_module = pytest.importorskip('starlette.testclient')
    from converseg_ros.data_engine.output.gallery import make_gallery

    items = read_items(dataset)
    client = client_module.TestClient(make_gallery(dataset), base_url='http://127.0.0.1')
    assert '<main id="pairs">' in client.get('/').text
    assert client.get('/static/gallery.js').status_code == 200
    all_pairs = client.get('/api/pairs').json()
    assert all_pairs['total'] == len(items) + len(read_rejects(dataset))
    physics = client.get('/api/pairs', params={'family': 'physics', 'target': 'none', 'verdict': 'accepted'}).json()
    assert physics['total'] == sum(i.family == 'physics' and not i.positive for i in items)
    assert all(p['family'] == 'physics' and p['target'] == 'none' for p in physics['pairs'])
    picture = client.get(f'/api/picture/{all_pairs["pairs"][0]["id"]}')
    assert (
        picture.headers['content-type'] == 'image/jpeg'
        and cv2.imdecode(np.frombuffer(picture.content, np.uint8), 1) is not None
    )
    assert client.get('/api/picture/..%2Fsettings.json').status_code == 404
