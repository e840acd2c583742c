"""The task `converseg`: ConverSegNet learns masks of prompts, with LoRA in the paper's configuration (section 4)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from converseg_ros.network.weights.checkpoints import save_network
from converseg_ros.training.checkpoints import weights_hash
from converseg_ros.training.converseg.answer import Answerer
from converseg_ros.training.converseg.batches import (
    Batch,
    JoinedSource,
    PromptSelection,
    Schedule,
    Source,
    ViewSource,
)
from converseg_ros.training.converseg.config import SourceConfig, TrainConfig
from converseg_ros.training.converseg.losses import compute
from converseg_ros.training.converseg.records import read_records
from converseg_ros.training.converseg.start import choose_trained, start_network
from converseg_ros.training.converseg.texts import TextCache
from converseg_ros.training.converseg.validate import validate, write_panels
from converseg_ros.training.task import Scores, Task


class ConverSegTask(Task[Batch]):
    """Trains parts of the network of a start folder on views with prompts."""

    single = False

    def __init__(self, config: TrainConfig, report: Callable[[str], None]) -> None:
        """Load the network and list the views."""
        self.config, self.optim, self.accumulation = config, config.optim, config.batch.accumulation
        self.network = start_network(config)
        choose_trained(self.network, config.trainable)
        self.answerer = Answerer(self.network)
        if config.cache and not self.answerer.trains_language and not self.network.language_encoder.sees:
            path = Path(config.cache) / f'texts-{weights_hash(self.network.language_encoder)}.pt'
            self.answerer.texts = TextCache(path)
        sources = [self._source(s, 'train') for s in config.train]
        self.held_out = JoinedSource([self._source(s, 'val') for s in config.val]) if config.val else None
        self.schedule = Schedule(sources, [s.weight for s in config.train], config.seed)
        counts = ', '.join(f'{s.path} {len(d)}' for s, d in zip(config.train, sources, strict=True))
        report(f'views: {counts}; for validation: {0 if self.held_out is None else len(self.held_out)}')

    def _source(self, settings: SourceConfig, split: str) -> Source:
        """Return the views of one data set for a split; those for training are augmented."""
        records = read_records(settings, split, needed=split == 'train')
        return ViewSource(records, self.network.config, self.config.augment if split == 'train' else None)

    def build(self) -> nn.Module:
        """Return the network of the start folder."""
        return self.network

    def batch(self, step: int, number: int) -> Batch:
        """Return some views with prompts; the phase of the curriculum defines the share of literal ones."""
        settings = self.config.batch
        literal = self.config.phase(step).literal
        ask = PromptSelection(settings.prompts, literal, settings.negatives, self.config.drop_language)
        return self.schedule.batch(number, settings.images, ask)

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of the masks used at inference."""
        return compute(self.answerer.answer(batch), batch, self.config.loss)._asdict()

    def validate(self, network: nn.Module, step: int) -> Scores | None:
        """Return the scores on the validation views; the goal is the gIoU. Write panels."""
        config, source = self.config, self.held_out
        if source is None:
            return None
        scores = validate(self.answerer, source, limit=config.validate_images, blind=config.drop_language >= 1)
        if config.panels:
            folder = Path(config.out) / 'panels' / f'{step:07d}'
            write_panels(self.answerer, source, folder, count=config.panels)
        return Scores(scores.get('giou', 0.0), scores)

    def save(self) -> None:
        """Write the features of new texts, so that a resumed run uses exactly the same numbers."""
        self.answerer.texts.save()

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Write a model folder, by default OUT/model, with the other files of the start folder."""
        folder = folder or Path(self.config.out) / 'model'
        provenance = self.network.config.provenance | {'run': self.config.name, 'step': step}
        config = replace(self.network.config, provenance=provenance)
        save_network(folder, config, dict(sorted(self.network.state_dict().items())), Path(self.config.start))
        return folder


create = ConverSegTask
