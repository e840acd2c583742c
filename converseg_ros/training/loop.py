"""The training loop: Hugging Face accelerate and plain PyTorch, for one CPU, one GPU, or several processes."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict
import hashlib
import json
import math
from pathlib import Path
import signal
import time
from typing import Any

import torch
from torch import Tensor

from converseg_ros.core import InputError
from converseg_ros.core.files import write_json
from converseg_ros.core.progress import Progress, Report
from converseg_ros.core.stages import JobStage
from converseg_ros.training import checkpoints
from converseg_ros.training.batches import PromptSelection, Schedule, Source
from converseg_ros.training.checkpoints import Snapshot
from converseg_ros.training.config import TrainConfig
from converseg_ros.training.learner import Learner
from converseg_ros.training.validate import summary, validate, write_panels


class Trainer:
    """One run: `train()` resumes from the newest checkpoint in the run's folder, or starts."""

    def __init__(
        self,
        config: TrainConfig,
        learner: Learner,
        train: list[Source],
        val: Source | None,
        *,
        report: Callable[[str], None] = print,
    ) -> None:
        """Create a trainer; `train`: one source for each of config.train, in order."""
        from accelerate import Accelerator, DistributedDataParallelKwargs

        self.config, self.report = config, report
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(cpu=not torch.cuda.is_available(), kwargs_handlers=[unused])
        self.device = self.accelerator.device
        self.folder = Path(config.out)
        self.val = val
        self.schedule = Schedule(train, [s.weight for s in config.train], config.seed)
        torch.manual_seed(config.seed + self.accelerator.process_index)
        self.parameters = learner.trainable_state()
        decayed = [p for p in self.parameters.values() if p.ndim >= 2]
        plain = [p for p in self.parameters.values() if p.ndim < 2]  # norms, biases and scales have no weight decay
        optimizer = torch.optim.AdamW(
            [{'params': decayed, 'weight_decay': config.optim.weight_decay}, {'params': plain, 'weight_decay': 0.0}],
            lr=config.optim.lr,
        )
        self.learner = learner
        self.model, self.optimizer = self.accelerator.prepare(learner, optimizer)
        self.average: dict[str, Tensor] = {}
        self.step, self.best = 0, -math.inf
        self.progress: Report | None = None  # called for steps and validations
        self.fingerprint = fingerprint(config)
        self._resume()

    def train(self) -> dict[str, float]:
        """Run to config.steps; return the scores of the last validation."""
        config, main = self.config, self.accelerator.is_main_process
        log = self._tensorboard() if main else None
        self.model.train()
        started, first = time.monotonic(), self.step
        recent: list[float] = []
        scores: dict[str, float] = {}
        stopping: list[int] = []
        if self.accelerator.num_processes == 1:  # several processes would not stop at the same step
            with suppress(ValueError):  # outside of the main thread signals cannot be handled
                signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
        while self.step < config.steps and not stopping:
            parts = self.update()
            recent.append(parts['total'])
            if main and log is not None and self.step % 10 == 0:
                for name, value in parts.items():
                    log.add_scalar(f'loss/{name}', value, self.step)
                log.add_scalar('lr', self.lr(self.step), self.step)
            if main and (self.step % 50 == 0 or self.step == first + 5):
                pace = (time.monotonic() - started) / (self.step - first)
                left = pace * (config.steps - self.step)
                losses = ' '.join(f'{k} {v:.3f}' for k, v in parts.items() if k != 'total')
                mean = sum(recent[-50:]) / len(recent[-50:])
                self._tell(Progress(stage=JobStage.TRAINING, done=self.step, total=config.steps, values={'loss': mean}))
                self.report(
                    f'step {self.step}/{config.steps} loss {mean:.3f} ({losses}) {pace:.2f} s/step, {_clock(left)} left'
                )
            done = self.step == config.steps
            better = False
            if self.val is not None and (done or self.step % config.validate_every == 0):
                scores = self._validate(log)
                better = scores.get('giou', 0.0) > self.best
                self.best = max(self.best, scores.get('giou', 0.0))
            if done or better or stopping or self.step % config.checkpoint_every == 0:
                self.save(better)
        if log is not None:
            log.close()
        return scores

    def _tell(self, event: Progress) -> None:
        if self.progress is not None:
            self.progress(event)

    def lr(self, step: int) -> float:
        """Return the learning rate of update `step` (from 0): linear warm-up, then cosine."""
        c = self.config
        warm = max(1, round(c.optim.warmup * c.steps))
        if step < warm:
            return c.optim.lr * (step + 1) / warm
        share = (step - warm) / max(1, c.steps - warm)
        return c.optim.min_lr + (c.optim.lr - c.optim.min_lr) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))

    def adopt(self, path: Path) -> None:
        """Load the averaged (or last) weights of a checkpoint, or of a run's newest one; keep other weights."""
        found = checkpoints.steps(path / 'checkpoints') if path.is_dir() else [path]
        if not found:
            raise InputError('the run has no checkpoint', where=str(path), do='train it first')
        snapshot = checkpoints.load(found[-1])
        with torch.no_grad():
            for name, value in (snapshot.weights | snapshot.average).items():
                if name in self.parameters and self.parameters[name].shape == value.shape:
                    self.parameters[name].copy_(value)

    def export(self, folder: Path) -> None:
        """Write the averaged (or last) weights as a model folder with the other files of the start folder."""
        from converseg_ros.training.export import export

        with self.averaged():
            provenance = {'run': self.config.name, 'step': self.step}
            export(self.learner.network, Path(self.config.start), folder, provenance=provenance)

    def update(self) -> dict[str, float]:
        """Run one update of the weights; return the losses, averaged over the accumulation."""
        config = self.config
        phase, b = config.phase(self.step), config.batch
        ask = PromptSelection(b.prompts, phase.literal, b.negatives, config.drop_language)
        for group in self.optimizer.param_groups:
            group['lr'] = self.lr(self.step)
        parts: dict[str, float] = {}
        count, world = config.batch.accumulation, self.accelerator.num_processes
        for turn in range(count):
            number = (self.step * count + turn) * world + self.accelerator.process_index
            batch = self.schedule.batch(number, config.batch.images, ask).to(self.device)
            last = turn == count - 1
            with nullcontext() if last else self.accelerator.no_sync(self.model):
                losses = self.model(batch)
                self.accelerator.backward(losses.total / count)
            for name, value in losses._asdict().items():
                parts[name] = parts.get(name, 0.0) + float(value.detach()) / count
        if not math.isfinite(parts['total']):
            raise InputError(f'the loss is {parts["total"]}', where=f'step {self.step}', do='lower optim.lr')
        if config.optim.clip:
            self.accelerator.clip_grad_norm_(self.parameters.values(), config.optim.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._follow()
        return parts

    @torch.no_grad()
    def _follow(self) -> None:
        """Update the averaged weights, with a smaller decay in the first steps."""
        if not self.config.optim.ema:
            return
        decay = min(self.config.optim.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.parameters.items():
            if name in self.average:
                self.average[name].lerp_(value.detach(), 1 - decay)
            else:
                self.average[name] = value.detach().clone()

    def averaged(self) -> Any:
        """Return a context in which the network has the averaged weights."""
        from contextlib import contextmanager

        @contextmanager
        def swapped() -> Any:
            with torch.no_grad():
                kept = {n: self.parameters[n].detach().clone() for n in self.average}
                for name, value in self.average.items():
                    self.parameters[name].copy_(value)
                try:
                    yield
                finally:
                    for name, value in kept.items():
                        self.parameters[name].copy_(value)

        return swapped()

    def _validate(self, log: Any) -> dict[str, float]:
        """Evaluate the averaged weights on the main process; broadcast the scores."""
        from accelerate.utils import broadcast_object_list

        scores: list[dict[str, float]] = [{}]
        if self.accelerator.is_main_process and self.val is not None:
            with self.averaged():
                limit, blind = self.config.validate_images, self.config.drop_language >= 1
                scores[0] = validate(self.learner, self.val, limit=limit, device=self.device, blind=blind)
                if self.config.panels:
                    panels = self.folder / 'panels' / f'{self.step:07d}'
                    write_panels(self.learner, self.val, panels, count=self.config.panels, device=self.device)
            self._tell(Progress(stage=JobStage.VALIDATION, done=self.step, total=self.config.steps, values=scores[0]))
            self.report(f'step {self.step}: {summary(scores[0])}')
            if log is not None:
                for name, value in scores[0].items():
                    log.add_scalar(f'val/{name}', value, self.step)
            with (self.folder / 'scores.jsonl').open('a') as f:
                f.write(json.dumps({'step': self.step, **scores[0]}) + '\n')
        if self.accelerator.num_processes > 1:
            broadcast_object_list(scores)
        return scores[0]

    def save(self, best: bool) -> None:
        """Write a checkpoint from the main process."""
        from accelerate.utils import gather_object

        if self.accelerator.is_main_process:
            self.learner.texts.save()

        random = gather_object([torch.get_rng_state()])
        if self.accelerator.is_main_process:
            weights = {n: p.detach().cpu().clone() for n, p in self.parameters.items()}
            average = {n: p.detach().cpu().clone() for n, p in self.average.items()}
            state = self.optimizer.state_dict()
            snapshot = Snapshot(self.step, weights, average, state, random, self.best, self.fingerprint)
            checkpoints.save(self.folder / 'checkpoints', snapshot, keep=self.config.keep_last, best=best)
        self.accelerator.wait_for_everyone()

    def _resume(self) -> None:
        """Resume from the newest checkpoint, if there is one; reject one of another configuration."""
        found = checkpoints.steps(self.folder / 'checkpoints')
        if self.accelerator.is_main_process:
            write_json(self.folder / 'config.json', asdict(self.config))
        if not found:
            return
        snapshot = checkpoints.load(found[-1])
        if snapshot.config != self.fingerprint:
            raise InputError(
                'the checkpoint is of another configuration',
                where=str(found[-1]),
                do='use another `out`, or start from it by converseg train --from',
            )
        with torch.no_grad():
            for name, value in snapshot.weights.items():
                self.parameters[name].copy_(value)
        self.average = {n: v.to(self.device) for n, v in snapshot.average.items()}
        self.optimizer.load_state_dict(snapshot.optimizer)
        if self.accelerator.process_index < len(snapshot.random):
            torch.set_rng_state(snapshot.random[self.accelerator.process_index])
        self.step, self.best = snapshot.step, snapshot.best
        self.report(f'going on from step {self.step}')

    def _tensorboard(self) -> Any:
        """Return a TensorBoard writer, or None if tensorboard is not installed."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return None
        return SummaryWriter(str(self.folder / 'tensorboard'))


def fingerprint(config: TrainConfig) -> str:
    """Return a hash of the settings that a resumed run must not change."""
    free = (
        'out',
        'origin',
        'threads',
        'checkpoint_every',
        'validate_every',
        'validate_images',
        'panels',
        'keep_last',
        'recipe',
        'finish',
    )
    data = {k: v for k, v in asdict(config).items() if k not in free}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def _clock(seconds: float) -> str:
    """Return h:mm:ss."""
    whole = int(seconds)
    return f'{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}'
