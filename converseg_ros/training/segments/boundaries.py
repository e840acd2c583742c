"""Training of the boundary network: losses, batches, validation, and the training loop."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import time
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.core.item import Split
from converseg_ros.core.splits import instance_split, split_of
from converseg_ros.datasets.regions import labelled_names, own_splits
from converseg_ros.network.segments.backbone import Backbone, load_backbone, to_pixels
from converseg_ros.network.segments.boundary import BackboneFeatures, BoundaryMaps, BoundaryNet, channels_last
from converseg_ros.network.segments.weights import WEIGHTS, save_segments
from converseg_ros.training import checkpoints
from converseg_ros.training.checkpoints import Snapshot
from converseg_ros.training.segments.config import BoundaryLossConfig, LabelledSource, SegmentsConfig
from converseg_ros.training.segments.samples import IGNORED, Sample, draw, load, mixture, plain, store

LAST = torch.channels_last


class Batch(NamedTuple):
    """Samples stacked: pixels (B, 3, H, W), geometry (B, 9, H/2, W/2), and the maps of `Sample` with B in front."""

    pixels: Tensor
    geometry: Tensor
    boundary: Tensor
    weight: Tensor
    part_boundary: Tensor
    part: Tensor
    part_weight: Tensor
    kind: Tensor
    vote: Tensor
    voting: Tensor


def collate(samples: list[Sample]) -> Batch:
    """Stack samples."""
    maps = {
        name: torch.from_numpy(np.stack([getattr(s, name) for s in samples]))
        for name in Batch._fields
        if name != 'pixels'
    }
    maps['geometry'] = maps['geometry'].contiguous(memory_format=LAST)
    return Batch(pixels=to_pixels(np.stack([s.rgb for s in samples])), **maps)


def losses(maps: BoundaryMaps, batch: Batch) -> dict[str, Tensor]:
    """Return the loss of each map; a map without supervision has loss 0."""

    def outline(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        loss = F.binary_cross_entropy_with_logits(logits.float(), target, reduction='none') * weight
        return loss.sum() / weight.sum().clamp_min(1)

    kind, target = maps.kind.float().permute(0, 2, 3, 1), batch.kind.long()
    known = target != IGNORED
    vote, voting = maps.vote.float().permute(0, 2, 3, 1), batch.voting
    wanted = batch.vote.permute(0, 2, 3, 1)
    return {
        'boundary': outline(maps.boundary, batch.boundary, batch.weight),
        'part_boundary': outline(maps.part_boundary, batch.part_boundary, batch.part_weight),
        'part': outline(maps.part, batch.part, batch.part_weight),
        'kind': F.cross_entropy(kind[known], target[known]) if known.any() else kind.sum() * 0,
        'vote': F.smooth_l1_loss(vote[voting], wanted[voting], beta=0.1) if voting.any() else vote.sum() * 0,
    }


def total(parts: dict[str, Tensor], config: BoundaryLossConfig) -> Tensor:
    """Return the weighted sum."""
    return torch.stack([getattr(config, name) * value for name, value in parts.items()]).sum()


def split_names(source: LabelledSource, split: Split) -> list[str]:
    """Return the names of the views of a source that belong to `split`."""
    names = labelled_names(Path(source.path))
    if source.split == 'all':
        return names if split == 'train' else []
    if source.split == 'own':
        rule: Callable[[str], Split] = own_splits(Path(source.path))
    else:
        rule = split_of if source.split == 'name' else instance_split
    return [name for name in names if rule(name) == split]


@dataclass(slots=True)
class BoundaryTraining:
    """The training loop; the newest checkpoint contains everything that the next step depends on."""

    config: SegmentsConfig
    report: Callable[[str], None]

    def run(self) -> BoundaryNet:
        """Train to `config.steps` and return the network with averaged weights."""
        config = self.config
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        backbone = channels_last(load_backbone(Path(config.backbone)))
        network = channels_last(BoundaryNet())
        optimizer = torch.optim.AdamW(network.parameters(), config.lr, weight_decay=config.weight_decay)
        average = {k: v.clone() for k, v in network.state_dict().items()}
        step, best = 0, float('inf')
        folder = Path(config.out)
        folder.mkdir(parents=True, exist_ok=True)
        if found := checkpoints.steps(folder):
            snapshot = checkpoints.load(found[-1])
            network.load_state_dict(snapshot.weights)
            optimizer.load_state_dict(snapshot.optimizer)
            average, step, best = snapshot.average, snapshot.step, snapshot.best
        training, validation = self._files()
        rows, columns = config.view
        size = (rows, columns)
        recent: dict[str, float] = {}
        started, first = time.monotonic(), step
        network.train()
        while step < config.steps:
            rng = np.random.default_rng((config.seed, step))
            paths = [mixture(training, rng) for _ in range(config.batch)]
            batch = collate([draw(load(p), rng, size=size, drop_depth=config.drop_depth) for p in paths])
            for group in optimizer.param_groups:
                group['lr'] = self.learning_rate(step)
            parts = losses(run_networks(backbone, network, batch), batch)
            optimizer.zero_grad()
            total(parts, config.loss).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            step += 1
            self._average(average, network, step)
            recent = {k: 0.98 * recent.get(k, v.item()) + 0.02 * v.item() for k, v in parts.items()}
            if step % 25 == 0:
                pace = (time.monotonic() - started) / (step - first)
                shown = ' '.join(f'{k} {v:.3f}' for k, v in recent.items())
                self.report(f'step {step}/{config.steps} {shown} {pace:.2f} s/step')
            done = step == config.steps
            if done or step % config.validate_every == 0:
                score = self._validate(backbone, average, validation)
                best = min(best, score)
            if done or step % config.checkpoint_every == 0:
                weights = {k: v.clone() for k, v in network.state_dict().items()}
                snapshot = Snapshot(step, weights, average, optimizer.state_dict(), [], best, '')
                checkpoints.save(folder, snapshot, keep=2)
                save_segments(folder / WEIGHTS, averaged(average), None)
        return averaged(average)

    def learning_rate(self, step: int) -> float:
        """Return the rate after `step` updates: linear warm-up, then a cosine to `min_lr`."""
        config = self.config
        rise = min(1.0, (step + 1) / max(config.warmup, 1))
        fall = 0.5 + 0.5 * np.cos(np.pi * min(step / config.steps, 1.0))
        return float(config.min_lr + (config.lr - config.min_lr) * rise * fall)

    def _average(self, average: dict[str, Tensor], network: BoundaryNet, step: int) -> None:
        decay = min(self.config.ema, step / (step + 20))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                average[name].mul_(decay).add_(value, alpha=1 - decay)
            else:
                average[name].copy_(value)

    def _files(self) -> tuple[list[tuple[list[Path], float]], list[Path]]:
        """Return the cache files of each source with its weight, and the files for validation."""
        training: list[tuple[list[Path], float]] = []
        validation: list[Path] = []
        cache = Path(self.config.cache)
        for source in self.config.sources:
            folder = Path(source.path)
            files = [store(folder, name, cache) for name in split_names(source, 'train')]
            if not files:
                raise InputError('no views to train on', where=source.path)
            self.report(f'{source.path}: {len(files)} views')
            training.append((files, source.weight))
            if source.validate:
                validation += [store(folder, name, cache) for name in split_names(source, 'val')]
        return training, validation

    @torch.no_grad()
    def _validate(self, backbone: Backbone, average: dict[str, Tensor], files: list[Path]) -> float:
        """Return the mean boundary loss on held-out images without augmentation; report it with the other losses."""
        if not files:
            return float('nan')
        network = averaged(average)
        sums: dict[str, float] = {}
        for path in files:
            batch = collate([plain(load(path))])
            for name, value in losses(run_networks(backbone, network, batch), batch).items():
                sums[name] = sums.get(name, 0.0) + value.item() / len(files)
        self.report('validation ' + ' '.join(f'{k} {v:.3f}' for k, v in sums.items()))
        return sums['boundary']


def run_networks(backbone: Backbone, network: BoundaryNet, batch: Batch) -> BoundaryMaps:
    """Return the maps of a batch, in bfloat16 if that is faster."""
    with torch.autocast('cpu', torch.bfloat16):
        features: BackboneFeatures = backbone(batch.pixels).features
        maps: BoundaryMaps = network(features, batch.geometry)
    return maps


def averaged(average: dict[str, Tensor]) -> BoundaryNet:
    """Return a network in evaluation mode with these weights."""
    network = BoundaryNet()
    network.load_state_dict(average)
    return channels_last(network.eval())
