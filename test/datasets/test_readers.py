"""Data sets of other people: what is read, what is refused, and that no picture is in two parts."""

import json
from pathlib import Path
import pickle
from typing import Any

import numpy as np
from PIL import Image
import pytest

from converseg_ros.core import InputError, encode_rle
from converseg_ros.core.splits import picture_name, split_of
from converseg_ros.datasets.parquet import samples_of_parquet
from converseg_ros.datasets.reasonseg import samples_of_reasonseg
from converseg_ros.datasets.refcoco import refs_file, samples_of_refcoco

H, W = 40, 60
MASK = np.zeros((H, W), bool)
MASK[5:20, 10:30] = True


def draw(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.repeat(MASK[..., None] * np.uint8(255), 3, 2)).save(path)
    return path


def refcoco(folder: Path, name: str, *authors: str, sentences: int = 1, split: str = 'train') -> Path:
    draw(folder / 'images' / name)
    coco = {
        'images': [{'id': 7, 'file_name': name, 'height': H, 'width': W}],
        'annotations': [{'id': 3, 'image_id': 7, 'segmentation': encode_rle(MASK)}],
    }
    (folder / 'instances.json').write_text(json.dumps(coco))
    for author in authors or ('',):
        texts = [{'sent': f'{author} block {n}'} for n in range(sentences)]
        refs = [{'ref_id': 1, 'ann_id': 3, 'image_id': 7, 'split': split, 'sentences': texts}]
        (folder / f'refs({author}).p').write_bytes(pickle.dumps(refs))
    return folder


@pytest.mark.parametrize(
    'authors, chosen', [(('google', 'unc'), 'unc'), (('google', 'umd'), 'umd'), (('google',), 'google')]
)
def test_refcoco_takes_the_split_that_papers_report(tmp_path: Path, authors: tuple[str, ...], chosen: str) -> None:
    folder = refcoco(tmp_path, 'a.jpg', *authors, split='val')
    assert [s.prompt for s in samples_of_refcoco(folder, folder / 'images')] == [f'{chosen} block 0']
    assert refs_file(folder).name == f'refs({chosen}).p'
    other = samples_of_refcoco(folder, folder / 'images', split_by='google')
    assert [s.prompt for s in other] == ['google block 0']
    with pytest.raises(InputError, match='nobody'):
        refs_file(folder, 'nobody')


def reasonseg(folder: Path, *shapes: dict[str, Any], text: Any = 'what is white?', name: str = 'a.png') -> Path:
    draw(folder / name)
    data = {'text': text, 'shapes': list(shapes)}
    (folder / name).with_suffix('.json').write_text(json.dumps(data, ensure_ascii=False))
    return folder


def polygon(label: str = 'target') -> dict[str, Any]:
    return {'label': label, 'points': [[10, 5], [29, 5], [29, 19], [10, 19]]}


@pytest.mark.parametrize('kind', ['rectangle', None])
def test_rectangles_are_masks(tmp_path: Path, kind: str | None) -> None:
    shape = {'label': 'target', 'points': [[29, 19], [10, 5]], 'shape_type': kind}
    (sample,) = samples_of_reasonseg(reasonseg(tmp_path, shape))
    assert np.array_equal(sample.truth(), MASK)


def test_circles_are_masks_and_other_shapes_are_refused(tmp_path: Path) -> None:
    circle = {'label': 'target', 'points': [[30, 20], [30, 30]], 'shape_type': 'circle'}
    (sample,) = samples_of_reasonseg(reasonseg(tmp_path / 'c', circle))
    assert abs(int(sample.truth().sum()) - np.pi * 100) < 40
    line = {'label': 'target', 'points': [[1, 1], [30, 30]], 'shape_type': 'line'}
    (sample,) = samples_of_reasonseg(reasonseg(tmp_path / 'l', line))
    with pytest.raises(InputError, match='line'):
        sample.truth()


@pytest.mark.parametrize('label', ['ignore', 'ignore region', 'Ignore'])
def test_regions_to_ignore_do_not_count(tmp_path: Path, label: str) -> None:
    (sample,) = samples_of_reasonseg(reasonseg(tmp_path, polygon(), polygon(label), polygon('flag')))
    assert sample.ignore is not None
    ignored = sample.ignore()
    assert ignored is not None and np.array_equal(ignored, MASK) and np.array_equal(sample.truth(), MASK)


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'cp1252'])
def test_reasonseg_in_the_encodings_of_the_published_files(tmp_path: Path, encoding: str) -> None:
    folder = reasonseg(tmp_path, polygon(), text='the café’s sign')
    path = folder / 'a.json'
    path.write_bytes(path.read_text(encoding='utf-8').encode(encoding))
    (sample,) = samples_of_reasonseg(folder)
    assert sample.prompt == 'the café’s sign' and sample.truth().any()


def parquet(path: Path, *rows: dict[str, Any]) -> Path:
    pa = pytest.importorskip('pyarrow', reason='pyarrow is not installed')
    pq = pytest.importorskip('pyarrow.parquet')
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def test_parquet_with_paths_instead_of_bytes(tmp_path: Path) -> None:
    draw(tmp_path / 'images/a.png')
    Image.fromarray(MASK).save(tmp_path / 'm.png')
    for cell in (str, lambda p: {'bytes': None, 'path': p}):
        row = {'id': 'x', 'image': cell('images/a.png'), 'mask': cell('m.png'), 'prompt': 'the block'}
        (sample,) = samples_of_parquet(parquet(tmp_path / 'x.parquet', row))
        assert sample.view().rgb.shape == (H, W, 3) and np.array_equal(sample.truth(), MASK)
    row = {'id': 'x', 'image': 'nowhere.png', 'mask': 'm.png', 'prompt': 'the block'}
    (sample,) = samples_of_parquet(parquet(tmp_path / 'x.parquet', row))
    with pytest.raises(InputError, match=r'nowhere\.png'):
        sample.view()


@pytest.mark.parametrize('prompt', [None, ' '])
def test_a_row_without_a_prompt_is_never_asked(tmp_path: Path, prompt: str | None) -> None:
    data = draw(tmp_path / 'a.png').read_bytes()
    rows = [{'id': i, 'image': data, 'mask': data, 'prompt': p} for i, p in (('x', prompt), ('y', 'the block'))]
    bad, good = samples_of_parquet(parquet(tmp_path / 'x.parquet', *rows))
    assert bad.prompt == '' and good.prompt == 'the block'
    with pytest.raises(InputError, match='no prompt'):
        bad.view()


def test_no_picture_is_in_two_parts_whichever_reader_reads_it(tmp_path: Path) -> None:
    pytest.importorskip('pycocotools', reason='pycocotools is not installed')
    from converseg_ros.data_engine.world.sources import read_source
    from converseg_ros.training.converseg.config import SourceConfig
    from converseg_ros.training.converseg.records import read_records

    def part(path: Path, form: str) -> str:
        source = SourceConfig(str(path), form)  # type: ignore[arg-type]
        found = [s for s in ('train', 'val', 'test') if read_records(source, s)]
        assert len(found) == 1
        return found[0]

    parts = set()
    for number in range(40):
        name, folder = f'{number:012d}.png', tmp_path / str(number)
        (photo,) = read_source(draw(folder / 'photos/sub' / name).parents[1])
        coco = {'images': [{'id': 1, 'file_name': name}], 'annotations': [], 'categories': []}
        draw(folder / 'coco/images' / name)
        (folder / 'coco/instances.json').write_text(json.dumps(coco))
        (annotated,) = read_source(folder / 'coco')
        line = {'image': f'pictures/{name}', 'mask_merged': f'pictures/{name}', 'prompt': 'the block'}
        draw(folder / 'reference/pictures' / name)
        (folder / 'reference/dataset.jsonl').write_text(json.dumps(line))
        found = {
            photo.split,
            annotated.split,
            part(refcoco(folder / 'refcoco', f'COCO_train2014_{name}'), 'refcoco'),
            part(reasonseg(folder / 'reasonseg', polygon(), name=name), 'reasonseg'),
            part(folder / 'reference', 'reference'),
        }
        assert found == {split_of(picture_name(name))}, name
        parts |= found
    assert parts == {'train', 'val', 'test'}


def test_an_image_is_read_once_however_many_sentences_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from converseg_ros.datasets import refcoco as reader
    from converseg_ros.training.converseg.config import SourceConfig
    from converseg_ros.training.converseg.records import read_records

    reads: list[Path] = []
    read = reader.read_view
    monkeypatch.setattr(reader, 'read_view', lambda path: reads.append(path) or read(path))
    folder = refcoco(tmp_path, '000000000139.png', sentences=9)
    records = [r for s in ('train', 'val', 'test') for r in read_records(SourceConfig(str(folder), 'refcoco'), s)]
    assert [len(r.items) for r in records] == [9] and len(reads) == 1


def test_a_training_set_without_an_image_is_named(tmp_path: Path) -> None:
    pytest.importorskip('torch')
    from converseg_ros.training.converseg.config import SourceConfig
    from converseg_ros.training.converseg.records import read_records

    (tmp_path / 'items.jsonl').write_text('')
    with pytest.raises(InputError, match='nothing to train on'):
        read_records(SourceConfig(str(tmp_path)), 'train', needed=True)
