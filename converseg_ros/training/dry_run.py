"""Estimate memory and time of a run from a few real steps."""

from dataclasses import replace
from pathlib import Path
import resource
import tempfile
import time

import torch

from converseg_ros.network.model import parameter_count
from converseg_ros.training.assemble import assemble
from converseg_ros.training.config import TrainConfig

STEPS = 3


def dry_run(config: TrainConfig) -> list[str]:
    """Run a few updates and a validation in a temporary folder; return lines about data, memory and time."""
    with tempfile.TemporaryDirectory() as out:
        trial = replace(config, out=str(Path(out)), steps=STEPS + 1, validate_images=2, panels=0)
        lines: list[str] = []
        trainer = assemble(trial, report=lines.append)
        network = trainer.learner.network
        trained, whole = sum(p.numel() for p in trainer.parameters.values()), parameter_count(network)
        trainer.update()  # warm-up
        started = time.monotonic()
        for _ in range(STEPS):
            trainer.update()
        pace = (time.monotonic() - started) / STEPS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    lines.append(f'parameters: {whole / 1e6:.2f} M, of which {trained / 1e6:.2f} M are trained')
    lines.append(f'{config.batch.images * config.batch.prompts * config.batch.accumulation} prompts an update')
    lines.append(f'peak memory: {peak:.2f} GiB of the process')
    if torch.cuda.is_available():
        lines.append(f'peak GPU memory: {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB')
    hours = pace * config.steps / 3600
    lines.append(f'{pace:.2f} s an update: {hours:.2f} h for {config.steps} updates')
    return lines
