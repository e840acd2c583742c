"""What `converseg train config/train/parser.yaml` reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParserTraining:
    """A training run of the parser.

    out: run folder. pieces: folder of the MiniLM that gives word pieces. batch: examples in a step; pool: batches made
    at once, sorted by length. decay: share of the steps, at the end, in which the learning rate falls to `min_lr`.
    ema: decay of the averaged weights, which are validated and exported. validate: examples of held-out phrases.
    """

    name: str
    out: str
    steps: int
    pieces: str = 'compact'
    seed: int = 0
    width: int = 128
    encoder_layers: int = 3
    decoder_layers: int = 2
    dropout: float = 0.0
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
    origin: str = ''  # a parser file to start from; tokens are matched by name
