"""The configuration of `converseg train config/train/parser.yaml`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from converseg_ros.core.config import build
from converseg_ros.core.errors import InputError
from converseg_ros.training.config import OptimConfig, RunConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserTraining(RunConfig):
    """A training run of the parser.

    pieces: folder of the MiniLM for word pieces and the states of its first `context` layers. phrases: 'all' also
    trains with the held-out phrases, after which scores on them are meaningless. pairs: a file of items (items.jsonl of
    a data set) whose prompts and programs are also used. batch: examples per step; pool: batches that are generated at
    once, sorted by length. warmup: steps. decay: share of the steps, at the end, in which the learning rate falls to
    `min_lr`. validate, calibrate: numbers of examples of held-out phrases. calibrate_on: a file of texts by people with
    their programs, for calibrating the confidence instead: held-out phrases have another distribution, and with
    `phrases: all` they are trained on. origin: also a parser file; tokens are matched by name.
    """

    task: Literal['parser']
    threads: int = 1
    workers: int = 1
    pieces: str = 'compact'
    phrases: Literal['train', 'all'] = 'train'
    pairs: str = ''
    width: int = 128
    encoder_layers: int = 3
    decoder_layers: int = 2
    dropout: float = 0.0
    context: int = 3
    batch: int = 256
    pool: int = 8
    lr: float = 2e-3
    min_lr: float = 2e-5
    warmup: int = 300
    decay: float = 0.3
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.998
    bf16: bool = True
    checkpoint_every: int = 100
    validate_every: int = 400
    validate: int = 512
    calibrate: int = 1024
    calibrate_on: str = ''

    @property
    def optim(self) -> OptimConfig:
        """Return the settings of the optimizer."""
        return OptimConfig(
            self.lr, self.min_lr, self.weight_decay, self.warmup / self.steps, self.clip, self.ema, self.decay,
            fall='linear', beta2=0.98,
        )  # fmt: skip


def parse(data: dict[str, Any], where: Path) -> ParserTraining:
    """Validate a configuration key by key; raise InputError with the name of an invalid key."""
    config: ParserTraining = build(ParserTraining, data, str(where))
    for key in ('batch', 'pool', 'warmup', 'validate'):
        if getattr(config, key) < 1:
            raise InputError(f'{key} is {getattr(config, key)}', where=str(where), do='use at least 1')
    _ = config.optim
    return config
