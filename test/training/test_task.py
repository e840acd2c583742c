"""A small task under the loop: choosing, stopping early, stopping by a signal, data workers, what is refused."""

import json
import os
from pathlib import Path
import signal
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
import torch
from torch import Tensor, nn

from converseg_ros.core.errors import InputError
from converseg_ros.training import checkpoints
from converseg_ros.training.config import OptimConfig, RunConfig
from converseg_ros.training.loop import StoppedError, Trainer
from converseg_ros.training.task import Scores, Task


class LineTask(Task[tuple[Tensor, Tensor]]):
    """Learns y = 3 x after a frozen layer; `goals` are what validation says, in order."""

    def __init__(self, out: Path, goals: tuple[float, ...] = (), **settings: Any) -> None:
        defaults = {'steps': 12, 'checkpoint_every': 100, 'validate_every': 2}
        self.config = RunConfig(task='parser', out=str(out), **defaults | settings)
        self.optim = OptimConfig(lr=0.1)
        self.goals = list(goals)

    def build(self) -> nn.Module:
        network = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1), nn.Dropout(0.5), nn.Linear(1, 1))
        network[0].requires_grad_(False)
        return network

    def batch(self, step: int, number: int) -> tuple[Tensor, Tensor]:
        x = torch.randn(8, 1, generator=torch.Generator().manual_seed(number))
        return x, 3 * x

    def loss(self, network: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        return {'total': (network(batch[0]) - batch[1]).square().mean()}

    def validate(self, network: nn.Module, step: int) -> Scores | None:
        assert not network.training
        return Scores(self.goals.pop(0), {'step': float(step)}) if self.goals else None

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        path = (folder or Path(self.config.out)) / f'line-{step}.safetensors'
        save_file(network.state_dict(), path)
        return path


def trainer_of(out: Path, goals: tuple[float, ...] = (), **settings: Any) -> Trainer:
    return Trainer(LineTask(out, goals, **settings), report=lambda text: None)


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(value, two[name]) for name, value in one.items())


def test_the_best_weights_are_exported_if_they_are_chosen(tmp_path: Path) -> None:
    goals = (0.1, 0.9, 0.3, 0.2, 0.4, 0.5)
    best, last = (trainer_of(tmp_path / c, goals, choose=c) for c in ('best', 'last'))
    assert best.train() == last.train() == {'step': 12.0}
    early = trainer_of(tmp_path / 'early', steps=12)
    while early.step < 4:
        early.update()
    expected = {n: t.clone() for n, t in early.network.state_dict().items()}
    path = best.export()
    assert path.name == 'line-4.safetensors' and same(load_file(path), expected)
    assert last.export().name == 'line-12.safetensors'


def test_the_best_weights_are_written_before_the_checkpoint_that_refers_to_them(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, (0.1, 0.9), steps=4, choose='best')
    (tmp_path / 'checkpoints' / 'step-0000004.pt').mkdir(parents=True)  # the checkpoint of step 4 cannot be written
    with pytest.raises(OSError):
        trainer.train()
    assert checkpoints.load(tmp_path / 'checkpoints' / checkpoints.BEST).step == 4


def test_a_run_stops_when_validation_no_longer_improves(tmp_path: Path) -> None:
    goals = (0.1, 0.9, 0.3, 0.2, 1.0, 1.0)
    trainer = trainer_of(tmp_path, goals, patience=2)
    trainer.train()
    assert trainer.step == 8
    again = trainer_of(tmp_path, patience=2)
    assert again.done and again.train() == {}
    with pytest.raises(InputError, match='nothing to validate on'):
        trainer_of(tmp_path / 'other', patience=2).train()


def test_sigterm_writes_a_checkpoint_and_the_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole = trainer_of(tmp_path / 'whole', workers=1)
    whole.train()
    stopped = trainer_of(tmp_path / 'parts')
    before = signal.getsignal(signal.SIGTERM)
    update = stopped.update

    def interrupted() -> dict[str, float]:
        if stopped.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return update()

    stopped.update = interrupted  # type: ignore[method-assign]
    with pytest.raises(StoppedError, match='step 5'):
        stopped.train()
    assert signal.getsignal(signal.SIGTERM) == before
    resumed = trainer_of(tmp_path / 'parts')
    assert resumed.step == 5
    resumed.train()
    assert {'1.running_mean', '1.num_batches_tracked', '3.weight'} <= resumed.state.keys()
    assert '0.weight' not in resumed.state
    assert same(whole.state, resumed.state)
    assert json.loads((tmp_path / 'parts' / 'config.json').read_text())['steps'] == 12


def test_a_run_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'checkpoint.pt').write_bytes(b'')
    with pytest.raises(InputError, match=r'earlier version.*another `out`'):
        trainer_of(tmp_path)
    with pytest.raises(InputError, match='cannot start from this file'):
        trainer_of(tmp_path / 'new', origin='weights.safetensors')


@pytest.mark.parametrize('fall, middle', [('cosine', 0.55), ('linear', 0.55)])
def test_the_rate_rises_holds_and_falls(fall: Any, middle: float) -> None:
    optim = OptimConfig(lr=1.0, min_lr=0.1, warmup=0.2, decay=0.4, fall=fall)
    rates = [optim.rate(step, 100) for step in range(101)]
    assert rates[0] == 0.05 and rates[19] == rates[40] == rates[60] == 1.0
    assert rates[80] == pytest.approx(middle) and rates[100] == pytest.approx(0.1)
    assert sorted(rates[60:], reverse=True) == rates[60:]
