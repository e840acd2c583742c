"""Estimate memory and time of a run from a few real steps."""

from dataclasses import replace
import resource
import tempfile
import time

import torch

from converseg_ros.training.config import RunConfig
from converseg_ros.training.loop import Trainer
from converseg_ros.training.task import create

STEPS = 3


def dry_run(config: RunConfig) -> list[str]:
    """Run a few updates in a temporary folder; return lines about data, memory and time."""
    with tempfile.TemporaryDirectory() as out:
        lines: list[str] = []
        trial = replace(config, out=out, steps=STEPS + 1)
        trainer = Trainer(create(trial, lines.append), report=lines.append)
        trainer.update()  # warm-up
        started = time.monotonic()
        for _ in range(STEPS):
            trainer.update()
        pace = (time.monotonic() - started) / STEPS
    trained, whole = (sum(p.numel() for p in x) for x in (trainer.parameters.values(), trainer.network.parameters()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines.append(f'parameters: {whole / 1e6:.2f} M, of which {trained / 1e6:.2f} M are trained')
    lines.append(f'peak memory: {peak:.2f} GiB of the process')
    if torch.cuda.is_available():
        lines.append(f'peak GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB')
    lines.append(f'{pace:.2f} s an update: {pace * config.steps / 3600:.2f} h for {config.steps} updates')
    return lines
