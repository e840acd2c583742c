"""The configuration of `converseg train config/train/segments.yaml`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from converseg_ros.core.config import build
from converseg_ros.core.errors import InputError
from converseg_ros.training.config import OptimConfig, RunConfig

SplitRule = Literal['all', 'name', 'session', 'own']


@dataclass(frozen=True, slots=True)
class LabelledSource:
    """One folder of labelled views (datasets/regions.py).

    weight: its share of the drawn views, relative to the other sources. split: how its held-out images are defined:
    'all' = there are none (rooms of one split are in a separate folder), 'name' and 'session' = core/splits.py, 'own' =
    the splits that a data set of the engine states.
    validate: whether its validation images are used for model selection.
    """

    path: str
    weight: float = 1.0
    split: SplitRule = 'all'
    validate: bool = False


@dataclass(frozen=True, slots=True)
class BoundaryLossConfig:
    """Weights of the losses of the boundary network's maps."""

    boundary: float = 1.0
    part_boundary: float = 0.5
    part: float = 0.5
    kind: float = 0.3
    vote: float = 0.5


@dataclass(frozen=True, slots=True)
class QualityConfig:
    """Training of the quality network: views of each source, and steps."""

    views: int = 250
    steps: int = 3000
    lr: float = 2e-3


@dataclass(frozen=True, slots=True)
class AgentsConfig:
    """Training of the agent network: views of each source, random versions of each view, and steps.

    batch: boxes of a step. The features of all versions are stored in the cache, about 4 MB each.
    """

    views: int = 350
    draws: int = 3
    steps: int = 1200
    batch: int = 20
    lr: float = 2e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentsConfig(RunConfig):
    """A training run of the segment networks on frozen backbones."""

    task: Literal['segments']
    backbone: str  # model folder whose trunk and detector are used
    cache: str  # folder of prepared views
    sources: list[LabelledSource]
    batch: int = 4
    view: list[int] = field(default_factory=lambda: [384, 512])  # rows and columns of the training views
    lr: float = 1.5e-3
    min_lr: float = 1e-5
    warmup: int = 60  # steps
    weight_decay: float = 0.01
    ema: float = 0.998
    drop_depth: float = 0.35  # share of the views with depth whose depth is dropped
    checkpoint_every: int = 50
    validate_every: int = 200
    loss: BoundaryLossConfig = field(default_factory=BoundaryLossConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    agents: AgentsConfig = field(default_factory=AgentsConfig)

    @property
    def optim(self) -> OptimConfig:
        """Return the settings of the optimizer of the boundary network."""
        return OptimConfig(self.lr, self.min_lr, self.weight_decay, self.warmup / self.steps, ema=self.ema)


def parse(data: dict[str, Any], where: Path) -> SegmentsConfig:
    """Validate a configuration key by key; raise InputError with the name of an invalid key."""
    config: SegmentsConfig = build(SegmentsConfig, data, str(where))
    if config.batch < 1 or not config.sources:
        raise InputError('batch must be at least 1, and there must be a source', where=str(where))
    if len(config.view) != 2 or any(n < 64 or n % 32 for n in config.view):
        raise InputError('view must be rows and columns, multiples of 32', where=str(where))
    if not 0 <= config.drop_depth <= 1:
        raise InputError('drop_depth must be in [0, 1]', where=str(where))
    _ = config.optim
    return config
