"""The configuration of ConverSegNet's training, for example config/train/converseg-net-3b-lora.yaml."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from converseg_ros.core import InputError
from converseg_ros.core.config import build
from converseg_ros.training.config import OptimConfig, RunConfig

Format = Literal['items', 'reference', 'hub', 'refcoco', 'reasonseg']


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One data set. weight: its share of the drawn views, relative to the other sources. limit: of images; 0 = all."""

    path: str
    format: Format = 'items'
    weight: float = 1.0
    limit: int = 0


@dataclass(frozen=True, slots=True)
class PhaseConfig:
    """A phase of the curriculum: until step `until`, with this share of literal prompts."""

    until: int
    literal: float


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """Per step and process: `images` views with `prompts` prompts each; `accumulation` steps per update.

    negatives: share of prompts without a target.
    """

    images: int = 8
    prompts: int = 4
    accumulation: int = 1
    negatives: float = 0.25


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """Low-rank adapters of the language model's q, k, v, o, gate, up and down projections."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Weights of the losses; erode: size of the square for eroding the target (the paper: 5), 0 = none."""

    bce: float = 1.0
    dice: float = 0.25
    object_score: float = 1.0
    iou: float = 0.5
    negative_mask: float = 0.1
    erode: int = 0


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Amplitudes of the augmentation in 0..1; 0 disables it."""

    crop: float = 0.45  # largest share that is cropped from a side
    flip: float = 0.5  # probability
    colour: float = 0.4  # brightness, contrast, saturation, cast, gamma
    blur: float = 0.3  # probability of blur
    noise: float = 0.3  # probability of sensor noise
    jpeg: float = 0.3  # probability of compression
    lens: float = 0.2  # probability of radial distortion


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(RunConfig):
    """A training run of ConverSegNet."""

    task: Literal['converseg'] = 'converseg'
    name: str
    start: str  # model folder to start from
    train: list[SourceConfig]
    val: list[SourceConfig]
    trainable: list[str] = field(default_factory=lambda: ['adapters', 'decoder'])  # prefixes of parameter names
    lora: LoraConfig | None = None  # of a vision-language start folder
    cache: str = ''  # folder of the features of texts by a frozen text encoder; '' = in memory only
    phases: list[PhaseConfig] = field(default_factory=list)
    batch: BatchConfig = field(default_factory=BatchConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    validate_images: int = 64
    panels: int = 8  # pictures of answers at each validation
    drop_language: float = 0.0  # share of prompts whose text is replaced by a constant; 1 = the prompt-blind baseline

    def phase(self, step: int) -> PhaseConfig:
        """Return the phase of the curriculum at `step`; the last one does not end."""
        for phase in self.phases:
            if step < phase.until:
                return phase
        return self.phases[-1] if self.phases else PhaseConfig(self.steps, 0.5)


def parse(data: dict[str, Any], where: Path) -> TrainConfig:
    """Validate a configuration key by key; raise InputError with the name of an invalid key."""
    config: TrainConfig = build(TrainConfig, data, str(where))
    if config.batch.images < 1 or config.batch.prompts < 1 or config.batch.accumulation < 1:
        raise InputError('batch sizes must be at least 1', where=str(where))
    if not 0 <= config.batch.negatives <= 1:
        raise InputError(f'batch.negatives is {config.batch.negatives}, not in 0..1', where=str(where))
    return config
