"""Train the head of the namer on cached features, and calibrate it on held-out images."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
import zlib

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
import torch
from torch import Tensor

from converseg_ros.core import InputError
from converseg_ros.knowledge.vocabulary import Vocabulary
from converseg_ros.network.encoders.efficientnet import EfficientNetLite0
from converseg_ros.network.names.crops import FADED, MASKED
from converseg_ros.network.names.head import NameHead, shaped
from converseg_ros.network.names.weights import Meanings, NameWeights, Scaling, save_names
from converseg_ros.training.names.config import NamesConfig
from converseg_ros.training.names.features import VIEWS
from converseg_ros.training.names.labels import own_noun
from converseg_ros.training.names.table import Table, allowed_of, sources_of

ENOUGH = 20  # labelled objects of a noun for its own calibration
SHOWN = (VIEWS.index(FADED), VIEWS.index(MASKED))  # views that the namer averages if it is uncertain
Say = Callable[[str], None]
Encoder = Callable[[Sequence[str]], NDArray[np.float32]]


class Prepared:
    """A table and the output of the frozen trunk's classifier."""

    def __init__(self, table: Table, trunk: EfficientNetLite0, words: Vocabulary) -> None:
        """Compute the logarithms of ImageNet's probabilities of nouns for all views."""
        self.table, self.words = table, words
        self.trunk = trunk.float().cpu()
        probe = NameHead(sources_of(np.array(['person']), words))
        with torch.no_grad():
            rows = [
                probe.by_class(self.trunk.class_logits(part.flatten(0, 1).float())).half().unflatten(0, part.shape[:2])
                for part in table.pooled.split(256)
            ]
        self.by_class = torch.cat(rows)

    def answers(self, head: NameHead, chosen: NDArray[np.bool_], views: Sequence[int], *, detector: bool) -> Tensor:
        """Return (J, K + 1) log-probabilities of the selected objects; features are averaged over `views`."""
        with torch.inference_mode():
            pooled = self.table.pooled[torch.from_numpy(chosen)][:, list(views)].float().mean(1)
            evidence = self.table.evidence[torch.from_numpy(chosen)] * float(detector)
            found: Tensor = head(pooled, head.by_class(self.trunk.class_logits(pooled)), evidence)
        return found


def train_head(prepared: Prepared, chosen: NDArray[np.bool_], config: NamesConfig, say: Say) -> NameHead:
    """Train a head on the selected objects: cross-entropy of the sum over the nouns that a label may mean."""
    table = prepared.table
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    head = NameHead(sources_of(table.labels[chosen & table.named], prepared.words), config.dropout)
    may = allowed_of(head, table, prepared.words)
    picked = np.flatnonzero(chosen & table.named)
    _, of, count = np.unique(table.labels[picked], return_inverse=True, return_counts=True)
    share = count[of] ** -config.balance
    share /= share.sum()
    _standardise(head, table.pooled[picked, SHOWN[0]])
    optimiser = torch.optim.AdamW(
        [
            {'params': [head.linear.weight, head.context.weight], 'weight_decay': config.weight_decay},
            {'params': [p for p in head.parameters() if p.ndim < 2], 'weight_decay': 0.0},
        ],
        lr=config.lr,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [config.lr, 3 * config.lr], config.steps)
    for step in range(config.steps):
        rows = rng.choice(picked, config.batch, p=share)
        view = rng.integers(0, table.pooled.shape[1], config.batch)
        # an object that fills its picture is shown on grey only, because its surroundings reveal its source
        view = np.where(table.filling[rows], view // len(VIEWS) * len(VIEWS) + VIEWS.index(MASKED), view)
        keep = (torch.rand(len(rows), 1) >= config.drop_detector).float()
        evidence = table.evidence[rows] * keep
        dropped = torch.rand(len(head.crops)) < config.drop_crops
        found = head(table.pooled[rows, view].float(), prepared.by_class[rows, view].float(), evidence, dropped)
        loss = _loss(found, may[rows]) + 0.2 * _loss(head.without_crop(table.evidence[rows]), may[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % 200 == 0:
            say(f'step {step + 1} of {config.steps}: loss {float(loss.detach()):.3f}')
    return head.eval()


def _loss(found: Tensor, may: Tensor) -> Tensor:
    return -torch.logsumexp(found.masked_fill(~may, -1e4), 1).mean()


def _standardise(head: NameHead, pooled: Tensor) -> None:
    """Set the mean and the standard deviation of the input features of the head."""
    spread, mean = torch.std_mean(shaped(pooled.float()), 0)
    head.mean.copy_(mean)
    head.spread.copy_(spread + 0.1 * spread.mean())


def calibrate(prepared: Prepared, chosen: NDArray[np.bool_], config: NamesConfig, say: Say) -> Scaling:
    """Return the factors of log-odds that fit the objects best which are held out in each fold.

    Raises InputError if a fold has no objects.
    """
    table = prepared.table
    part = replace(config, steps=config.fold_steps)
    fold = np.array([zlib.crc32(group.encode()) % config.folds for group in table.groups])
    if missing := set(range(config.folds)) - set(fold[chosen & table.named].tolist()):
        raise InputError(
            f'{len(missing)} of {config.folds} folds have no objects: the images are of too few minutes',
            where='names',
            do='add a source, or record for longer',
        )
    log_odds: dict[str, list[NDArray[np.float64]]] = {}
    truths: dict[str, list[NDArray[np.bool_]]] = {}
    for number in range(config.folds):
        say(f'calibration: fold {number + 1} of {config.folds}')
        head = train_head(prepared, chosen & (fold != number), part, say)
        out = chosen & (fold == number) & table.named
        p = np.exp(prepared.answers(head, out, SHOWN, detector=False).numpy()[:, :-1].astype(np.float64))
        place = {noun: i for i, noun in enumerate(head.sources.nouns)}
        labels = (own_noun(str(label), prepared.words) for label in np.unique(table.labels[out]))
        for own in sorted({n for n in labels if n is not None}):
            noun = prepared.words.names[own]
            if noun not in place:
                continue
            denoted = prepared.words.denoted(noun)
            columns = [(place[n], share) for k, share in denoted.items() if (n := prepared.words.names[k]) in place]
            total = np.clip(sum(p[:, c] * share for c, share in columns), 1e-6, 1 - 1e-6)
            log_odds.setdefault(noun, []).append(np.log(total / (1 - total)))
            truths.setdefault(noun, []).append(table.allowed[out][:, own])
    joined = {n: (np.concatenate(log_odds[n]), np.concatenate(truths[n])) for n in log_odds}
    shared = _factor(np.concatenate([x for x, _ in joined.values()]), np.concatenate([y for _, y in joined.values()]))
    return Scaling(shared, {n: _factor(x, y) for n, (x, y) in joined.items() if y.sum() >= ENOUGH})


def _factor(log_odds: NDArray[np.float64], true: NDArray[np.bool_]) -> float:
    """Return the factor of log-odds with the least cross-entropy (temperature scaling, Guo et al., 1706.04599)."""
    sign = np.where(true, -1.0, 1.0)

    def cost(log_factor: float) -> float:
        return float(np.logaddexp(0, sign * log_odds * np.exp(log_factor)).mean())

    return float(np.exp(minimize_scalar(cost, bounds=(-1.6, 1.6), method='bounded').x))


def finish(prepared: Prepared, config: NamesConfig, encode: Encoder, path: Path, say: Say) -> NameWeights:
    """Calibrate and train on everything that is not held out, and write the weights."""
    chosen = prepared.table.splits == 'train'
    scaling = calibrate(prepared, chosen, config, say)
    head = train_head(prepared, chosen, config, say)
    weights = NameWeights(head, scaling, Meanings(prepared.words.names, encode(prepared.words.names)))
    save_names(path, weights)
    return weights
