"""The training of the intent reader."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from converseg_ros.core.config import read_mapping
from converseg_ros.core.errors import InputError
from converseg_ros.network.parser.intents import load_model
from converseg_ros.programs.intents import OTHER, intents
from converseg_ros.programs.phrasing.templates import data
from converseg_ros.training.intents import sentences
from converseg_ros.training.intents.config import IntentTraining, parse
from converseg_ros.training.intents.sentences import by_people, drawn, phrased
from converseg_ros.training.intents.task import IntentTask, create
from converseg_ros.training.loop import Trainer

ROOT = Path(__file__).parents[3]


def settings(out: Path, steps: int) -> IntentTraining:
    return IntentTraining(
        task='intents', out=str(out), steps=steps, phrased=1, drawn=40, validate=40, batch=64, lr=0.05,
        checkpoint_every=100, validate_every=100,
    )  # fmt: skip


@pytest.fixture(scope='module')
def task(tmp_path_factory: pytest.TempPathFactory) -> IntentTask:
    """Return a task with a fifth of the intents, since all sentences take long to encode."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sentences, 'data', lambda name: {i: data(name)[i] for i in (*intents()[::5], OTHER)})
        return create(settings(tmp_path_factory.mktemp('run'), 40), lambda text: None)


def test_people_have_sentences_for_each_intent() -> None:
    every, held_out, trained = by_people('all'), by_people('held_out'), by_people('train')
    assert len(set(every)) == len(every) and set(held_out) | set(trained) == set(every)
    assert not set(held_out) & set(trained)
    for intent in intents():
        assert sum(i == intent for _, i in every) >= 20 and any(i == intent for _, i in held_out)


def test_generated_sentences_are_reproducible_and_of_all_intents() -> None:
    assert list(phrased(1, 0)) == list(phrased(1, 0)) != list(phrased(1, 1))
    assert {intent for _, intent in phrased(1, 0)} == set(intents()) - {OTHER}
    kinds = [intent for _, intent in drawn(200, 0)]
    assert 0.6 < kinds.count(OTHER) / 200 < 1


def test_held_out_sentences_are_not_trained_with(task: IntentTask) -> None:
    held_out = {tuple(vector) for vector in task.held_out[0].tolist()}
    assert len(held_out) > 100 and not held_out & {tuple(vector) for vector in task.people[0].tolist()}


def test_a_run_learns_and_its_file_is_calibrated(task: IntentTask) -> None:
    trainer = Trainer(task, report=lambda text: None)
    before = float(task.loss(trainer.network, task.held_out)['total'])
    scores = trainer.train()
    assert set(scores) == {'held_out', 'properties', 'drawn'} and scores['held_out'] > 0.3
    model, temperature = load_model(trainer.export())
    assert model.values == intents()
    with torch.no_grad():
        vectors, places = task.held_out
        cost = torch.nn.functional.cross_entropy(model(vectors) / temperature, places)
        worse = [torch.nn.functional.cross_entropy(model(vectors) / (temperature * f), places) for f in (0.8, 1.25)]
    assert float(cost) < before and all(cost < other for other in worse)


def test_a_run_that_is_killed_and_resumed_is_bit_exact(tmp_path: Path, task: IntentTask) -> None:
    whole = trainer_of(task, tmp_path / 'whole')
    whole.train()
    killed = trainer_of(task, tmp_path / 'parts')
    while killed.step < 5:
        killed.update()
    killed.save(False)
    killed.update()  # lost with the process
    resumed = trainer_of(task, tmp_path / 'parts')
    assert resumed.step == 5
    resumed.train()
    assert all(torch.equal(value, resumed.state[name]) for name, value in whole.state.items())


def trainer_of(task: IntentTask, out: Path) -> Trainer:
    """Return a short run of a task whose sentences are encoded already."""
    task.config = replace(task.config, out=str(out), steps=8)
    return Trainer(task, report=lambda text: None)


def test_the_shipped_configuration_is_valid_and_wrong_ones_are_named() -> None:
    data = read_mapping(ROOT / 'config/train/intents.yaml')
    assert parse(data, Path('intents.yaml')).steps > 0
    with pytest.raises(InputError, match='batch'):
        parse(data | {'batch': 0}, Path('intents.yaml'))
    with pytest.raises(InputError, match='people'):
        parse(data | {'people': 0.0}, Path('intents.yaml'))
    with pytest.raises(InputError, match='bach'):
        parse(data | {'bach': 3}, Path('intents.yaml'))
