"""The head learns what crops show, keeps to its split, and is calibrated on what it was not trained on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from safetensors.numpy import save_file
import torch

from converseg_ros.core import InputError
from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.network.encoders.efficientnet import EfficientNetLite0
from converseg_ros.network.names.weights import load_names
from converseg_ros.training.loop import Trainer
from converseg_ros.training.names.config import NamesConfig, NameSource, parse
from converseg_ros.training.names.features import limited
from converseg_ros.training.names.instances import Instance, Picture
from converseg_ros.training.names.labels import allowed
from converseg_ros.training.names.prepared import SHOWN, Prepared
from converseg_ros.training.names.table import UNUSED, Table, read_table, sources_of
from converseg_ros.training.names.task import NamesTask

LABELS = ('hammer', 'banana', 'mug')
EACH = 40


def config(out: Path, **changes: Any) -> NamesConfig:
    settings = {'rounds': 0, 'steps': 60, 'fold_steps': 60, 'batch': 32, 'checkpoint_every': 20, 'validate_every': 30}
    settings |= {'out': str(out), **changes}
    settings = {'cache': 'cache', 'sources': [NameSource('photos')], **settings}
    return NamesConfig(task='names', backbone='model', **settings)


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.eye(len(texts), 16, dtype=np.float32)


def trainer_of(prepared: Prepared, config: NamesConfig, chosen: NDArray[np.bool_] | None = None) -> Trainer:
    task = NamesTask(config, prepared, encode, lambda text: None, chosen)
    return Trainer(task, report=lambda text: None)


@pytest.fixture(scope='module')
def prepared() -> Prepared:
    """Things whose features tell their label, in 30 pictures."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.array(LABELS), EACH)
    centres = rng.normal(0, 1, (len(LABELS), 1280))
    pooled = centres[np.repeat(np.arange(len(LABELS)), EACH)][:, None] + rng.normal(0, 1.5, (len(labels), 3, 1280))
    images = np.array([f'{i % 30:03d}.jpg' for i in range(len(labels))])
    table = Table(
        torch.from_numpy(pooled.astype(np.float16)),
        torch.zeros(len(labels), 160),
        allowed(tuple(labels), 'photos', vocabulary()),
        labels,
        images,
        np.full(len(labels), 'photos'),
        np.full(len(labels), 5000),
        np.where(np.arange(len(labels)) % 4 == 0, 'val', 'train'),
        np.arange(len(labels)) % 5 == 0,
    )
    return Prepared(table, EfficientNetLite0().eval(), vocabulary())


def test_the_head_learns_names_that_hold_for_other_things(prepared: Prepared, tmp_path: Path) -> None:
    trainer = trainer_of(prepared, config(tmp_path))
    values = trainer.train()
    head = trainer.result()
    table = prepared.table
    held = table.splits == 'val'
    found = prepared.answers(head, held, SHOWN, detector=False)[:, :-1]
    named = [head.sources.nouns[i] for i in found.argmax(1)]
    right = [vocabulary().denoted(str(label)) for label in table.labels[held]]
    share = np.mean([vocabulary().index[n] in d for n, d in zip(named, right, strict=True)])
    assert share > 0.9 and values['right'] == pytest.approx(share)


def test_a_run_that_is_killed_and_resumed_is_bit_exact(prepared: Prepared, tmp_path: Path) -> None:
    whole = trainer_of(prepared, config(tmp_path / 'whole', steps=6))
    whole.train()
    killed = trainer_of(prepared, config(tmp_path / 'parts', steps=6))
    while killed.step < 4:
        killed.update()
    killed.save(False)
    killed.update()  # lost with the process
    resumed = trainer_of(prepared, config(tmp_path / 'parts', steps=6))
    assert resumed.step == 4
    resumed.train()
    assert all(torch.equal(value, resumed.state[name]) for name, value in whole.state.items())


def test_only_nouns_of_the_chosen_things_get_a_layer_of_their_own(prepared: Prepared, tmp_path: Path) -> None:
    task = NamesTask(config(tmp_path), prepared, encode, lambda text: None, prepared.table.labels != 'banana')
    head = task.build()
    trained = {head.sources.nouns[i] for i in head.crops}
    assert trained == {'hammer', 'mug'}
    assert 'banana' in head.sources.nouns  # ImageNet and the detector know it
    with pytest.raises(InputError, match='another configuration'):  # a run does not go on with other objects
        trainer_of(prepared, config(tmp_path, steps=2)).save(False)
        trainer_of(prepared, config(tmp_path, steps=2), prepared.table.labels != 'banana')


def test_images_of_one_minute_cannot_be_calibrated_on(prepared: Prepared, tmp_path: Path) -> None:
    table = replace(prepared.table, images=np.full(len(prepared.table.labels), '20240101120000.jpg'))
    minute = Prepared.__new__(Prepared)
    minute.__dict__ = prepared.__dict__ | {'table': table}
    with pytest.raises(InputError, match='too few minutes'):
        trainer_of(minute, config(tmp_path))


def test_a_run_writes_a_calibrated_file(prepared: Prepared, tmp_path: Path) -> None:
    trainer = trainer_of(prepared, config(tmp_path))
    trainer.train()
    path = trainer.export()
    assert path == tmp_path / 'names.safetensors'
    weights = load_names(path)
    assert set(weights.scaling.own) == set(LABELS)  # 30 things of each are trained on
    assert path.stat().st_size < 5_000_000
    more = trainer_of(prepared, config(tmp_path / 'more', steps=1, origin=str(tmp_path)))
    assert torch.equal(more.parameters['linear.weight'], trainer.parameters['linear.weight'])
    more.train()
    assert load_names(more.export()).scaling == weights.scaling, 'the heads of the folds do not start from all objects'


def test_what_speaks_for_nouns_comes_from_all_three_sources() -> None:
    sources = sources_of(np.array(['hammer', 'material:glass', '']), vocabulary())
    assert [sources.nouns[i] for i in sources.crops] == ['hammer']
    assert sources.nouns[sources.classes[504]] == 'mug'
    assert sources.classes[916] == -1
    assert {sources.nouns[i] for i in np.flatnonzero(sources.kinds[41])} >= {'cup', 'mug'}


def test_a_wrong_configuration_names_the_key() -> None:
    data = {'task': 'names', 'out': 'a', 'backbone': 'b', 'cache': 'c', 'sources': [{'path': 'photos'}]}
    assert parse(data, Path('names.yaml')).steps > 0
    with pytest.raises(InputError, match='folds'):
        parse({**data, 'folds': 1}, Path('names.yaml'))
    with pytest.raises(InputError, match='dropout'):
        parse({**data, 'dropout': 2.0}, Path('names.yaml'))
    with pytest.raises(InputError):
        parse({**data, 'unknown': 1}, Path('names.yaml'))


def test_a_share_of_a_source_is_trained_on(tmp_path: Path) -> None:
    folder, cache = tmp_path / 'rooms', tmp_path / 'cache'
    folder.mkdir()
    rows = [(str(i), f'room-{i}/view0', 'mug', 400) for i in range(200)]
    cache.mkdir()
    tensors = {'pooled': np.zeros((200, 3, 1280), np.float16), 'evidence': np.zeros((200, 160), np.float16)}
    save_file(tensors, cache / 'rooms-00.safetensors', {'rows': json.dumps(rows)})
    source = NameSource(str(folder), share=0.25)
    table = read_table(config(tmp_path, cache=str(cache), sources=[source]), vocabulary())
    assert 30 <= np.count_nonzero(table.splits == 'train') <= 70
    assert set(table.splits) == {'train', UNUSED}


def test_a_label_is_taken_as_often_as_asked() -> None:
    picture = Picture('a', np.zeros((4, 4, 3), np.uint8), tuple(
        Instance(str(i), 'a', label, np.ones((4, 4), bool)) for i, label in enumerate(['mug', 'mug', 'pen', 'mug'])
    ))  # fmt: skip
    taken: Counter[str] = Counter()
    assert [i.key for i in limited(picture, taken, 2).instances] == ['0', '1', '2']  # two mugs, one pen
    assert [i.key for i in limited(picture, taken, 2).instances] == ['2']  # the second pen
    assert len(limited(picture, Counter(), 0).instances) == 4
