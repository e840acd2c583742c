"""The configuration of `converseg train config/train/parser.yaml`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from converseg_ros.core.config import build
from converseg_ros.core.errors import InputError


@dataclass(frozen=True, slots=True)
class ParserTraining:
    """A training run of the parser.

    out: run folder. pieces: folder of the MiniLM for word pieces and the states of its first `context` layers. phrases:
    'all' also trains with the held-out phrases, after which scores on them are meaningless. pairs: a file of items
    (items.jsonl of a data set) whose prompts and programs are also used. batch: examples per step; pool: batches that
    are generated at once, sorted by length. decay: share of the steps, at the end, in which the learning rate falls to
    `min_lr`. ema: decay of the averaged weights, which are validated and exported. validate, calibrate: numbers of
    examples of held-out phrases. calibrate_on: a file of texts by people with their programs, for calibrating the
    confidence instead: held-out phrases have another distribution, and with `phrases: all` they are trained on.
    """

    task: Literal['parser']
    out: str
    steps: int
    pieces: str = 'compact'
    phrases: Literal['train', 'all'] = 'train'
    pairs: str = ''
    seed: int = 0
    threads: int = 1
    width: int = 128
    encoder_layers: int = 3
    decoder_layers: int = 2
    dropout: float = 0.0
    context: int = 3
    batch: int = 256
    pool: int = 8
    workers: int = 1
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
    origin: str = ''  # a parser file to start from; tokens are matched by name


def parse(data: dict[str, Any], where: Path) -> ParserTraining:
    """Validate a configuration key by key; raise InputError with the name of an invalid key."""
    config: ParserTraining = build(ParserTraining, data, str(where))
    for key in ('steps', 'batch', 'pool', 'threads', 'warmup', 'checkpoint_every', 'validate_every', 'validate'):
        if getattr(config, key) < 1:
            raise InputError(f'{key} is {getattr(config, key)}', where=str(where), do='use at least 1')
    if not 0 <= config.ema < 1 or not 0 < config.decay <= 1:
        raise InputError('ema must be in [0, 1) and decay in (0, 1]', where=str(where))
    return config
