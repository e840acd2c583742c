"""From a bag to compact's namer and boundary network by the documented commands: the plumbing, not the quality.

The judge is a local server that agrees with everything, SAM 2 has random weights, and the trainings take a few steps.
"""

from collections.abc import Iterator
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip('torch')
pytest.importorskip('transformers')

from agreeing_judge import AgreeingJudge
from bag_files import START, image, write
from micro_segmenters import write_sam2

from converseg_ros.cli import main
from converseg_ros.core import InputError
from converseg_ros.core.item import read_items
from converseg_ros.core.mask import decode_rle
from converseg_ros.core.splits import session_of
from converseg_ros.data_engine.proposers.sam_family import SamFamilyProposer
from converseg_ros.data_engine.world.bag_frames import frame_name, is_bag, write_frames
from converseg_ros.datasets.images import read_rgb
from converseg_ros.datasets.regions import KINDS, UNKNOWN_KIND, labelled_names, own_splits, read_labelled
from converseg_ros.network.names.weights import load_names
from converseg_ros.network.registry import find_model
from converseg_ros.network.weights.things_folder import NAMES
from converseg_ros.network.weights.things_loader import load_text_encoder
from converseg_ros.training.names import task
from converseg_ros.training.names.instances import NOTHING, read_source

FRAMES, MINUTE = 12, 60 * 10**9


def shown(k: int) -> np.ndarray:
    """Return a view of a red mug on a table, which differs clearly from the view before."""
    rgb = np.full((120, 160, 3), 150 if k % 2 else 110, np.uint8)
    rgb[48:] = (120, 90, 60)
    rgb[36:84, 48 + 2 * k : 112 + 2 * k] = (200, 40, 40)
    return rgb


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bag of two views a minute, each of them recorded twice within half a second."""
    folder, messages = tmp_path_factory.mktemp('bags') / 'kitchen', []
    for k in range(FRAMES):
        for again in (0, 1):
            stamp = START + k * MINUTE // 2 + again * 500_000_000
            messages.append(('/camera/image', stamp, image(shown(k), 'rgb8', stamp)))
    return write(folder, messages)


@pytest.fixture(scope='module')
def judge():
    server = AgreeingJudge()
    yield server
    server.close()


@pytest.fixture(scope='module')
def few_points() -> Iterator[None]:
    """Ask SAM 2 at 64 points of a view instead of 256."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SamFamilyProposer.__init__.__kwdefaults__, 'grid', 8)
        yield


@pytest.fixture
def stored_meanings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the training of names the vectors of nouns that `compact` has; encoding all nouns takes long."""
    meanings = load_names(find_model('compact') / NAMES).meanings
    known = dict(zip(meanings.nouns, meanings.vectors))
    encode = load_text_encoder(find_model('compact'))
    stored = lambda texts: np.stack([known[t] if t in known else encode([t])[0] for t in texts])  # noqa: E731
    monkeypatch.setattr(task, 'load_text_encoder', lambda folder: stored)


@pytest.fixture(scope='module')
def dataset(bag: Path, judge: AgreeingJudge, few_points: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('made')
    arguments = ['engine', 'run', '--source', str(bag), '--judge', 'openai', '--base-url', judge.url, '--model', 'any']
    arguments += ['--proposer', 'sam2', '--proposer-weights', str(write_sam2(folder / 'sam2'))]
    assert main([*arguments, '--out', str(folder / 'data')]) == 0
    calls = len(judge.calls)
    assert main([*arguments, '--out', str(folder / 'data')]) == 0
    assert len(judge.calls) == calls, 'a finished run asks for nothing'
    return folder / 'data'


def test_a_bag_gives_the_views_that_differ_named_by_their_time(bag: Path, tmp_path: Path) -> None:
    assert is_bag(bag) and is_bag(next(bag.glob('*.db3'))) and not is_bag(tmp_path)
    folder = write_frames(bag, tmp_path, period=0.0, change=1.0)
    names = sorted(p.name for p in folder.iterdir())
    assert names == [frame_name(START + k * MINUTE // 2) for k in range(FRAMES)], 'the repeated views are left out'
    assert len({session_of(n) for n in names}) in (6, 7) and names[0].startswith('20231114221320-')
    np.testing.assert_array_equal(read_rgb(folder / names[3]), shown(3))
    (folder / names[3]).write_bytes(b'kept')
    write_frames(bag, tmp_path, period=0.0, change=1.0)
    assert (folder / names[3]).read_bytes() == b'kept'
    sparse = write_frames(bag, tmp_path / 'sparse', period=100.0, change=0.0)
    assert len(list(sparse.iterdir())) == 3
    with pytest.raises(InputError, match='image'):
        write_frames(bag, tmp_path, period=0.0, change=1.0, topics={'image': '/none'})


def test_regions_that_the_judge_accepted_are_labels_with_the_split_of_their_minute(dataset: Path) -> None:
    items = read_items(dataset)
    assert {i.prompt for i in items} == {'the red mug', 'what could I drink coffee from?', 'the blue teapot'}
    splits = own_splits(dataset)
    assert len(labelled_names(dataset)) == FRAMES
    by_minute: dict[str, set[str]] = {}
    for item in items:
        assert splits(item.image) == item.split
        by_minute.setdefault(session_of(item.image), set()).add(item.split)
    assert all(len(found) == 1 for found in by_minute.values())
    rows = {r['image']: r for r in map(json.loads, (dataset / 'regions.jsonl').read_text().splitlines())}
    name = labelled_names(dataset)[0]
    found = {r['category']: r for r in rows[name]['regions']}
    assert (
        found['mug']['kind'] == 'object'
        and found['wall']['kind'] == 'structure'
        and found['table']['kind'] == 'surface'
    )
    assert found['flibbertigibbet']['kind'] in ('unknown', 'part')
    view = read_labelled(dataset, name)
    smallest = min((r for r in found.values() if r['kind'] != 'part'), key=lambda r: decode_rle(r['rle']).sum())
    label = next(i for i, category in view.names.items() if category == smallest['category'])
    np.testing.assert_array_equal(view.whole == label, decode_rle(smallest['rle']))
    kinds = {view.names[i]: k for i, k in view.kinds.items()}
    assert KINDS[kinds['mug']] == 'object' and kinds.get('flibbertigibbet', UNKNOWN_KIND) == UNKNOWN_KIND
    pictures = list(read_source(dataset, blobs=0))
    labels = {i.label for p in pictures for i in p.instances}
    assert labels <= {'mug', 'table', 'wall'} and labels, 'a name that nobody knows is not learned'
    assert NOTHING not in labels


def config(path: Path, dataset: Path, out: Path, **more: object) -> Path:
    """Write the shipped configuration `path` with the data set as its only source and few steps."""
    data = yaml.safe_load(path.read_text())
    mine = next(s for s in data['sources'] if s['split'] == 'own')
    data |= {'out': str(out), 'backbone': str(find_model('compact')), 'cache': str(out / 'cache'), 'recipe': [], **more}
    data['sources'] = [{**mine, 'path': str(dataset)}]
    target = out.parent / f'{out.name}.yaml'
    target.write_text(yaml.safe_dump(data))
    return target


@pytest.mark.usefixtures('few_statements', 'stored_meanings')
def test_the_parts_of_compact_are_trained_on_it_and_answer(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    shipped = Path(__file__).parents[2] / 'config' / 'train'
    small = {'batch': 1, 'view': [96, 128], 'quality': {'views': 2, 'steps': 20}}
    names = config(shipped / 'distill-names.yaml', dataset, tmp_path / 'names', steps=4, fold_steps=4, rounds=0)
    segments = config(shipped / 'distill-segments.yaml', dataset, tmp_path / 'segments', steps=2, **small)
    for path in (names, segments):
        assert main(['train', str(path)]) == 0
    model = tmp_path / 'model'
    parts = [f'--{part}={tmp_path / part / part}.safetensors' for part in ('names', 'segments')]
    assert main(['weights', 'assemble', str(model), '--frozen', 'compact', *parts]) == 0
    capsys.readouterr()
    frame = dataset / labelled_names(dataset)[0]
    asked = ['predict', '--model', str(model), '--image', str(frame), '--prompt', 'the red mug', '--device', 'cpu']
    assert main([*asked, '--out', str(tmp_path / 'out')]) == 0
    (answer,) = json.loads((tmp_path / 'out' / 'result.json').read_text())
    assert answer['status'] != 'ERROR' and not answer['calibrated'], 'a calibration belongs to the weights'


def test_what_is_missing_is_said(dataset: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv('CONVERSEG_MODELS', str(tmp_path / 'models'))
    photos = dataset / 'frames' / 'kitchen'
    arguments = ['engine', 'run', '--source', str(photos), '--judge', 'openai', '--base-url', 'http://127.0.0.1:9/v1']
    arguments += ['--model', 'any', '--out', str(tmp_path / 'd')]
    assert main([*arguments, '--proposer', 'sam2']) == 1
    assert 'converseg weights fetch sam2' in capsys.readouterr().err
    assert main([*arguments, '--proposer', 'sam']) == 1
    assert 'needs weights' in capsys.readouterr().err
    with pytest.raises(InputError, match=r'regions\.jsonl'):
        own_splits(photos)
    (tmp_path / 'regions.jsonl').write_text('{"image": "a.png", "split": "train", "regions": [{"kind": "object"}]}\n')
    with pytest.raises(InputError, match='category'):
        labelled_names(tmp_path)
