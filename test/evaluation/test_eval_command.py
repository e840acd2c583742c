import io
import json
from pathlib import Path
import pickle
import re

import numpy as np
from PIL import Image
import pytest

from converseg_ros import cli
from converseg_ros.core import InputError, Item, encode_rle
from converseg_ros.datasets.images import read_mask
from converseg_ros.datasets.reasonseg import samples_of_reasonseg
from converseg_ros.datasets.refcoco import samples_of_refcoco
from converseg_ros.datasets.samples import family_of, fit_mask, samples_of_dataset, samples_of_items
from converseg_ros.evaluation.report import read_report
from converseg_ros.network.registry import find_model

TOP = ['giou', 'ciou', 'giou_positive', 'n_acc', 't_acc', 'n_items', 'n_failed', 'per_family', 'baselines']
TOP += ['calibration', 'model', 'command']


def evaluate(kind, data, out, *more):
    return cli.main(['eval', kind, str(data), '--model', 'micro', '--device', 'cpu', '--json', str(out), *more])


def test_items_give_a_report_in_the_stated_format_and_a_page_that_needs_nothing_else(items_json, tmp_path, capsys):
    out, html = tmp_path / 'out.json', tmp_path / 'out.html'
    assert evaluate('items', items_json, out, '--html', str(html)) == 0
    report = json.loads(out.read_text())
    assert set(TOP) <= set(report)
    assert (report['n_items'], report['n_failed'], report['n_negative']) == (3, 0, 1)
    assert report['per_family']['spatial']['n_items'] == 1
    assert report['per_family']['physics']['absent']
    assert {'all_empty', 'all_foreground', 'prompt_blind'} <= set(report['baselines'])
    assert report['command'].startswith('converseg ')
    assert 'all_empty' in capsys.readouterr().out
    page = html.read_text()
    assert page.count('data:image/jpeg;base64,') >= 2
    assert not re.search(r'(src|href)\s*=\s*"(?!data:)', page)
    assert 'the red square' in page
    assert 'prefers' not in page or '<script' not in page


def test_progress_and_result_are_events_for_programs(items_json, tmp_path, capsys):
    from converseg_ros.core.progress import Progress

    assert evaluate('items', items_json, tmp_path / 'o.json', '--no-baselines', '--events') == 0
    events = [Progress.from_line(line) for line in capsys.readouterr().out.splitlines()]
    assert all(events) and [(e.done, e.total) for e in events[:-1]] == [(1, 2), (2, 2)]
    assert events[-1].result == {'report': str(tmp_path / 'o.json'), 'giou': read_report(tmp_path / 'o.json')['giou']}


def test_the_network_is_evaluated_in_the_given_precision(items_json, tmp_path, monkeypatch):
    from converseg_ros import network as networks

    load, given, out = networks.load, [], tmp_path / 'o.json'
    monkeypatch.setattr(networks, 'load', lambda *a, **k: given.append(k['precision']) or load(*a, **k))
    weights = set()
    for precision in ('auto', 'fp32'):
        assert evaluate('items', items_json, out, '--no-baselines', '--precision', precision, '--fresh') == 0
        weights.add(json.loads(out.with_suffix('.record.jsonl').read_text().splitlines()[0])['weights'])
    assert given == ['auto', 'fp32']
    assert len(weights) == 2, 'answers in another precision are not resumed'


def test_a_broken_item_does_not_stop_the_others(items_json, tmp_path, capsys):
    data = json.loads(items_json.read_text())
    data['items'][0]['image'] = 'missing.png'
    data['items'].append({'id': 'no mask', 'prompt': '<b>x</b>'})
    items_json.write_text(json.dumps(data))
    out, html = tmp_path / 'out.json', tmp_path / 'o.html'
    assert evaluate('items', items_json, out, '--no-baselines', '--html', str(html)) == 0
    report = read_report(out)
    assert (report['n_items'], report['n_failed']) == (4, 2)
    assert 'missing.png' in capsys.readouterr().err
    assert '<b>x</b>' not in html.read_text()


def test_unusable_files_are_one_line_and_exit_1(tmp_path, capsys):
    assert evaluate('items', tmp_path / 'none.json', tmp_path / 'o.json') == 1
    (tmp_path / 'bad.json').write_text('{"items": 3}')
    assert evaluate('items', tmp_path / 'bad.json', tmp_path / 'o.json') == 1
    (tmp_path / 'empty.json').write_text('{"items": []}')
    assert evaluate('items', tmp_path / 'empty.json', tmp_path / 'o.json') == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 3
    assert all(line.startswith('converseg eval: ') for line in said)


def test_two_results_are_compared(items_json, tmp_path, capsys):
    evaluate('items', items_json, tmp_path / 'a.json', '--no-baselines')
    first = json.loads((tmp_path / 'a.json').read_text())
    for item in first['items']:
        item['intersection'], item['error'] = item['union'], ''
    (tmp_path / 'b.json').write_text(json.dumps(first))
    out = tmp_path / 'c.json'
    assert cli.main(['eval', 'compare', str(tmp_path / 'a.json'), str(tmp_path / 'b.json'), '--json', str(out)]) == 0
    result = json.loads(out.read_text())
    assert result['differences']['giou']['second'] == 1
    assert result['differences']['giou']['difference'] > 0
    assert 'giou' in capsys.readouterr().out
    (tmp_path / 'x.json').write_text('{}')
    assert cli.main(['eval', 'compare', str(tmp_path / 'a.json'), str(tmp_path / 'x.json')]) == 1


def test_our_data_sets_are_read_by_split(dataset, tmp_path):
    assert [s.id for s in samples_of_dataset(dataset, 'test')] == ['p', 'n']
    assert len(samples_of_dataset(dataset)) == 3
    (dataset / 'items.jsonl').write_text((dataset / 'items.jsonl').read_text() + '{"id": 1\n')
    assert evaluate('dataset', dataset, tmp_path / 'd.json', '--no-baselines') == 0
    report = read_report(tmp_path / 'd.json')
    assert (report['n_items'], report['n_failed']) == (3, 1)


def test_several_data_sets_are_one_and_images_of_one_name_stay_apart(dataset, tmp_path):
    other = tmp_path / 'other'
    other.mkdir()
    Image.fromarray(np.zeros((60, 60, 3), np.uint8)).save(other / 'room.png')
    item = Item('p', 'room.png', 'the wall', encode_rle(np.ones((60, 60), bool)), split='test', image_id='r')
    (other / 'items.jsonl').write_text(json.dumps(item.to_json()))
    arguments = ['eval', 'dataset', str(dataset), str(other), '--split', 'test', '--model', 'micro', '--device', 'cpu']
    assert cli.main([*arguments, '--json', str(tmp_path / 'o.json'), '--no-baselines']) == 0
    report = read_report(tmp_path / 'o.json')
    assert (report['n_items'], report['n_failed']) == (3, 0)


def test_labels_are_scored(tmp_path):
    folder = tmp_path / 'table'
    folder.mkdir()
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(folder / 'a.png')
    label = {'id': 'x', 'source': 'table', 'image': 'a.png', 'prompt': 'the wall', 'family': 'entities'}
    label |= {'rle': {'size': [40, 50], 'counts': [0, 2000]}, 'how': 'by hand'}
    (tmp_path / 'l.json').write_text(json.dumps([label]))
    assert evaluate('labels', tmp_path / 'l.json', tmp_path / 'o.json', '--root', str(tmp_path), '--no-baselines') == 0
    assert read_report(tmp_path / 'o.json')['n_positive'] == 1


def test_refcoco_is_read_without_running_what_is_in_the_pickle(tmp_path):
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / 'im.jpg')
    coco = {
        'images': [{'id': 5, 'file_name': 'im.jpg', 'height': 30, 'width': 40}],
        'annotations': [{'id': 9, 'segmentation': [[2, 2, 11, 2, 11, 11, 2, 11]]}],
    }
    (tmp_path / 'instances.json').write_text(json.dumps(coco))
    refs = [{'ref_id': 1, 'image_id': 5, 'ann_id': 9, 'split': 'val', 'sentences': [{'sent': 'box'}, {'sent': 'it'}]}]
    (tmp_path / 'refs(unc).p').write_bytes(pickle.dumps(refs))
    found = samples_of_refcoco(tmp_path, tmp_path)
    assert [s.prompt for s in found] == ['box', 'it']
    assert found[0].truth().sum() == 81  # nine pixels square, as pycocotools draws it
    assert samples_of_refcoco(tmp_path, tmp_path, 'test') == []
    (tmp_path / 'refs(unc).p').write_bytes(pickle.dumps([Path('x')]))
    with pytest.raises(InputError, match='pickle contains'):
        samples_of_refcoco(tmp_path, tmp_path)


def test_reasonseg_ignores_what_it_says(tmp_path):
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / 'q.jpg')
    shapes = [
        {'label': 'target', 'points': [[0, 0], [9, 0], [9, 9], [0, 9]]},
        {'label': 'ignore', 'points': [[20, 20], [29, 20], [29, 29], [20, 29]]},
    ]
    (tmp_path / 'q.json').write_text(json.dumps({'text': ['what is in the corner?'], 'shapes': shapes}))
    (tmp_path / 'broken.json').write_text('{')
    found = {s.id: s for s in samples_of_reasonseg(tmp_path)}
    assert found['q-0'].truth().sum() == 100
    assert found['q-0'].ignore().sum() == 100
    with pytest.raises(InputError):
        found['broken'].view()


def test_the_benchmarks_parquet_is_read(tmp_path):
    pa = pytest.importorskip('pyarrow', reason='parquet needs pyarrow')
    import pyarrow.parquet as pq

    from converseg_ros.datasets.parquet import samples_of_parquet

    def png(array):
        data = io.BytesIO()
        Image.fromarray(array).save(data, 'png')
        return {'bytes': data.getvalue(), 'path': 'x.png'}

    image, mask = png(np.full((20, 30, 3), 70, np.uint8)), png(np.eye(20, 30, dtype=np.uint8) * 255)
    table = {'id': ['1', '2', '3'], 'image': [image] * 3, 'mask': [mask] * 3, 'prompt': ['a', 'b', 'c']}
    table['concept'] = ['affordances', 'physics & safety', 'odd']
    pq.write_table(pa.table(table), tmp_path / 'x.parquet', row_group_size=2)
    found = samples_of_parquet(tmp_path / 'x.parquet')
    assert [s.family for s in found] == ['affordances', 'physics', '']
    assert len({s.image_id for s in found}) == 1
    assert found[2].truth().sum() == 20
    assert found[2].view().rgb.shape == (20, 30, 3)


def test_masks_of_any_mode_and_size(tmp_path):
    mask = np.zeros((20, 30), bool)
    mask[5:10, 5:20] = True
    for mode in ('1', 'L', 'RGB', 'RGBA', 'P'):
        Image.fromarray(mask.astype(np.uint8) * 255).convert(mode).save(tmp_path / f'{mode}.png')
        assert (read_mask(tmp_path / f'{mode}.png') == mask).all(), mode
    assert fit_mask(mask, 40, 60).sum() == 4 * mask.sum()
    with pytest.raises(InputError):
        fit_mask(mask, 40, 40)


def test_concepts_of_the_benchmark_are_families(items_json):
    assert family_of('Spatial & Layout') == 'spatial'
    assert family_of('Physics & Safety') == 'physics'
    assert family_of('affordances & functions') == 'affordances'
    assert family_of('colours') == ''
    assert [s.family for s in samples_of_items(items_json)] == ['entities', 'spatial', 'affordances']


def test_a_calibration_with_another_namer_is_fitted_and_used_by_predict(tmp_path, monkeypatch, capsys):
    pytest.importorskip('transformers')
    from transformers_micro import write_towers

    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    namer, lines = write_towers('clip', tmp_path / 'clip'), []
    for i in range(10):
        rgb, mask = np.random.default_rng(i).integers(0, 60, (48, 64, 3), dtype=np.uint8), np.zeros((48, 64), bool)
        rgb[10:30, 12:32], mask[10:30, 12:32] = (200, 40, 40), True
        Image.fromarray(rgb).save(tmp_path / f'{i}.png')
        for prompt, truth in (('the red box', mask), ('the unicorn', mask & False)):
            item = Item(f'{prompt}{i}', f'{i}.png', prompt, encode_rle(truth), split='val', image_id=str(i))
            lines.append(json.dumps(item.to_json()))
    (tmp_path / 'items.jsonl').write_text('\n'.join(lines))
    own = find_model('compact') / 'calibration.json'
    before = own.read_bytes()
    chosen = ['--namer', str(namer), '--device', 'cpu']
    fit = [
        'eval',
        'calibrate',
        '--dataset',
        str(tmp_path),
        '--split',
        'val',
        *chosen,
        '--json',
        str(tmp_path / 'c.json'),
    ]
    assert cli.main(fit) == 0
    assert own.read_bytes() == before, 'that of the model folder belongs to its own namer'
    (kept,) = (tmp_path / 'models' / '.calibrations').glob('*.json')
    assert json.loads(kept.read_text())['provenance']['items'] == 20
    asked = ['predict', '--image', str(tmp_path / '0.png'), '--prompt', 'the red box', '--out', str(tmp_path / 'out')]
    assert cli.main([*asked, *chosen]) == 0
    (answer,) = json.loads((tmp_path / 'out' / 'result.json').read_text())
    assert answer['calibrated'] and 'not calibrated' not in answer['reason']
    kept.unlink()
    assert cli.main([*asked, *chosen]) == 0
    (answer,) = json.loads((tmp_path / 'out' / 'result.json').read_text())
    assert not answer['calibrated']


def test_calibrating_writes_beside_the_weights_and_is_used_at_once(tmp_path):
    import shutil

    model = tmp_path / 'model'
    shutil.copytree(find_model('micro'), model, ignore=shutil.ignore_patterns('calibration.json'))
    lines = []
    truth = np.zeros((32, 40), bool)
    truth[8:20, 8:20] = True
    for i in range(12):
        rgb = np.random.default_rng(i).integers(0, 255, (32, 40, 3), dtype=np.uint8)
        Image.fromarray(rgb).save(tmp_path / f'{i}.png')
        for kind, mask in (('p', truth), ('n', truth & False)):
            item = Item(f'{kind}{i}', f'{i}.png', f'{kind} {i}', encode_rle(mask), split='val', image_id=str(i))
            lines.append(json.dumps(item.to_json()))
    (tmp_path / 'items.jsonl').write_text('\n'.join(lines))
    out = tmp_path / 'c.json'
    arguments = ['eval', 'dataset', str(tmp_path), '--split', 'val', '--model', str(model), '--device', 'cpu']
    assert cli.main([*arguments, '--json', str(out), '--no-baselines', '--calibrate']) == 0
    fitted = json.loads((model / 'calibration.json').read_text())
    assert fitted['provenance']['items'] == 24
    report = read_report(out)
    assert report['calibration']['calibrated']
    assert report['calibration']['threshold'] == pytest.approx(fitted['no_target'])
    assert report['calibration']['reliability']['ece'] is not None
    refused = [i for i in report['items'] if i['status'] == 'NO_TARGET']
    assert all(i['score'] < fitted['no_target'] for i in refused)
    assert all(i['score'] >= fitted['no_target'] for i in report['items'] if i['status'] != 'NO_TARGET')
