"""The interface of a training task: what the loop (loop.py) trains.

A task knows its data, its loss, how to validate, and what to write. The loop knows the rest: optimizer and schedule,
processes and devices, averaged weights, checkpoints and resuming, progress, choosing and stopping.
"""

from abc import abstractmethod
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

from converseg_ros.core.config import read_mapping
from converseg_ros.core.errors import InputError
from converseg_ros.training.config import OptimConfig, RunConfig

TASKS = ('converseg', 'segments', 'names', 'parser', 'intents')  # packages with `config.parse` and `task.create`
Batch = TypeVar('Batch')


class Scores(NamedTuple):
    """The result of a validation. goal: the value to maximize, by which weights are chosen. values: all values."""

    goal: float
    values: dict[str, float]


class Task(Protocol[Batch]):
    """One thing to train.

    accumulation: batches of a process for each update. single: whether it trains in one process on the CPU only.
    identity: hash of what a resumed run must not change besides the configuration, for example a vocabulary.
    """

    config: RunConfig
    optim: OptimConfig
    accumulation: int = 1
    single: bool = True
    identity: str = ''

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network at the start; its parameters that require gradients are trained."""

    @abstractmethod
    def batch(self, step: int, number: int) -> Batch:
        """Return batch `number` of the run, of update `step`: a function of both, so that resuming needs no state."""

    @abstractmethod
    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses by name; 'total' is minimized. Random numbers are torch's."""

    @abstractmethod
    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Write the result to `folder`, by default in the run folder; return its path."""

    def validate(self, network: nn.Module, step: int) -> Scores | None:
        """Return the scores on held-out data, or None without such data; the network has the averaged weights."""
        return None

    def adopt(self, network: nn.Module, path: Path) -> None:
        """Load the weights of an exported file into the network at the start of a run."""
        raise InputError(f'{self.config.task} cannot start from this file', where=str(path), do='give a checkpoint')

    def save(self) -> None:
        """Write what the next steps depend on besides the state of the network; called before each checkpoint."""
        return


def read_config(path: Path, overrides: dict[str, Any] | None = None) -> Any:
    """Read a YAML file; `overrides` maps dotted keys to values; raise InputError with the name of an invalid key."""
    data = {'task': 'converseg', **read_mapping(path, overrides)}
    if data['task'] not in TASKS:
        raise InputError(f'task is {data["task"]!r}', where=str(path), do=f'use one of {", ".join(TASKS)}')
    return import_module(f'converseg_ros.training.{data["task"]}.config').parse(data, path)


def create(config: RunConfig, report: Callable[[str], None] = print) -> Task[Any]:
    """Return the task of a configuration, with its data prepared."""
    torch.set_num_threads(config.threads)
    task: Task[Any] = import_module(f'converseg_ros.training.{config.task}.task').create(config, report)
    return task
