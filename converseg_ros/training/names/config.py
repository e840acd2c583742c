"""The configuration of `converseg train config/train/names.yaml`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from converseg_ros.core.config import build
from converseg_ros.core.errors import InputError
from converseg_ros.training.config import OptimConfig, RunConfig


@dataclass(frozen=True, slots=True)
class NameSource:
    """A folder of labelled objects (training/names/instances.py).

    split: how its held-out images are defined: 'all' = there are none, 'name' and 'session' = core/splits.py, 'set' =
    the sets of a crops.json in `held_sets`, 'own' = the splits that a data set of the engine states.
    most: maximum number of objects of a label, the first ones; 0 for all.
    share: of these objects, drawn at random, that are trained on; the others are left out.
    """

    path: str
    split: Literal['all', 'name', 'session', 'set', 'own'] = 'all'
    held_sets: list[str] = field(default_factory=list)
    most: int = 0
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesConfig(RunConfig):
    """A training run of the namer's head on a frozen trunk and detector."""

    task: Literal['names']
    backbone: str  # model folder whose trunk, detector and text encoder are used
    cache: str  # folder of cached features
    sources: list[NameSource]
    rounds: int = 3  # of augmented variants, in addition to the original objects
    steps: int = 2400
    fold_steps: int = 1000  # of each fold
    batch: int = 256
    lr: float = 3e-3
    weight_decay: float = 0.5
    dropout: float = 0.3  # of features
    # share of the nouns whose linear part is dropped, so that nouns known from ImageNet alone are comparable
    drop_crops: float = 0.3
    drop_detector: float = 0.5  # share of the objects whose detector evidence is dropped
    balance: float = 0.25  # exponent: 0 draws objects as often as they are labelled, 1 draws all labels equally often
    folds: int = 2  # of the training pictures, for the calibration
    checkpoint_every: int = 500
    validate_every: int = 500

    @property
    def optim(self) -> OptimConfig:
        """Return the settings of the optimizer: one cycle, with a larger rate for biases and scales."""
        return OptimConfig(self.lr, 0.0, self.weight_decay, warmup=0.3, clip=0.0, vector_lr=3.0)


def parse(data: dict[str, Any], where: Path) -> NamesConfig:
    """Validate a configuration key by key; raise InputError with the name of an invalid key."""
    config: NamesConfig = build(NamesConfig, data, str(where))
    if min(config.fold_steps, config.batch) < 1 or config.rounds < 0 or not config.sources:
        raise InputError('steps and batch must be at least 1, and there must be a source', where=str(where))
    if any(not 0 < source.share <= 1 for source in config.sources):
        raise InputError('share of a source is not in (0, 1]', where=str(where))
    if config.folds < 2:
        raise InputError(f'folds is {config.folds}, at least 2 are needed', where=str(where))
    for key in ('dropout', 'drop_crops', 'drop_detector', 'balance'):
        if not 0 <= getattr(config, key) <= 1:
            raise InputError(f'{key} is {getattr(config, key)}, not in [0, 1]', where=str(where))
    return config
