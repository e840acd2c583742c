"""The configuration of `converseg train config/train/parser.yaml`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from converseg_ros.core.config import build
from converseg_ros.core.errors import InputError
from converseg_ros.training.config import OptimConfig, RunConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserTraining(RunConfig):
    """A training run of the parser.

    pieces: folder of the MiniLM for word pieces and the states of its first `context` layers. adapter_rank: 0 trains a
    whole parser of the given sizes; otherwise the parser of the folder `pieces` is frozen, and an adapter of this rank
    (network/parser/adapter.py) is trained. dropout: during training only. phrases: 'all' also trains with the held-out
    phrases, after which scores on them are meaningless. pairs: a file of texts or prompts with their programs, such as
    the items.jsonl of a data set, that are also used; pairs_share: their share; swap_nouns: whether most of them get
    other nouns (training/parser/swaps.py). batch: examples per step; pool: batches that are generated at once, sorted
    by length. warmup: steps. decay: share of the steps, at the end, in which the learning rate falls to `min_lr`. bf16:
    whether MiniLM and a whole parser compute in bfloat16 if the processor has it; an adapter is trained in float32.
    validate, calibrate: numbers of examples of held-out phrases. calibrate_on: files of written texts with their
    programs, for calibrating the confidence instead: held-out phrases have another distribution, and with `phrases:
    all` they are trained on. A single file needs no list. origin: also a parser file, for a whole parser; tokens are
    matched by name.
    """

    task: Literal['parser']
    threads: int = 1
    workers: int = 1
    pieces: str = 'compact'
    phrases: Literal['train', 'all'] = 'train'
    pairs: str = ''
    pairs_share: float = 0.08
    swap_nouns: bool = False
    adapter_rank: int = 0
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
    calibrate_on: list[str] = field(default_factory=list)

    @property
    def optim(self) -> OptimConfig:
        """Return the settings of the optimizer."""
        return OptimConfig(
            self.lr, self.min_lr, self.weight_decay, self.warmup / self.steps, self.clip, self.ema, self.decay,
            fall='linear', beta2=0.98,
        )  # fmt: skip


def parse(data: dict[str, Any], where: Path) -> ParserTraining:
    """Validate a configuration key by key; raise InputError with the name of an invalid key."""
    if isinstance(file := data.get('calibrate_on'), str):
        data = data | {'calibrate_on': [file]}
    config: ParserTraining = build(ParserTraining, data, str(where))
    for key in ('batch', 'pool', 'warmup', 'validate'):
        if getattr(config, key) < 1:
            raise InputError(f'{key} is {getattr(config, key)}', where=str(where), do='use at least 1')
    if config.adapter_rank < 0:
        raise InputError(f'adapter_rank is {config.adapter_rank}', where=str(where), do='use 0 for none, or at least 1')
    if not 0 <= config.pairs_share <= 1:
        raise InputError(f'pairs_share is {config.pairs_share}', where=str(where), do='use a share in [0, 1]')
    if config.swap_nouns and not config.pairs:
        raise InputError('swap_nouns has no effect without pairs', where=str(where), do='give a file of pairs')
    _ = config.optim
    return config
