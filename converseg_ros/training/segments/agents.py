"""The task of the agent network: masks of labelled people and animals, on stored maps of the boundary network."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.files import atomic_path
from converseg_ros.core.segments import KINDS
from converseg_ros.network.encoders.nanodet import box_ious
from converseg_ros.network.file_names import SEGMENTS
from converseg_ros.network.precision import autocast, low_precision
from converseg_ros.network.segments.agents import (
    MIN_SCORE,
    AgentNet,
    agents_of,
    places_of_cells,
    regions_of_interest,
    with_margin,
)
from converseg_ros.network.segments.backbone import Backbone, to_pixels
from converseg_ros.network.segments.boundary import BoundaryMaps
from converseg_ros.network.segments.geometry import network_input
from converseg_ros.network.segments.proposer import detected
from converseg_ros.network.segments.weights import SegmentNets, save_segments
from converseg_ros.training.checkpoints import weights_hash
from converseg_ros.training.config import OptimConfig
from converseg_ros.training.segments.boundaries import Boundaries, split_names
from converseg_ros.training.segments.config import LabelledSource, SegmentsConfig
from converseg_ros.training.segments.samples import COLUMNS, ROWS, Stored, load, mixture, store, varied
from converseg_ros.training.task import Scores, Task

LEAST = 200  # pixels of a labelled agent
FIT = 0.5  # IoU from which a box of the detector is that of an agent
DETECTED = 0.6  # share of the agents whose box is the detector's, if it found them
JITTER = 0.07  # standard deviation of a side of other boxes, as a share of the size
NOTHING = 0.3  # IoU with every agent below which a box of the detector is that of no agent
MAX_AGENTS, MAX_NOTHING = 10, 3  # agents of a view in a batch, and boxes of nothing
UNLABELLED = 0.5  # weight of cells without a label, which may belong to the agent
DICE, IOU = 0.5, 0.3  # weights of the losses
AGENT = KINDS.index('agent')


class Batch(NamedTuple):
    """B boxes.

    regions: the input of the network. score: (B,) the detector's, 0 for another box. masks: (B, SIDE, SIDE) in 0..1.
    weights: of their cells, 0 in a box of nothing. known: (B,), 1 where the IoU of the prediction is known, else 0.
    """

    regions: Tensor
    score: Tensor
    masks: Tensor
    weights: Tensor
    known: Tensor


class View(NamedTuple):
    """The stored maps of one version of a view, and its labels.

    neck: the finest level of the detector's. boxes: (D, 5) of agents, as shares of the image, and scores. labels:
    (H/2, W/2). agents: (N, 5), label and box in shares.
    """

    maps: BoundaryMaps
    neck: Tensor
    boxes: NDArray[np.float32]
    labels: NDArray[np.uint16]
    agents: NDArray[np.float32]


class AgentTask(Task[Batch]):
    """Trains the agent network for a boundary network; the views are drawn by the weights of their sources.

    `training` is empty if no source shows a person or an animal that is large enough; there is nothing to train then.
    """

    def __init__(
        self, config: SegmentsConfig, backbone: Backbone, trees: SegmentNets, report: Callable[[str], None]
    ) -> None:
        """Store the maps of the views of all sources, unless they are in the cache."""
        settings = config.agents
        out = str(Path(config.out) / 'agents')
        self.config = replace(config, out=out, steps=settings.steps, origin='', choose='last', patience=0)
        self.optim = OptimConfig(settings.lr, 1e-5, weight_decay=0.02, warmup=0.1, ema=0.995)
        self.trees, self.identity = trees, weights_hash(trees.boundary)
        self.seeing = Boundaries(backbone, trees.boundary).eval()
        self.cache = Path(config.cache) / f'agents-{self.identity[:12]}'
        self.training: list[tuple[list[Path], float]] = []
        self.held_out: list[Path] = []
        for source in config.sources:
            files = self._stored(source, 'train', settings.draws)
            report(f'{source.path}: maps of {len(files)} views')
            if files:
                self.training.append((files, source.weight))
            if source.validate:
                self.held_out += self._stored(source, 'val', 1)

    def build(self) -> AgentNet:
        """Return a new network."""
        return AgentNet()

    def batch(self, step: int, number: int) -> Batch:
        """Return boxes of agents, and of nothing, of random views."""
        rng = np.random.default_rng((self.config.seed, number))
        parts: list[Batch] = []
        while sum(len(part.score) for part in parts) < self.config.agents.batch:
            view = read_view(mixture(self.training, rng))
            chosen = rng.permutation(len(view.agents))[:MAX_AGENTS]
            boxes = [_drawn(view.agents[i, 1:], view.boxes, rng) for i in chosen]
            nothing = [box for box in view.boxes if _of_nothing(box, view.agents)]
            labels = np.append(view.agents[chosen, 0], np.zeros(len(nothing[:MAX_NOTHING])))
            parts.append(boxes_of_view(view, labels, np.array(boxes + nothing[:MAX_NOTHING], np.float32)))
        return Batch(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the cross-entropy and the Dice loss of the masks, and the cross-entropy of the predicted IoU."""
        logits, quality = network(batch.regions, batch.score)
        p, real = logits.sigmoid(), batch.weights.amax((1, 2)) > 0
        entropy = F.binary_cross_entropy_with_logits(logits[real], batch.masks[real], batch.weights[real])
        both = p[real].sum((1, 2)) + batch.masks[real].sum((1, 2))
        dice = (1 - ((2 * p * batch.masks)[real].sum((1, 2)) + 1) / (both + 1)).mean()
        target = overlap(p.detach(), batch.masks)
        iou = F.binary_cross_entropy_with_logits(quality, target, batch.known, reduction='sum')
        iou = iou / batch.known.sum().clamp_min(1)
        return {'total': entropy + DICE * dice + IOU * iou, 'mask': entropy, 'dice': dice, 'iou': iou}

    def validate(self, network: nn.Module, step: int) -> Scores | None:
        """Return the mean IoU of the masks in the detector's boxes of held-out people and animals."""
        assert isinstance(network, AgentNet)
        ious = []
        for path in self.held_out:
            view = read_view(path)
            for label, *box in view.agents:
                fits = _fits(np.array(box), view.boxes)
                if fits.max(initial=0) >= FIT:
                    best = torch.from_numpy(view.boxes[fits.argmax()][None])
                    found = agents_of(network, view.maps, view.neck, best).masks[0] > 0.5
                    own = view.labels == label
                    ious.append(np.count_nonzero(found & own) / np.count_nonzero(found | own))
        return Scores(float(np.mean(ious)), {'iou': float(np.mean(ious))}) if ious else None

    def export(self, network: nn.Module, step: int, folder: Path | None) -> Path:
        """Write segments.safetensors with all three networks."""
        assert isinstance(network, AgentNet)
        path = (folder or Path(self.config.out)) / SEGMENTS
        save_segments(path, self.trees._replace(agents=network))
        return path

    def _stored(self, source: LabelledSource, split: Any, draws: int) -> list[Path]:
        """Return the files of the versions of some views of a source; write those that do not exist."""
        names = split_names(source, split)
        order = np.random.default_rng(self.config.seed).permutation(len(names))[: self.config.agents.views]
        files = []
        for index in sorted(order.tolist()):
            stored = store(Path(source.path), names[index], Path(self.config.cache))
            for turn in range(draws):
                path = self.cache / f'{stored.stem}-{split}-{turn}.npz'
                if not path.is_file():
                    self._write(path, load(stored), np.random.default_rng((self.config.seed, index, turn)), split)
                files.append(path)
        return [path for path in files if path.stat().st_size]

    @torch.no_grad()
    def _write(self, path: Path, stored: Stored, rng: np.random.Generator, split: Any) -> None:
        """Write the maps of a version of a view; an empty file if it has no agent."""
        if split == 'train':
            stored = varied(stored, rng, drop_depth=self.config.drop_depth)
        agents = _agents(stored)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary, temporary.open('wb') as file:
            if not len(agents):
                return
            geometry = torch.from_numpy(network_input(stored.geometry, ROWS // 2, COLUMNS // 2))[None]
            with autocast(torch.device('cpu'), low_precision()):
                seen = self.seeing.backbone(to_pixels(stored.rgb[None]))
                maps = self.seeing.boundary(seen.features, geometry.contiguous(memory_format=torch.channels_last))
            boxes, of_agents = detected(seen.detections)
            values = {name: value.half().numpy() for name, value in maps._asdict().items()}
            np.savez(
                file,
                **values,
                neck=seen.features.neck[0].half().numpy(),
                boxes=boxes[of_agents].numpy(),
                labels=stored.whole[::2, ::2].astype(np.uint16),
                agents=agents,
            )


def read_view(path: Path) -> View:
    """Read a stored view."""
    with np.load(path) as data:
        maps = BoundaryMaps(*(torch.from_numpy(data[name].astype(np.float32)) for name in BoundaryMaps._fields))
        neck = torch.from_numpy(data['neck'].astype(np.float32))
        boxes = data['boxes']
        return View(maps, neck, boxes[boxes[:, 4] > MIN_SCORE], data['labels'], data['agents'])


def boxes_of_view(view: View, labels: NDArray[np.float32], boxes: NDArray[np.float32]) -> Batch:
    """Return the regions of interest of boxes (N, 5) with the mask of the agent of each; label 0 for no agent."""
    places, score = torch.from_numpy(boxes[:, :4]), torch.from_numpy(boxes[:, 4])
    cells = torch.from_numpy(view.labels.astype(np.int32))
    own = torch.stack([(cells == int(label)).float() if label else torch.zeros(cells.shape) for label in labels])
    grid = 2 * places_of_cells(with_margin(places)) - 1
    masks = F.grid_sample(own[:, None], grid, align_corners=False)[:, 0]
    labelled = F.grid_sample((cells > 0).float().expand(len(own), 1, -1, -1), grid, align_corners=False)[:, 0]
    weights = torch.where((masks > 0) | (labelled > UNLABELLED), 1.0, UNLABELLED)
    real = torch.from_numpy(labels > 0)
    known = (score > 0) & (real | (labelled.mean((1, 2)) > UNLABELLED))
    regions = regions_of_interest(view.maps, view.neck, places)
    return Batch(regions, score, masks, weights * real[:, None, None], known.float())


def overlap(p: Tensor, masks: Tensor) -> Tensor:
    """Return the IoU (N,) of masks (N, h, w) that are probabilities with true ones."""
    a, b = p > 0.5, masks > 0.5
    return (a & b).sum((1, 2)).float() / (a | b).sum((1, 2)).clamp_min(1)


def _agents(stored: Stored) -> NDArray[np.float32]:
    """Return (N, 5) label and box, as shares of the image, of the agents of a view."""
    found: list[list[float]] = []
    rows, columns = stored.whole.shape
    for label in np.unique(stored.whole[stored.kind == AGENT]):
        mask = stored.whole == label
        if not label or np.count_nonzero(mask) < LEAST:
            continue
        y, x = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        found.append([label, x[0] / columns, y[0] / rows, (x[-1] + 1) / columns, (y[-1] + 1) / rows])
    return np.array(found, np.float32).reshape(-1, 5)


def _fits(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the IoUs (D,) of a box (4,) with boxes (D, 4 or more)."""
    return box_ious(torch.from_numpy(box)[None], torch.from_numpy(boxes[:, :4]))[0].numpy()


def _of_nothing(box: NDArray[np.float32], agents: NDArray[np.float32]) -> bool:
    """Return whether a box of the detector is that of none of the agents (N, 5), nor of one that is too small."""
    large = (box[2:4] - box[:2]).prod() * ROWS * COLUMNS > 2 * LEAST
    return bool(large and _fits(box[:4], agents[:, 1:]).max() < NOTHING)


def _drawn(box: NDArray[np.float32], boxes: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a box and its score (5,) for an agent: the detector's, or its own with random errors and score 0."""
    fits = _fits(box, boxes)
    if fits.max(initial=0) >= FIT and rng.random() < DETECTED:
        return np.asarray(boxes[fits.argmax()], np.float32)
    size: Sequence[float] = [*(box[2:] - box[:2])] * 2
    return np.append(box + rng.normal(0, JITTER, 4) * size, 0).astype(np.float32)
