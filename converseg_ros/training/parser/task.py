"""Training the parser: build the model, make batches, the loss, validation by exact programs, export."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
import json
import math
from pathlib import Path
import time
from typing import Any

import torch
from torch import Tensor
import torch.nn.functional as F
from torch.utils.data import DataLoader

from converseg_ros import knowledge
from converseg_ros.core.errors import InputError
from converseg_ros.core.files import atomic_path, write_json
from converseg_ros.network.parser.context import load_context
from converseg_ros.network.parser.model import ParserConfig, ParserModel
from converseg_ros.network.parser.parser import FILE, Calibration, Parser, load_model, save_parser
from converseg_ros.network.parser.pieces import Pieces
from converseg_ros.network.registry import find_model
from converseg_ros.programs.canonical import equal
from converseg_ros.programs.linear import Grammar
from converseg_ros.training.parser.config import ParserTraining
from converseg_ros.training.parser.examples import Batch, Example, Examples, quietly
from converseg_ros.training.parser.source import read

CHECKPOINT = 'checkpoint.pt'


class ParserTask:
    """One run; `train` resumes from the checkpoint in the run's folder, or starts."""

    def __init__(self, config: ParserTraining, *, report: Callable[[str], None] = print) -> None:
        self.config, self.report = config, report
        self.folder = Path(config.out)
        self.file = self.folder / FILE
        torch.set_num_threads(config.threads)
        if config.calibrate_on:
            read(config.calibrate_on)  # a wrong file is an error before the training, not after it
        self.grammar = Grammar(tuple(knowledge.tags()))
        self.pieces = Pieces.load(find_model(config.pieces))
        self.context = load_context(find_model(config.pieces), config.context)
        self.fast_context = self.context.to(torch.bfloat16) if self.context and config.bf16 else self.context
        torch.manual_seed(config.seed)
        sizes = {
            name: getattr(config, name) for name in ('width', 'encoder_layers', 'decoder_layers', 'dropout', 'context')
        }
        self.model = ParserModel(ParserConfig(self.grammar.size, embedding=self.pieces.weight.shape[1], **sizes))
        if config.origin:
            self._adopt(Path(config.origin))
        self.master = {n: p.detach().clone().float() for n, p in self.model.named_parameters()}
        self.average = {n: p.clone() for n, p in self.master.items()}
        decayed = [p for p in self.master.values() if p.ndim >= 2]
        plain = [p for p in self.master.values() if p.ndim < 2]
        self.optimizer = torch.optim.AdamW(
            [{'params': decayed, 'weight_decay': config.weight_decay}, {'params': plain, 'weight_decay': 0.0}],
            lr=config.lr,
            betas=(0.9, 0.98),
            fused=True,
        )
        if config.bf16:  # weights and activations; the optimizer keeps float32
            self.model = self.model.to(torch.bfloat16)
        self.step, self.best = 0, 0.0
        self._resume()

    def batches(self) -> Iterator[Batch]:
        """Yield batches from the current step on."""
        c = self.config
        data = Examples(self.grammar, self.pieces, c.phrases, size=c.batch, batches=c.pool, seed=c.seed, pairs=c.pairs)
        first = self.step // c.pool
        order = range(first, first + -(-(c.steps - self.step) // c.pool) + 2)
        loader: Any = DataLoader(
            data, batch_size=None, sampler=order, num_workers=c.workers, worker_init_fn=quietly,
            prefetch_factor=4 if c.workers else None,
        )  # fmt: skip
        skip = self.step % c.pool
        for pool in loader:
            yield from pool[skip:]
            skip = 0

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of the output tokens."""
        inputs = batch.inputs
        vectors = self.pieces.vectors(inputs.ids, next(self.model.parameters()).dtype)
        states = None if self.fast_context is None else self.fast_context(inputs.ids, inputs.lengths)
        memory = self.model.encode(vectors, inputs.inner, inputs.lengths, inputs.first, inputs.words, states)
        logits, _ = self.model.decode(batch.tokens, memory)
        return F.cross_entropy(logits.float().flatten(0, 1), batch.follow.flatten())

    def train(self) -> dict[str, float]:
        """Train to config.steps; return the scores of the last validation."""
        config, started, first = self.config, time.monotonic(), self.step
        recent: list[float] = []
        scores: dict[str, float] = {}
        for batch in self.batches():
            if self.step >= config.steps:
                break
            recent.append(self.update(batch))
            if self.step % 50 == 0:
                pace = (time.monotonic() - started) / (self.step - first)
                mean = sum(recent[-50:]) / len(recent[-50:])
                self.report(f'step {self.step}/{config.steps} loss {mean:.4f} {pace:.2f} s/step')
            done = self.step == config.steps
            if done or self.step % config.checkpoint_every == 0:
                self._save()
            if done or self.step % config.validate_every == 0:
                scores = self.validate()
                self.export(self.file)
        return scores

    def lr(self, step: int) -> float:
        """Return the learning rate of a step: warm-up, constant, then linear to the minimum over the last steps."""
        c = self.config
        left = (c.steps - step) / max(1.0, c.decay * c.steps)
        return c.min_lr + (c.lr - c.min_lr) * min(1.0, (step + 1) / c.warmup, left)

    def update(self, batch: Batch) -> float:
        """Run one update of the weights on a batch; return its loss."""
        self.model.train()
        for group in self.optimizer.param_groups:
            group['lr'] = self.lr(self.step)
        loss = self.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        value = float(loss.detach())
        if not math.isfinite(value):
            raise InputError(f'the loss is {value}', where=f'step {self.step}', do='lower lr')
        parameters = dict(self.model.named_parameters())
        for name, master in self.master.items():
            grad = parameters[name].grad
            master.grad = None if grad is None else grad.float()
            parameters[name].grad = None
        torch.nn.utils.clip_grad_norm_(list(self.master.values()), self.config.clip)
        self.optimizer.step()
        self.step += 1
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, master in self.master.items():
                parameters[name].copy_(master)
                self.average[name].lerp_(master, 1 - decay)
        return value

    def parser(self, calibration: Calibration | None = None) -> Parser:
        """Return a parser with the averaged weights."""
        model = ParserModel(self.model.config)
        model.load_state_dict(self.average)
        return Parser(model, self.grammar, self.pieces, calibration or Calibration(), context=self.context)

    def validate(self) -> dict[str, float]:
        """Return the shares of correct programs on held-out phrases and on fresh texts of trained phrases."""
        parser = self.parser()
        scores = {}
        for part in ('held_out', 'train'):
            right = [equal_program(parser, e) for e in self._fixed(part, self.config.validate)]
            scores[part] = sum(right) / len(right)
        self.best = max(self.best, scores['held_out'])
        self.report(
            f'step {self.step}: held-out phrases {scores["held_out"]:.3f}, trained phrases {scores["train"]:.3f}'
        )
        with (self.folder / 'scores.jsonl').open('a') as f:
            f.write(json.dumps({'step': self.step, **scores}) + '\n')
        return scores

    def _fixed(self, part: Any, count: int) -> list[Example]:
        """Return fixed examples, whose seed is never trained with."""
        data = Examples(self.grammar, self.pieces, part, size=count, batches=1, seed=-1)
        return data.examples(0, count)

    def export(self, path: Path) -> None:
        """Write the parser with the averaged weights, calibrated on held-out phrases."""
        parser = self.parser()
        save_parser(path, parser.model, self.grammar, self.calibrate(parser))

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
            p = min(max(found.confidence, 1e-6), 1 - 1e-6)
            pairs.append((math.log(p / (1 - p)), float(equal(found.program, program))))
        return fit(torch.tensor(pairs, dtype=torch.float64))

    def _adopt(self, path: Path) -> None:
        state = load_model(path, self.grammar)[0].state_dict()
        fresh = self.model.state_dict()
        new = state['bias'] <= -1e4 + 1
        for name in ('token.weight', 'bias'):
            rows = torch.nonzero(new).flatten()
            state[name][rows] = fresh[name][rows]
        self.model.load_state_dict(fresh | state)

    def _save(self) -> None:
        state = {
            'step': self.step, 'best': self.best, 'tokens': list(self.grammar.tokens), 'master': self.master,
            'average': self.average, 'optimizer': self.optimizer.state_dict(),
        }  # fmt: skip
        with atomic_path(self.folder / CHECKPOINT) as temporary:
            torch.save(state, temporary)

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / CHECKPOINT
        write_json(self.folder / 'config.json', asdict(self.config))
        if not path.is_file():
            return
        state = torch.load(path, map_location='cpu', weights_only=True)
        if state['tokens'] != list(self.grammar.tokens):
            raise InputError(
                'the checkpoint is of another grammar', where=str(path), do='start another run with it as its origin'
            )
        self.step, self.best = state['step'], state['best']
        self.optimizer.load_state_dict(state['optimizer'])
        parameters = dict(self.model.named_parameters())
        with torch.no_grad():
            for name, master in self.master.items():
                master.copy_(state['master'][name])
                self.average[name].copy_(state['average'][name])
                parameters[name].copy_(master)
        self.report(f'going on from step {self.step}')


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
