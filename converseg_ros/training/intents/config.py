"""The configuration of `converseg train config/train/intents.yaml`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from converseg_ros.core.config import build
from converseg_ros.core.errors import InputError
from converseg_ros.training.config import OptimConfig, RunConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentTraining(RunConfig):
    """A training run of the intent reader.

    pieces: folder of the MiniLM. phrased: generated texts for each intent. drawn: generated texts of random programs,
    most of which are `other`; validate: more of them, for the scores. people: share of a batch that was written by
    people. penalty: factor of the sum of squared weights.
    """

    task: Literal['intents']
    threads: int = 1
    pieces: str = 'compact'
    phrased: int = 16
    drawn: int = 2500
    validate: int = 500
    people: float = 0.6
    penalty: float = 1e-5
    batch: int = 512
    lr: float = 0.02
    min_lr: float = 1e-4

    @property
    def optim(self) -> OptimConfig:
        """Return the settings of the optimizer."""
        return OptimConfig(self.lr, self.min_lr, 0.0, fall='linear')


def parse(data: dict[str, Any], where: Path) -> IntentTraining:
    """Validate a configuration key by key; raise InputError with the name of an invalid key."""
    config: IntentTraining = build(IntentTraining, data, str(where))
    for key in ('batch', 'phrased', 'drawn', 'validate'):
        if getattr(config, key) < 1:
            raise InputError(f'{key} is {getattr(config, key)}', where=str(where), do='use at least 1')
    if not 0 < config.people <= 1:
        raise InputError(f'people is {config.people}', where=str(where), do='use a share in (0, 1]')
    return config
