"""The boundary network in training: batches, the forward pass through the frozen backbones, losses, splits."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.item import Split
from converseg_ros.core.splits import instance_split, split_of
from converseg_ros.datasets.regions import labelled_names, own_splits
from converseg_ros.network.precision import autocast, low_precision
from converseg_ros.network.segments.backbone import Backbone, to_pixels
from converseg_ros.network.segments.boundary import BoundaryMaps, BoundaryNet, channels_last
from converseg_ros.training.segments.config import BoundaryLossConfig, LabelledSource
from converseg_ros.training.segments.samples import IGNORED, Sample

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


class Boundaries(nn.Module):
    """The frozen backbones and the boundary network."""

    def __init__(self, backbone: Backbone, boundary: BoundaryNet) -> None:
        super().__init__()
        self.backbone, self.boundary = channels_last(backbone), channels_last(boundary)

    def forward(self, batch: Batch) -> BoundaryMaps:
        """Return the maps of a batch, in bfloat16 if the processor has it."""
        with autocast(torch.device('cpu'), low_precision()):
            maps: BoundaryMaps = self.boundary(self.backbone(batch.pixels).features, batch.geometry)
        return maps


def losses(maps: BoundaryMaps, batch: Batch, config: BoundaryLossConfig) -> dict[str, Tensor]:
    """Return the loss of each map, 0 without supervision, and their weighted sum as 'total'."""

    def outline(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        loss = F.binary_cross_entropy_with_logits(logits.float(), target, reduction='none') * weight
        return loss.sum() / weight.sum().clamp_min(1)

    kind, target = maps.kind.float().permute(0, 2, 3, 1), batch.kind.long()
    known = target != IGNORED
    vote, voting = maps.vote.float().permute(0, 2, 3, 1), batch.voting
    wanted = batch.vote.permute(0, 2, 3, 1)
    parts = {
        'boundary': outline(maps.boundary, batch.boundary, batch.weight),
        'part_boundary': outline(maps.part_boundary, batch.part_boundary, batch.part_weight),
        'part': outline(maps.part, batch.part, batch.part_weight),
        'kind': F.cross_entropy(kind[known], target[known]) if known.any() else kind.sum() * 0,
        'vote': F.smooth_l1_loss(vote[voting], wanted[voting], beta=0.1) if voting.any() else vote.sum() * 0,
    }
    total = torch.stack([getattr(config, name) * value for name, value in parts.items()]).sum()
    return {'total': total, **parts}


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
