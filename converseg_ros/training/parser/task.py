"""The task `parser`: instructions to programs, learnt from generated texts alone."""

from collections.abc import Callable
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
import torch.nn.functional as F

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.probability import log_odds
from converseg_ros.network.parser.context import load_context
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.parser import FILE, Calibration, Parser, load_model, save_parser
from converseg_ros.network.parser.pieces import Pieces
from converseg_ros.network.registry import find_model
from converseg_ros.programs.canonical import equal
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.phrasing import Part
from converseg_ros.training.parser.config import ParserTraining
from converseg_ros.training.parser.examples import Batch, Example, Examples
from converseg_ros.training.parser.source import read
from converseg_ros.training.task import Scores, Task


class ParserTask(Task[Batch]):
    """Trains the encoder-decoder on frozen word pieces and states of MiniLM."""

    def __init__(self, config: ParserTraining, _: Callable[[str], None] = print) -> None:
        """Load the frozen parts."""
        self.config, self.optim = config, config.optim
        if config.calibrate_on:
            read(config.calibrate_on)  # a wrong file is an error before the training, not after it
        self.grammar = Grammar(tuple(knowledge.tags()))
        self.identity = hashlib.sha256('\n'.join(self.grammar.tokens).encode()).hexdigest()
        self.pieces = Pieces.load(find_model(config.pieces))
        folder, count = find_model(config.pieces), config.context
        self.context = load_context(folder, count) if count else None
        self.dtype = torch.bfloat16 if config.bf16 else torch.float32
        self.fast_context = load_context(folder, count, dtype=self.dtype) if count else None
        self.examples = Examples(self.grammar, self.pieces, config.phrases, seed=config.seed, pairs=config.pairs)
        self.pool: tuple[int, list[Batch]] = (-1, [])

    def build(self) -> ParserModel:
        """Return a parser with random weights."""
        c = self.config
        return ParserModel(
            ParserConfig(
                self.grammar.size, embedding=self.pieces.weight.shape[1], width=c.width, dropout=c.dropout,
                encoder_layers=c.encoder_layers, decoder_layers=c.decoder_layers, context=c.context,
            )
        )  # fmt: skip

    def adopt(self, network: nn.Module, path: Path) -> None:
        """Load a parser file; tokens that it does not have keep their initial weights."""
        state, fresh = load_model(path, self.grammar)[0].state_dict(), network.state_dict()
        rows = torch.nonzero(state['bias'] <= -1e4 + 1).flatten()
        for name in ('token.weight', 'bias'):
            state[name][rows] = fresh[name][rows]
        network.load_state_dict(fresh | state)

    def batch(self, step: int, number: int) -> Batch:
        """Return a batch of its pool; each worker generates whole pools."""
        workers = max(1, self.config.workers)
        turn, worker = divmod(number, workers)
        pool, place = divmod(turn, self.config.pool)
        pool = pool * workers + worker
        if pool != self.pool[0]:
            self.pool = (pool, self.examples.pool(pool, self.config.batch, self.config.pool))
        return self.pool[1][place]

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the mean cross-entropy of the output tokens; with bf16, weights are rounded for the computation."""
        inputs = batch.inputs
        vectors = self.pieces.vectors(inputs.ids, self.dtype)
        states = None if self.fast_context is None else self.fast_context(inputs.ids, inputs.lengths).to(self.dtype)
        weights = {name: p.to(self.dtype) for name, p in network.named_parameters()}
        logits = functional_call(
            network,
            weights,
            (batch.tokens, vectors, inputs.inner, inputs.lengths, inputs.first, inputs.words, states),
        )
        return {'total': F.cross_entropy(logits.float().flatten(0, 1), batch.follow.flatten())}

    def validate(self, network: nn.Module, step: int) -> Scores:
        """Return the shares of correct programs on held-out phrases (the goal) and on new texts of trained phrases."""
        parser = self._parser(network)
        values: dict[str, float] = {}
        parts: tuple[Part, ...] = ('held_out', 'train')
        for part in parts:
            right = [equal_program(parser, e) for e in self._fixed(part, self.config.validate)]
            values[part] = sum(right) / len(right)
        return Scores(values['held_out'], values)

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Write parser.safetensors, calibrated on texts that were not trained with."""
        path = (folder or Path(self.config.out)) / FILE
        parser = self._parser(network)
        save_parser(path, parser.model, self.grammar, self.calibrate(parser))
        return path

    def _parser(self, network: nn.Module) -> Parser:
        assert isinstance(network, ParserModel)
        return Parser(network, self.grammar, self.pieces, Calibration(), context=self.context)

    def _fixed(self, part: Part, count: int) -> list[Example]:
        """Return fixed examples, whose seed is never trained with."""
        return Examples(self.grammar, self.pieces, part, seed=-1).examples(0, count)

    def calibrate(self, parser: Parser) -> Calibration:
        """Return the logistic map from a probability to correctness, fitted on texts outside of the training."""
        config = self.config
        if config.calibrate_on:
            known = read(config.calibrate_on)
        else:
            known = tuple((' '.join(e.words), e.program) for e in self._fixed('held_out', config.calibrate))
        pairs = []
        for text, program in known:
            try:
                found = parser.parse(text)
            except InputError:
                continue
            pairs.append((float(log_odds(found.confidence)), float(equal(found.program, program))))
        return fit(torch.tensor(pairs, dtype=torch.float64))


def equal_program(parser: Parser, example: Example) -> bool:
    """Return whether a parser gives the program of an example."""
    try:
        return equal(parser.parse(' '.join(example.words)).program, example.program)
    except InputError:
        return False


def fit(pairs: Tensor) -> Calibration:
    """Return the slightly regularized logistic regression of (log-odds, correct) pairs (N, 2)."""
    if len(pairs) < 20 or pairs[:, 1].min() == pairs[:, 1].max():
        return Calibration()
    weight = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=100, line_search_fn='strong_wolfe')

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(pairs[:, 0] * weight[0] + weight[1], pairs[:, 1])
        loss = loss + 1e-3 * ((weight[0] - 1) ** 2 + weight[1] ** 2)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return Calibration(float(weight[0].detach()), float(weight[1].detach()))


create = ParserTask
