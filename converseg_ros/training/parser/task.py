"""The task `parser`: instructions to programs, learnt from generated texts and from those of a file."""

from collections.abc import Callable
from dataclasses import replace
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
import torch.nn.functional as F

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.probability import log_odds
from converseg_ros.network.file_names import ADAPTER, PARSER
from converseg_ros.network.parser import adapter as adapters
from converseg_ros.network.parser.adapter import AdaptedParser
from converseg_ros.network.parser.context import load_context
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.parser import Calibration, Parser, load_model, save_parser
from converseg_ros.network.parser.pieces import Pieces
from converseg_ros.network.precision import low_precision
from converseg_ros.network.registry import find_model
from converseg_ros.programs.canonical import equal
from converseg_ros.programs.linear import Grammar
from converseg_ros.programs.phrasing import Part
from converseg_ros.training.checkpoints import weights_hash
from converseg_ros.training.parser.config import ParserTraining
from converseg_ros.training.parser.examples import Batch, Example, Examples
from converseg_ros.training.parser.source import Pairs, read
from converseg_ros.training.task import Scores, Task


class ParserTask(Task[Batch]):
    """Trains the encoder-decoder, or an adapter of it, on frozen word pieces and states of MiniLM."""

    def __init__(self, config: ParserTraining, _: Callable[[str], None] = print) -> None:
        """Load the frozen parts."""
        self.config, self.optim = config, config.optim
        for path in config.calibrate_on:
            read(path)  # a wrong file is an error before the training, not after it
        self.folder = find_model(config.pieces)
        self.grammar = Grammar(tuple(knowledge.tags()))
        self.frozen = frozen_parser(self.folder / PARSER, self.grammar, config.dropout) if config.adapter_rank else None
        self.identity = hashlib.sha256('\n'.join(self.grammar.tokens).encode()).hexdigest()
        if self.frozen is not None:
            self.identity += weights_hash(self.frozen)
        self.pieces = Pieces.load(self.folder)
        count = config.context if self.frozen is None else self.frozen.config.context
        self.context = load_context(self.folder, count) if count else None
        self.dtype = low_precision() if config.bf16 else torch.float32
        self.fast_context = load_context(self.folder, count, dtype=self.dtype) if count else None
        pairs = Pairs(config.pairs, config.pairs_share, config.swap_nouns) if config.pairs else None
        self.examples = Examples(self.grammar, self.pieces, config.phrases, seed=config.seed, pairs=pairs)
        self.pool: tuple[int, list[Batch]] = (-1, [])

    def build(self) -> ParserModel | AdaptedParser:
        """Return a parser with random weights, or the frozen one with an adapter that changes nothing."""
        c = self.config
        if self.frozen is not None:
            return AdaptedParser(self.frozen, c.adapter_rank)
        return ParserModel(
            ParserConfig(
                self.grammar.size, embedding=self.pieces.weight.shape[1], width=c.width, dropout=c.dropout,
                encoder_layers=c.encoder_layers, decoder_layers=c.decoder_layers, context=c.context,
            )
        )  # fmt: skip

    def adopt(self, network: nn.Module, path: Path) -> None:
        """Load a parser file; tokens that it does not have keep their initial weights."""
        if self.frozen is not None:
            raise InputError('an adapter starts from the parser of `pieces`', where=str(path), do='give a checkpoint')
        loaded = load_model(path, self.grammar)[0]
        state, fresh, rows = loaded.state_dict(), network.state_dict(), unwritten(loaded)
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
        """Return the mean cross-entropy of the output tokens.

        With bf16, the weights of a whole parser are rounded for the computation; an adapter's updates are too small.
        """
        inputs = batch.inputs
        if isinstance(network, AdaptedParser):
            model: nn.Module = network.base
            weights, dtype = network.weights(), torch.float32
        else:
            model, dtype = network, self.dtype
            weights = {name: p.to(dtype) for name, p in network.named_parameters()}
        vectors = self.pieces.vectors(inputs.ids, dtype)
        states = None if self.fast_context is None else self.fast_context(inputs.ids, inputs.lengths).to(dtype)
        logits = functional_call(
            model, weights, (batch.tokens, vectors, inputs.inner, inputs.lengths, inputs.first, inputs.words, states)
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
        """Write parser.safetensors or parser_adapter.safetensors, calibrated on texts that were not trained with."""
        target = folder or Path(self.config.out)
        parser = self._parser(network)
        calibration = self.calibrate(parser)
        if not isinstance(network, AdaptedParser):
            save_parser(target / PARSER, parser.model, self.grammar, calibration)
            return target / PARSER
        path = target / ADAPTER
        fitted = calibration.slope, calibration.offset
        adapters.save_adapter(path, network, self.folder / PARSER, self.grammar.tokens, fitted)
        return path

    def _parser(self, network: nn.Module) -> Parser:
        model = network.merged() if isinstance(network, AdaptedParser) else network
        assert isinstance(model, ParserModel)
        return Parser(model, self.grammar, self.pieces, Calibration(), context=self.context)

    def _fixed(self, part: Part, count: int) -> list[Example]:
        """Return fixed examples, whose seed is never trained with."""
        return Examples(self.grammar, self.pieces, part, seed=-1).examples(0, count)

    def calibrate(self, parser: Parser) -> Calibration:
        """Return the logistic map from a probability to correctness, fitted on texts outside of the training."""
        config = self.config
        if config.calibrate_on:
            known = tuple(pair for path in config.calibrate_on for pair in read(path))
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


def frozen_parser(path: Path, grammar: Grammar, dropout: float) -> ParserModel:
    """Return the parser of a file without its adapter; dropout: of its layers while an adapter is trained.

    Raise InputError if the file does not have all tokens of the grammar: an adapter cannot teach a parser new ones.
    """
    loaded, _ = load_model(path, grammar)
    if (unknown := unwritten(loaded)).numel():
        raise InputError(
            f'the parser does not know {grammar.tokens[int(unknown[0])]!r}', where=str(path), do='train a whole parser'
        )
    model = ParserModel(replace(loaded.config, dropout=dropout))
    model.load_state_dict(loaded.state_dict())
    return model


def unwritten(model: ParserModel) -> Tensor:
    """Return the indices of tokens that the file of a loaded model does not have."""
    return torch.nonzero(model.bias <= -1e4 + 1).flatten()


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
