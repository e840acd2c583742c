"""The task `segments`: the boundary network, then the quality network on its trees, and the agent network."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from converseg_ros.core.errors import InputError
from converseg_ros.network.precision import low_precision
from converseg_ros.network.segments.backbone import load_backbone
from converseg_ros.network.segments.boundary import BoundaryNet
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.quality import QualityNet
from converseg_ros.network.segments.weights import load_segments
from converseg_ros.training.loop import Trainer
from converseg_ros.training.segments.agents import AgentTask
from converseg_ros.training.segments.boundaries import Batch, Boundaries, collate, losses, split_names
from converseg_ros.training.segments.config import SegmentsConfig
from converseg_ros.training.segments.quality import QualityTask
from converseg_ros.training.segments.samples import draw, load, mixture, plain, store
from converseg_ros.training.task import Scores, Task


class SegmentsTask(Task[Batch]):
    """Trains the boundary network; the export trains the quality network."""

    def __init__(self, config: SegmentsConfig, report: Callable[[str], None]) -> None:
        """Prepare the views of all sources, unless they are in the cache."""
        self.config, self.optim, self.report = config, config.optim, report
        self.training: list[tuple[list[Path], float]] = []
        self.held_out: list[Path] = []
        cache = Path(config.cache)
        for source in config.sources:
            files, held_out = (
                [store(Path(source.path), name, cache) for name in split_names(source, split)]
                for split in ('train', 'val')
            )
            if not files:
                raise InputError('no views to train on', where=source.path)
            report(f'{source.path}: {len(files)} views')
            self.training.append((files, source.weight))
            self.held_out += held_out if source.validate else []

    def build(self) -> Boundaries:
        """Return the frozen backbones with a new boundary network."""
        return Boundaries(load_backbone(Path(self.config.backbone)), BoundaryNet())

    def batch(self, step: int, number: int) -> Batch:
        """Return random views of images that are drawn from the sources by their weights."""
        config, rng = self.config, np.random.default_rng((self.config.seed, number))
        rows, columns = config.view
        paths = [mixture(self.training, rng) for _ in range(config.batch)]
        return collate([draw(load(p), rng, size=(rows, columns), drop_depth=config.drop_depth) for p in paths])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of the maps."""
        return losses(network(batch), batch, self.config.loss)

    def validate(self, network: nn.Module, step: int) -> Scores | None:
        """Return the mean losses on held-out images without augmentation; the goal is a small boundary loss."""
        values: dict[str, float] = {}
        for path in self.held_out:
            for name, value in self.loss(network, collate([plain(load(path))])).items():
                values[name] = values.get(name, 0.0) + value.item() / len(self.held_out)
        return Scores(-values['boundary'], values) if values else None

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Train the quality and the agent network, and write all three as segments.safetensors.

        There is no agent network if no source shows people or animals.
        """
        assert isinstance(network, Boundaries)
        proposer = TreeProposer(network.backbone, network.boundary, QualityNet(), dtype=low_precision())
        trainer = Trainer(QualityTask(self.config, proposer), report=self.report)
        trainer.train()
        folder = folder or Path(self.config.out)
        agents = AgentTask(self.config, network.backbone, load_segments(trainer.export()), self.report)
        if not agents.training:
            self.report('no source shows people or animals: their masks are not learned')
            return trainer.export(folder)
        last = Trainer(agents, report=self.report)
        last.train()
        return last.export(folder)


create = SegmentsTask
