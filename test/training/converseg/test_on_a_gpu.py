"""Losses and validation of ConverSegNet on a simulated GPU, which has no gradients, are those of the CPU."""

from pathlib import Path

import pytest
from simulated_gpu import SimulatedGpu
import torch

from converseg_ros.training.converseg.texts import TextCache
from converseg_ros.training.task import create, read_config


@pytest.mark.parametrize('trained', ['adapters', 'language_encoder'])
@torch.no_grad()
def test_losses_and_scores_are_those_of_the_cpu(settings: Path, trained: str) -> None:
    """The text encoder is frozen, with a cache of its features, or trained."""
    task = create(read_config(settings, {'trainable': [trained], 'cache': ''}), lambda _: None)
    network, batch = task.build().eval(), task.batch(0, 0)
    losses, scores = task.loss(network, batch), task.validate(network, 0)
    with SimulatedGpu() as gpu:
        network.to(gpu.device)
        task.answerer.texts = TextCache()
        found = task.loss(network, batch.to(gpu.device))
        assert found['total'].device == gpu.device
        again = task.validate(network, 0)
    assert {n: float(v) for n, v in found.items()} == pytest.approx({n: float(v) for n, v in losses.items()}, abs=1e-3)
    assert again.values == pytest.approx(scores.values, abs=1e-3) and scores.values
