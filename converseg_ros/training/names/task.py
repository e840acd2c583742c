"""The task `names`: the head of the namer on cached features of labelled objects, and its calibration."""

from collections.abc import Callable
from dataclasses import replace
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor, nn

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge.vocabulary import vocabulary
from converseg_ros.network.file_names import NAMES
from converseg_ros.network.names.crops import MASKED
from converseg_ros.network.names.detector import Evidence
from converseg_ros.network.names.head import NameHead, shaped
from converseg_ros.network.names.scores import Encoder
from converseg_ros.network.names.weights import Meanings, NameWeights, save_names
from converseg_ros.network.precision import low_precision
from converseg_ros.network.segments.backbone import load_backbone
from converseg_ros.network.segments.boundary import channels_last
from converseg_ros.network.weights.things_loader import load_text_encoder
from converseg_ros.training.loop import Trainer
from converseg_ros.training.names.calibration import LogOdds, noun_log_odds, scaling
from converseg_ros.training.names.config import NamesConfig
from converseg_ros.training.names.features import VIEWS, cache_round
from converseg_ros.training.names.prepared import SHOWN, Prepared
from converseg_ros.training.names.table import allowed_of, read_table, sources_of
from converseg_ros.training.task import Scores, Task

WITHOUT_CROP = 0.2  # weight of the loss of the answer without a crop


class Batch(NamedTuple):
    """B views of objects: the inputs of NameHead, and may (B, K + 1), the nouns that each object may be."""

    pooled: Tensor
    by_class: Tensor
    evidence: Tensor
    may: Tensor


class NamesTask(Task[Batch]):
    """Trains a head on the selected objects of a table; the export calibrates it by heads of its folds."""

    def __init__(
        self,
        config: NamesConfig,
        prepared: Prepared,
        encode: Encoder,
        report: Callable[[str], None],
        chosen: NDArray[np.bool_] | None = None,
    ) -> None:
        """Create a task; encode: the text encoder. chosen (I,): objects to train on, by default all those for training.

        Raises InputError if the calibration would have no objects.
        """
        self.config, self.optim = config, config.optim
        self.prepared, self.encode, self.report = prepared, encode, report
        table = prepared.table
        self.chosen = table.splits == 'train' if chosen is None else chosen
        self.picked = np.flatnonzero(self.chosen & table.named)
        empty = config.folds - len(np.unique(table.folds(config.folds)[self.picked]))
        if chosen is None and empty:
            raise InputError(
                f'{empty} of {config.folds} folds have no objects: the images are of too few minutes',
                where='names',
                do='add a source, or record for longer',
            )
        self.sources = sources_of(table.labels[self.picked], prepared.words)
        self.may = allowed_of(NameHead(self.sources), table, prepared.words)
        _, label, count = np.unique(table.labels[self.picked], return_inverse=True, return_counts=True)
        share = count[label] ** -config.balance
        self.share = share / share.sum()
        self.held_out = (table.splits == 'val') & table.named
        self.identity = hashlib.sha256('\n'.join(self.sources.nouns).encode() + self.picked.tobytes()).hexdigest()

    def build(self) -> NameHead:
        """Return a new head that standardizes its input."""
        head = NameHead(self.sources, self.config.dropout)
        spread, mean = torch.std_mean(shaped(self.prepared.table.pooled[self.picked, SHOWN[0]].float()), 0)
        head.mean.copy_(mean)
        head.spread.copy_(spread + 0.1 * spread.mean())
        return head

    def batch(self, step: int, number: int) -> Batch:
        """Return random views of objects; rare labels are drawn more often than they occur."""
        table, size, rng = self.prepared.table, self.config.batch, np.random.default_rng((self.config.seed, number))
        rows = rng.choice(self.picked, size, p=self.share)
        view = rng.integers(0, table.pooled.shape[1], size)
        # an object that fills its picture is shown on grey only, because its surroundings reveal its source
        view = np.where(table.filling[rows], view // len(VIEWS) * len(VIEWS) + VIEWS.index(MASKED), view)
        pooled, by_class = table.pooled[rows, view].float(), self.prepared.by_class[rows, view].float()
        return Batch(pooled, by_class, table.evidence[rows], self.may[rows])

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the cross-entropy of the sum over the nouns that a label may mean."""
        assert isinstance(network, NameHead)
        keep = (torch.rand(len(batch.pooled), 1) >= self.config.drop_detector).float()
        dropped = torch.rand(len(network.crops)) < self.config.drop_crops
        crop = _loss(network(batch.pooled, batch.by_class, batch.evidence * keep, dropped), batch.may)
        without = _loss(network.without_crop(batch.evidence), batch.may)
        return {'total': crop + WITHOUT_CROP * without, 'crop': crop, 'without_crop': without}

    def validate(self, network: nn.Module, step: int) -> Scores | None:
        """Return cross-entropy and share of right nouns on validation photographs, without the detector."""
        assert isinstance(network, NameHead)
        if not self.held_out.any():
            return None
        found = self.prepared.answers(network, self.held_out, SHOWN, detector=False)
        may = self.may[torch.from_numpy(self.held_out)]
        loss, right = float(_loss(found, may)), float(may.gather(1, found.argmax(1, keepdim=True)).float().mean())
        return Scores(-loss, {'loss': loss, 'right': right})

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Calibrate the head on objects that the heads of the folds were not trained on; write names.safetensors."""
        assert isinstance(network, NameHead)
        config, prepared, found = self.config, self.prepared, list[LogOdds]()
        fold = prepared.table.folds(config.folds)
        for number in range(config.folds):
            self.report(f'calibration: fold {number + 1} of {config.folds}')
            out = str(Path(config.out) / f'fold-{number}')
            part = replace(config, out=out, steps=config.fold_steps, origin='')
            chosen = self.chosen & (fold != number)
            trainer = Trainer(NamesTask(part, prepared, self.encode, self.report, chosen), report=self.report)
            trainer.train()
            head = trainer.result()
            assert isinstance(head, NameHead)
            found.append(noun_log_odds(prepared, head, self.chosen & (fold == number)))
        names = prepared.words.names
        path = (folder or Path(config.out)) / NAMES
        save_names(path, NameWeights(network, scaling(found), Meanings(names, self.encode(names))))
        return path


def _loss(found: Tensor, may: Tensor) -> Tensor:
    return -torch.logsumexp(found.masked_fill(~may, -1e4), 1).mean()


def create(config: NamesConfig, report: Callable[[str], None]) -> NamesTask:
    """Return the task of a configuration; features that are not in the cache are computed."""
    words, folder = vocabulary(), Path(config.backbone)
    backbone = channels_last(load_backbone(folder))
    evidence = Evidence(backbone.detector, low_precision())
    for number in range(config.rounds + 1):
        for source in config.sources:
            cache_round(
                Path(config.cache), Path(source.path), number, backbone.trunk, evidence, report, most=source.most
            )
    prepared = Prepared(read_table(config, words), backbone.trunk, words)
    return NamesTask(config, prepared, load_text_encoder(folder), report)
