import json

from fastapi.testclient import TestClient
import numpy as np
from PIL import Image
import pytest

from converseg_ros import cli
from converseg_ros.core import Family, Frame, InputError, decode_rle, encode_rle
from converseg_ros.core.mask import iou
from converseg_ros.datasets.labels import Label, labels_of_polygons, read_labels, write_labels
from converseg_ros.datasets.polygons import build_parts, combine, rasterize, refine
from converseg_ros.evaluation.labelling import Labelling, make_label_app, pictures_of

BOX = [[12, 10], [31, 10], [31, 29], [12, 29]]


def square():
    mask = np.zeros((48, 64), bool)
    mask[10:30, 12:32] = True
    return mask


@pytest.fixture
def folder(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 60, (48, 64, 3), dtype=np.uint8)
    rgb[square()] = (200, 40, 40)
    (tmp_path / 'table').mkdir()
    for name in ('a.png', 'b.png'):
        Image.fromarray(rgb).save(tmp_path / 'table' / name)
    return tmp_path


def test_a_polygon_covers_its_pixels_and_cuts_its_holes():
    assert (rasterize([BOX], [], 48, 64) == square()).all()
    cut = rasterize([BOX], [[[15, 15], [20, 15], [20, 20], [15, 20]]], 48, 64)
    assert square().sum() - cut.sum() == 36
    with pytest.raises(InputError, match='three'):
        rasterize([[[0, 0], [1, 1]]], [], 8, 8)


def test_refining_finds_the_colour_edge_and_never_leaves_the_band(folder):
    rgb = np.asarray(Image.open(folder / 'table/a.png'))
    rough = rasterize([[[14, 8], [33, 9], [30, 31], [10, 28]]], [], 48, 64)
    better = refine(rgb, rough, 4)
    assert iou(better, square()) > max(0.95, iou(rough, square()))
    assert (refine(rgb, rough, 0) == rough).all()
    assert not refine(rgb, rasterize([[[40, 35], [50, 35], [50, 45]]], [], 48, 64), 2)[square()].any()


def test_parts_are_clipped_and_combined():
    rgb = np.zeros((48, 64, 3), np.uint8)
    parts = {
        'mug': {'add': [BOX]},
        'handle': {'add': [[[28, 0], [63, 0], [63, 47], [28, 47]]], 'within': 'mug'},
        'table': {'add': [[[0, 0], [63, 0], [63, 47], [0, 47]]], 'minus': ['mug']},
    }
    masks = build_parts(rgb, parts)
    assert (masks['handle'] <= masks['mug']).all()
    assert not (masks['table'] & masks['mug']).any()
    assert combine(masks, ['table', 'mug'], 48, 64).all()
    assert (combine(masks, ['mug', '-handle'], 48, 64) == (masks['mug'] & ~masks['handle'])).all()
    assert not combine(masks, [], 48, 64).any()
    with pytest.raises(InputError, match='lid'):
        combine(masks, ['lid'], 48, 64)


def test_labels_survive_the_file(tmp_path):
    labels = [
        Label('a', 'table', 'a.png', 'the box', encode_rle(square()), Family.ENTITIES, 'instances', 'by hand'),
        Label('b', 'kitchen', 1700000000123456789, 'the cat', encode_rle(np.zeros((48, 64), bool))),
    ]
    write_labels(tmp_path / 'l.json', labels)
    assert read_labels(tmp_path / 'l.json') == labels
    assert json.loads((tmp_path / 'l.json').read_text())[1]['stamp_ns'] == 1700000000123456789
    write_labels(tmp_path / 'l.json', [labels[0], labels[0]])
    with pytest.raises(InputError, match='twice'):
        read_labels(tmp_path / 'l.json')
    (tmp_path / 'l.json').write_text('[{"id": "x"}]')
    with pytest.raises(InputError, match='image'):
        read_labels(tmp_path / 'l.json')


def test_the_command_builds_labels_from_polygons(folder, capsys):
    polygons = {
        'source': 'table',
        'images': {
            'a.png': {
                'parts': {'box': {'add': [BOX], 'refine': 3}},
                'prompts': [
                    {'id': 'p', 'prompt': 'the red box', 'family': 'entities', 'target': ['box']},
                    {'id': 'n', 'prompt': 'the blue box', 'family': 'entities', 'target': []},
                ],
            }
        },
    }
    (folder / 'p.json').write_text(json.dumps(polygons))
    out = folder / 'out.json'
    assert cli.main(['label', '--polygons', str(folder / 'p.json'), '--root', str(folder), '--out', str(out)]) == 0
    box, nothing = read_labels(out)
    assert iou(box.mask(), square()) > 0.95
    assert 'GrabCut' in box.how
    assert not nothing.mask().any()
    polygons['images']['a.png']['prompts'][0]['target'] = ['-box']
    (folder / 'p.json').write_text(json.dumps(polygons))
    with pytest.raises(InputError, match='empty'):
        labels_of_polygons(folder / 'p.json', lambda s, i: Frame(np.zeros((48, 64, 3), np.uint8)))


@pytest.fixture
def page(folder):
    root, pictures = pictures_of([folder / 'table'])
    work = Labelling(root, pictures, folder / 'labels.json')
    return TestClient(make_label_app(work), base_url='http://localhost'), folder / 'labels.json'


def test_a_label_drawn_on_the_page_is_on_disk_and_comes_back(page):
    client, out = page
    state = client.get('/api/state').json()
    assert [p['image'] for p in state['pictures']] == ['a.png', 'b.png']
    assert client.get('/api/picture/0').content.startswith(b'\x89PNG')
    rle = client.post('/api/polygons', json={'picture': 0, 'add': [BOX], 'band': 2}).json()
    assert iou(decode_rle(rle), square()) > 0.9
    label = {'picture': 1, 'id': 'table-b-01', 'prompt': 'the box', 'family': 'spatial', 'rle': rle, 'how': 'by hand'}
    assert client.post('/api/label', json=label).status_code == 200
    saved = read_labels(out)
    assert (saved[0].image, saved[0].family, saved[0].how) == ('b.png', Family.SPATIAL, 'by hand')
    assert saved[0].rle == rle
    assert client.get('/api/label/table-b-01').json()['prompt'] == 'the box'
    assert client.get('/api/state').json()['labels'][0]['picture'] == 1
    assert client.delete('/api/label/table-b-01').status_code == 200
    assert read_labels(out) == []


@pytest.mark.parametrize(
    'change',
    [
        {'rle': {'size': [4, 4], 'counts': [16]}},
        {'rle': {'size': [48, 64], 'counts': [5]}},
        {'picture': 9},
        {'id': '../x'},
        {'prompt': ' '},
        {'how': ''},
        {'family': 'colour'},
    ],
)
def test_the_page_cannot_save_nonsense(page, change):
    client, out = page
    good = {'picture': 0, 'id': 'a', 'prompt': 'x', 'rle': encode_rle(square()), 'how': 'by hand'}
    assert client.post('/api/label', json=good | change).status_code in (400, 422)
    assert not out.exists()


def test_other_sites_and_paths_are_refused(page):
    client, _ = page
    assert client.get('/api/state', headers={'host': 'evil.example'}).status_code == 403
    assert client.post('/api/polygons', json={}, headers={'origin': 'http://evil.example'}).status_code == 403
    assert client.get('/label/../labels.py').status_code == 404
    assert client.post('/api/assist', json={'picture': 0, 'prompt': 'x'}).status_code == 400


def test_the_page_and_its_parts_are_served(page):
    client, _ = page
    assert 'text/html' in client.get('/').headers['content-type']
    for path in ('/label/label.js', '/label/label.css', '/static/base.css', '/static/palette.css'):
        assert client.get(path).status_code == 200
    assert '<script>' not in client.get('/').text  # the content policy forbids inline scripts


def test_a_source_cannot_lead_out_of_its_root(folder):
    from converseg_ros.evaluation.sources import Sources

    sources = Sources(folder / 'table')
    with pytest.raises(InputError, match='root'):
        sources.find('..', 'a.png')
    with pytest.raises(InputError, match='folder'):
        Sources(folder).find('table', '../labels.json')
