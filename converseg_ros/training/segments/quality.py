"""Training of the quality network: the IoU of every node of the merge trees of labelled views."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.core.item import Split
from converseg_ros.datasets.regions import LabelledView, read_labelled
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.segments.quality import QualityNet
from converseg_ros.network.segments.selection import MIN_CELLS
from converseg_ros.training.segments.boundaries import split_names
from converseg_ros.training.segments.config import LabelledSource, QualityConfig, SegmentsConfig

BATCH = 4096
LABELLED = 0.5  # share of a node's cells that must be labelled for its IoU to be known


class Nodes(NamedTuple):
    """numbers (N, NUMBERS), iou (N, 2) with the best object and the best part, known (N, 2) which are known."""

    numbers: NDArray[np.float32]
    iou: NDArray[np.float32]
    known: NDArray[np.bool_]


def train_quality(config: SegmentsConfig, proposer: TreeProposer, report: Callable[[str], None]) -> QualityNet:
    """Return a quality network for a proposer's boundary network, trained on its merge trees."""
    groups, weights = [], []
    for source in config.sources:
        nodes = _joined(list(_source_nodes(source, 'train', config.quality, proposer, config.seed)))
        if len(nodes.numbers):
            groups.append(nodes)
            weights.append(source.weight)
    if not groups:
        raise InputError('no node of any tree is labelled', where='quality', do='give sources with larger regions')
    held = [
        nodes
        for source in config.sources
        if source.validate
        for nodes in _source_nodes(source, 'val', config.quality, proposer, config.seed)
    ]
    network = fit(groups, weights, config.quality, config.seed)
    if held:
        nodes = _joined(held)
        score, known = network.score(nodes.numbers)[:, 0], nodes.known[:, 0]
        correlation = np.corrcoef(score[known], nodes.iou[known, 0])[0, 1]
        report(f'quality: correlation with the IoU of {known.sum()} nodes of held-out pictures {correlation:.3f}')
    return network


def fit(groups: list[Nodes], weights: list[float], config: QualityConfig, seed: int) -> QualityNet:
    """Train on groups of nodes that are drawn by weight; nodes with a higher IoU have more weight."""
    torch.manual_seed(seed)
    network = QualityNet()
    everything = torch.from_numpy(np.concatenate([g.numbers for g in groups]))
    network.mean.copy_(everything.mean(0))
    network.scale.copy_(everything.std(0) + 1e-3)
    tensors = [tuple(torch.from_numpy(a) for a in g) for g in groups]
    counts = [max(round(BATCH * w / sum(weights)), 1) for w in weights]
    optimizer = torch.optim.AdamW(network.parameters(), config.lr, weight_decay=1e-3)
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group['lr'] = config.lr * (1 - step / config.steps) + 1e-5
        picked = [torch.randint(0, len(t[0]), (n,)) for t, n in zip(tensors, counts)]
        numbers, iou, known = (torch.cat([t[i][p] for t, p in zip(tensors, picked)]) for i in range(3))
        loss = _loss(network(numbers), iou, known)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def _loss(logits: Tensor, iou: Tensor, known: Tensor) -> Tensor:
    weight = (1 + 4 * iou**2) * known
    loss = F.binary_cross_entropy_with_logits(logits, iou, reduction='none') * weight
    return loss.sum() / weight.sum().clamp_min(1)


def _source_nodes(
    source: LabelledSource, split: Split, config: QualityConfig, proposer: TreeProposer, seed: int
) -> Iterator[Nodes]:
    """Yield the nodes of a source's views; views with depth alternate between with and without depth."""
    names = split_names(source, split)
    order = np.random.default_rng(seed).permutation(len(names))[: config.views]
    for turn, index in enumerate(order):
        labelled = read_labelled(Path(source.path), names[index])
        if turn % 3 == 2:
            labelled = replace(labelled, view=replace(labelled.view, depth=None))
        yield view_nodes(proposer, labelled)


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


def _joined(nodes: list[Nodes]) -> Nodes:
    return Nodes(*(np.concatenate(columns) for columns in zip(*nodes, strict=True)))
