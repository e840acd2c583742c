"""The settings that all training runs share, and the optimizer with its schedule."""

from dataclasses import dataclass, field
import math
from typing import Literal

from converseg_ros.core.errors import InputError


@dataclass(frozen=True, slots=True)
class OptimConfig:
    """AdamW. The learning rate rises linearly, stays constant, and falls to `min_lr` at the end.

    warmup, decay: shares of the steps of the rise and of the fall; with `decay` 1 the fall follows the rise. fall: its
    shape. vector_lr: factor of the rate of parameters with fewer than two dimensions (norms, biases, scales), which
    have no weight decay. clip: maximum norm of the gradients, 0 = none. ema: decay of the averaged weights, 0 = none.
    """

    lr: float = 1e-3
    min_lr: float = 1e-6
    weight_decay: float = 1e-4
    warmup: float = 0.03
    clip: float = 1.0
    ema: float = 0.0
    decay: float = 1.0
    fall: Literal['cosine', 'linear'] = 'cosine'
    vector_lr: float = 1.0
    beta2: float = 0.999

    def __post_init__(self) -> None:
        """Validate the ranges."""
        if not 0 <= self.ema < 1 or not 0 < self.decay <= 1:
            raise InputError('ema must be in [0, 1) and decay in (0, 1]', where='optim')

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of update `step` (from 0) of a run of `steps` updates."""
        warm = max(1, round(self.warmup * steps))
        if step < warm:
            return self.lr * (step + 1) / warm
        begin = max(warm, steps - self.decay * steps)
        share = min(1.0, max(0.0, step - begin) / max(1, steps - begin))
        left = 0.5 * (1 + math.cos(math.pi * share)) if self.fall == 'cosine' else 1 - share
        return self.min_lr + (self.lr - self.min_lr) * left


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What each configuration has.

    out: run folder. workers: processes that prepare batches; 0 = none. keep_last: checkpoints that are kept. choose:
    whether the last weights or those with the best validation are exported. patience: validations without improvement
    after which the run stops; 0 = it never stops early. origin: checkpoint, or folder of a run, whose weights a new run
    starts with. recipe: commands that create the data, in order. finish: commands for the result; {model} is its path.
    """

    task: str
    out: str
    steps: int
    seed: int = 0
    threads: int = 2
    workers: int = 0
    checkpoint_every: int = 200
    validate_every: int = 400
    keep_last: int = 2
    choose: Literal['last', 'best'] = 'last'
    patience: int = 0
    origin: str = ''
    recipe: list[str] = field(default_factory=list)
    finish: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Validate the ranges."""
        for name, least in (('steps', 1), ('threads', 1), ('checkpoint_every', 1), ('validate_every', 1),
                            ('keep_last', 1), ('workers', 0), ('patience', 0)):  # fmt: skip
            if getattr(self, name) < least:
                raise InputError(f'{name} is {getattr(self, name)}', where=self.task, do=f'use at least {least}')
