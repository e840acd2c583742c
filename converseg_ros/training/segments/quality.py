"""The task of the quality network: the IoU of every node of the merge trees of labelled views."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.core.item import Split
from converseg_ros.datasets.regions import LabelledView, read_labelled
from converseg_ros.network.file_names import SEGMENTS
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.quality import NUMBERS, QualityNet
from converseg_ros.network.segments.selection import MIN_CELLS
from converseg_ros.network.segments.weights import SegmentNets, save_segments
from converseg_ros.training.checkpoints import weights_hash
from converseg_ros.training.config import OptimConfig
from converseg_ros.training.segments.boundaries import split_names
from converseg_ros.training.segments.config import LabelledSource, SegmentsConfig
from converseg_ros.training.task import Scores, Task

BATCH = 4096
LABELLED = 0.5  # share of a node's cells that must be labelled for its IoU to be known


class Nodes(NamedTuple):
    """numbers (N, NUMBERS), iou (N, 2) with the best object and the best part, known (N, 2) which are known."""

    numbers: NDArray[np.float32]
    iou: NDArray[np.float32]
    known: NDArray[np.bool_]


Batch = tuple[Tensor, Tensor, Tensor]  # numbers, iou, known of `Nodes`


class QualityTask(Task[Batch]):
    """Trains the quality network for a boundary network, on nodes that are drawn by the weights of their sources."""

    def __init__(self, config: SegmentsConfig, proposer: TreeProposer) -> None:
        """Compute the merge trees of some views of each source."""
        out = str(Path(config.out) / 'quality')
        self.config = replace(config, out=out, steps=config.quality.steps, origin='')
        self.optim = OptimConfig(config.quality.lr, 1e-5, weight_decay=1e-3, warmup=0, clip=0, fall='linear')
        self.proposer, self.identity = proposer, weights_hash(proposer.boundary)
        self.groups: list[Batch] = []
        weights = []
        for source in config.sources:
            nodes = self._nodes([source], 'train')
            if len(nodes.numbers):
                numbers, iou, known = map(torch.from_numpy, nodes)
                self.groups.append((numbers, iou, known))
                weights.append(source.weight)
        if not self.groups:
            raise InputError('no node of any tree is labelled', where='quality', do='give sources with larger regions')
        self.counts = [max(round(BATCH * w / sum(weights)), 1) for w in weights]
        self.held_out = self._nodes([source for source in config.sources if source.validate], 'val')

    def _nodes(self, sources: Sequence[LabelledSource], split: Split) -> Nodes:
        """Return the nodes of some views of each source; a third of the views with depth is used without depth."""
        found = []
        for source in sources:
            names = split_names(source, split)
            order = np.random.default_rng(self.config.seed).permutation(len(names))[: self.config.quality.views]
            for turn, index in enumerate(order):
                labelled = read_labelled(Path(source.path), names[index])
                if turn % 3 == 2:
                    labelled = replace(labelled, view=replace(labelled.view, depth=None))
                found.append(view_nodes(self.proposer, labelled))
        none = Nodes(np.zeros((0, NUMBERS), np.float32), np.zeros((0, 2), np.float32), np.zeros((0, 2), bool))
        return Nodes(*(np.concatenate(columns) for columns in zip(none, *found, strict=True)))

    def build(self) -> QualityNet:
        """Return a new network that standardizes its input."""
        network = QualityNet()
        numbers = torch.cat([group[0] for group in self.groups])
        network.mean.copy_(numbers.mean(0))
        network.scale.copy_(numbers.std(0) + 1e-3)
        return network

    def batch(self, step: int, number: int) -> Batch:
        """Return random nodes of each source."""
        rng = np.random.default_rng((self.config.seed, number))
        rows = [torch.from_numpy(rng.integers(len(g[0]), size=n)) for g, n in zip(self.groups, self.counts)]
        numbers, iou, known = (torch.cat([g[i][r] for g, r in zip(self.groups, rows)]) for i in range(3))
        return numbers, iou, known

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the cross-entropy with the IoU; nodes with a higher IoU have more weight."""
        numbers, iou, known = batch
        weight = (1 + 4 * iou**2) * known
        loss = F.binary_cross_entropy_with_logits(network(numbers), iou, reduction='none') * weight
        return {'total': loss.sum() / weight.sum().clamp_min(1)}

    def validate(self, network: nn.Module, step: int) -> Scores | None:
        """Return the correlation of the prediction with the IoU on held-out images."""
        assert isinstance(network, QualityNet)
        numbers, iou, known = self.held_out
        if not known[:, 0].any():
            return None
        score = network.score(numbers)
        correlation = float(np.corrcoef(score[known[:, 0], 0], iou[known[:, 0], 0])[0, 1])
        return Scores(correlation, {'correlation': correlation})

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Write the boundary network and the quality network as segments.safetensors."""
        assert isinstance(network, QualityNet)
        path = (folder or Path(self.config.out)) / SEGMENTS
        save_segments(path, SegmentNets(self.proposer.boundary, network))
        return path


def view_nodes(proposer: TreeProposer, labelled: LabelledView) -> Nodes:
    """Return the nodes of one view with their best IoU with its regions."""
    proposals = proposer.nodes(labelled.view)
    tree = proposals.tree
    rows, columns = tree.labels.shape
    small: dict[str, list[NDArray[np.float32]]] = {'whole': [], 'part': []}
    for group, mask in labelled.regions(least=4 * MIN_CELLS):
        cells = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        small['part' if group == 'part' else 'whole'].append(np.asarray(cells, np.float32))
    iou = np.zeros((len(tree), 2), np.float32)
    for column, masks in enumerate(small.values()):
        if masks:
            iou[:, column] = tree.overlaps(np.stack(masks)).max(1)
    labels = cv2.resize((labelled.whole > 0).astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    share = tree.sums(tree.leaf_sums(np.asarray(labels, np.float32).reshape(-1, 1)))[:, 0] / tree.area
    known = np.stack([(share > LABELLED) | (iou[:, 0] > LABELLED), np.full(len(tree), labelled.has_parts)], 1)
    keep = (tree.area >= MIN_CELLS) & known.any(1)
    return Nodes(proposals.numbers[keep], iou[keep], known[keep])
