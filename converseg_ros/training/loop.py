"""The training loop of all tasks: PyTorch with Hugging Face accelerate, for a CPU, a GPU, or several processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import cached_property
import math
from pathlib import Path
import signal
import threading
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from converseg_ros.core.errors import ConversegError, InputError, import_extra
from converseg_ros.core.files import write_json
from converseg_ros.core.progress import Report
from converseg_ros.training import checkpoints
from converseg_ros.training.checkpoints import Snapshot
from converseg_ros.training.progress import Log
from converseg_ros.training.task import Task


class StoppedError(ConversegError):
    """The run was stopped by SIGTERM, after writing a checkpoint."""


class Trainer:
    """One run of a task: `train()` resumes from the newest checkpoint in the run's folder, or starts."""

    def __init__(
        self, task: Task[Any], *, report: Callable[[str], None] = print, progress: Report | None = None
    ) -> None:
        """Build the network and its optimizer; report: gets lines of text. progress: gets steps and validations."""
        with import_extra('train'):
            from accelerate import Accelerator, DistributedDataParallelKwargs

        self.task, self.report, self.progress = task, report, progress
        self.config = config = task.config
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(cpu=task.single or not torch.cuda.is_available(), kwargs_handlers=[unused])
        if task.single and self.accelerator.num_processes > 1:
            raise InputError(f'{config.task} is trained by one process', where='task', do='use no launcher')
        self.folder = Path(config.out)
        torch.manual_seed(config.seed + self.accelerator.process_index)
        self.network = task.build()
        self.parameters = {n: p for n, p in self.network.named_parameters() if p.requires_grad}
        matrices = [p for p in self.parameters.values() if p.ndim >= 2]
        vectors = [p for p in self.parameters.values() if p.ndim < 2]
        optimizer = torch.optim.AdamW(
            [
                {'params': matrices, 'weight_decay': task.optim.weight_decay, 'factor': 1.0},
                {'params': vectors, 'weight_decay': 0.0, 'factor': task.optim.vector_lr},
            ],
            betas=(0.9, task.optim.beta2),
        )
        self.model, self.optimizer = self.accelerator.prepare(_Loss(task, self.network), optimizer)
        self.state = checkpoints.trained(self.network)
        self.average: dict[str, Tensor] = {}
        self.step, self.best, self.best_step = 0, -math.inf, 0
        self.fingerprint = checkpoints.fingerprint(asdict(config) | {'identity': task.identity})
        self._resume()

    @property
    def done(self) -> bool:
        """Return whether all steps are done, or validation has stopped improving."""
        c = self.config
        stale = c.patience > 0 and self.step - self.best_step >= c.patience * c.validate_every
        return self.step >= c.steps or stale

    def train(self) -> dict[str, float]:
        """Run to the end; return the values of the last validation. Raise StoppedError after SIGTERM."""
        config = self.config
        values: dict[str, float] = {}
        if self.done:
            return values
        self.model.train()
        _ = self.batches  # starts the data workers before TensorBoard's thread
        folder = self.folder if self.accelerator.is_main_process else None
        log = Log(folder, config.steps, self.step, self.report, self.progress)
        with _signals(self.accelerator.num_processes == 1) as stopping:
            while not self.done and not stopping:
                parts, better = self.update(), False
                log.update(self.step, parts, self.optimizer.param_groups[0]['lr'])
                if self.step == config.steps or self.step % config.validate_every == 0:
                    values, better = self._validate()
                    log.validation(self.step, values)
                if self.done or better or stopping or self.step % config.checkpoint_every == 0:
                    self.save(better)
        del self.batches
        log.close()
        if not self.done:
            raise StoppedError(f'stopped at step {self.step}', where=config.out, do='the same command resumes the run')
        return values

    def update(self) -> dict[str, float]:
        """Run one update of the weights; return the losses, averaged over the accumulation."""
        optim, count = self.task.optim, self.task.accumulation
        for group in self.optimizer.param_groups:
            group['lr'] = optim.rate(self.step, self.config.steps) * group['factor']
        parts: dict[str, float] = {}
        for turn in range(count):
            batch = next(self.batches)
            with nullcontext() if turn == count - 1 else self.accelerator.no_sync(self.model):
                losses = self.model(batch)
                self.accelerator.backward(losses['total'] / count)
            for name, value in losses.items():
                parts[name] = parts.get(name, 0.0) + float(value.detach()) / count
        if not math.isfinite(parts['total']):
            raise InputError(f'the loss is {parts["total"]}', where=f'step {self.step}', do='lower the learning rate')
        if optim.clip:
            self.accelerator.clip_grad_norm_(self.parameters.values(), optim.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._follow()
        return parts

    @cached_property
    def batches(self) -> Iterator[Any]:
        """Return the batches of this process from the current step on, on its device; starts the data workers."""
        from accelerate.utils import send_to_device

        task, workers = self.task, self.config.workers
        loader: Any = DataLoader(
            _Batches(task, self.accelerator.process_index, self.accelerator.num_processes),
            batch_size=None,
            sampler=range(self.step * task.accumulation, self.config.steps * task.accumulation),
            num_workers=workers,
            collate_fn=lambda batch: batch,
            prefetch_factor=4 if workers else None,
            multiprocessing_context='fork' if workers else None,
            generator=torch.Generator(),  # the default one belongs to the losses, and is in the checkpoint
        )
        return (send_to_device(batch, self.accelerator.device) for batch in loader)

    @torch.no_grad()
    def _follow(self) -> None:
        """Update the averaged weights, with a smaller decay in the first steps."""
        if not self.task.optim.ema:
            return
        decay = min(self.task.optim.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.state.items():
            if name in self.average and value.is_floating_point():
                self.average[name].lerp_(value.detach(), 1 - decay)
            else:
                self.average[name] = value.detach().clone()

    @contextmanager
    def averaged(self) -> Iterator[nn.Module]:
        """Return a context in which the network has the averaged weights and is in evaluation mode."""
        kept = {n: self.state[n].detach().clone() for n in self.average}
        self._load(self.average)
        self.network.eval()
        try:
            yield self.network
        finally:
            self._load(kept)
            self.model.train()

    @torch.no_grad()
    def _load(self, weights: dict[str, Tensor]) -> None:
        for name, value in weights.items():
            self.state[name].copy_(value)

    def _validate(self) -> tuple[dict[str, float], bool]:
        """Evaluate the averaged weights on the main process; return the values, and whether they are the best ones."""
        from accelerate.utils import broadcast_object_list

        found: list[Any] = [None]
        if self.accelerator.is_main_process:
            with torch.no_grad(), self.averaged() as network:
                found[0] = self.task.validate(network, self.step)
        if self.accelerator.num_processes > 1:
            broadcast_object_list(found)
        if found[0] is None:
            if self.config.choose == 'best' or self.config.patience:
                raise InputError('there is nothing to validate on', where='choose, patience', do='give held-out data')
            return {}, False
        better = found[0].goal > self.best
        if better:
            self.best, self.best_step = found[0].goal, self.step
        return found[0].values, better

    def result(self) -> nn.Module:
        """Give the network the weights to export, averaged ones if there are, and return it; the training is over."""
        if self.chosen_step == self.step:
            self._load(self.average)
        else:
            self.adopt(self.folder / 'checkpoints' / checkpoints.BEST)
        return self.network.eval()

    @property
    def chosen_step(self) -> int:
        """Return the step of the weights to export."""
        return self.best_step if self.config.choose == 'best' and self.best_step else self.step

    def export(self, folder: Path | None = None) -> Path:
        """Write the result of the task; return its path."""
        return self.task.export(self.result(), self.chosen_step, folder)

    def adopt(self, path: Path) -> None:
        """Load the averaged (or last) weights of a checkpoint, or of a run's newest one; keep other weights."""
        found = checkpoints.steps(path / 'checkpoints') if path.is_dir() else [path]
        if not found:
            raise InputError('the run has no checkpoint', where=str(path), do='train it first')
        snapshot, state = checkpoints.load(found[-1]), self.state
        saved = (snapshot.weights | snapshot.average).items()
        weights = {n: v for n, v in saved if n in state and state[n].shape == v.shape}
        if not weights:
            raise InputError('the checkpoint has no tensor that is trained here', where=str(found[-1]))
        self._load(weights)

    def save(self, best: bool) -> None:
        """Write a checkpoint from the main process; best: also as the best one."""
        from accelerate.utils import gather_object

        random = gather_object([torch.get_rng_state()])
        if self.accelerator.is_main_process:
            self.task.save()
            weights, average = ({n: t.detach().cpu().clone() for n, t in d.items()} for d in (self.state, self.average))
            optimizer = self.optimizer.state_dict()
            best_of = self.best, self.fingerprint, self.best_step
            snapshot = Snapshot(self.step, weights, average, optimizer, random, *best_of)
            checkpoints.save(self.folder / 'checkpoints', snapshot, keep=self.config.keep_last, best=best)
        self.accelerator.wait_for_everyone()

    def _resume(self) -> None:
        """Resume from the newest checkpoint, or start; reject a checkpoint of another configuration or version."""
        found = checkpoints.steps(self.folder / 'checkpoints')
        earlier = [*checkpoints.steps(self.folder), *self.folder.glob('checkpoint.pt')]
        if earlier and not found:
            raise InputError('the run is of an earlier version', where=str(earlier[-1]), do='use another `out`')
        if self.accelerator.is_main_process:
            write_json(self.folder / 'config.json', asdict(self.config))
        if not found:
            if self.config.origin.endswith('.safetensors'):
                self.task.adopt(self.network, Path(self.config.origin))
            elif self.config.origin:
                self.adopt(Path(self.config.origin))
            return
        snapshot = checkpoints.load(found[-1])
        if snapshot.config != self.fingerprint or snapshot.weights.keys() != self.state.keys():
            raise InputError(
                'the checkpoint is of another configuration',
                where=str(found[-1]),
                do='use another `out`, or start from it by converseg train --from',
            )
        self._load(snapshot.weights)
        self.average = {n: v.to(self.accelerator.device) for n, v in snapshot.average.items()}
        self.optimizer.load_state_dict(snapshot.optimizer)
        if self.accelerator.process_index < len(snapshot.random):
            torch.set_rng_state(snapshot.random[self.accelerator.process_index])
        self.step, self.best, self.best_step = snapshot.step, snapshot.best, snapshot.best_step
        self.report(f'going on from step {self.step}')


@contextmanager
def _signals(wanted: bool) -> Iterator[list[int]]:
    """Return a context in which SIGTERM is put into a list; several processes would not stop at the same step."""
    stopping: list[int] = []
    if not wanted or threading.current_thread() is not threading.main_thread():  # others cannot handle signals
        yield stopping
        return
    before = signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, before)


class _Loss(nn.Module):
    """The network with the loss as its forward function, which data parallelism needs."""

    def __init__(self, task: Task[Any], network: nn.Module) -> None:
        super().__init__()
        self.task, self.network = task, network

    def forward(self, batch: Any) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        return self.task.loss(self.network, batch)


class _Batches(Dataset[Any]):
    """The batches of a process, in the order of its turns: `accumulation` turns for each update."""

    def __init__(self, task: Task[Any], process: int, world: int) -> None:
        self.task, self.process, self.world = task, process, world

    def __getitem__(self, turn: int) -> Any:
        """Return the batch of a turn."""
        return self.task.batch(turn // self.task.accumulation, turn * self.world + self.process)
