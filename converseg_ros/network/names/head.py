"""The trained head of the namer: from pooled crop features and detector evidence to probabilities of nouns.

The logit of a noun is a sum over its sources of evidence: for nouns with labelled crops, linear layers on the square
roots of the trunk's features and on all detector evidence; the logarithm of ImageNet's probability of its classes; the
boxes and the map of its detector class. An additional last logit is that of "none of these nouns". The output of the
head are probabilities, not feature vectors.
"""

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.network.encoders.efficientnet import HEAD
from converseg_ros.network.encoders.nanodet import CLASSES as COCO_CLASSES

MIN_DETECTION = 0.002  # minimum probability of the detector
FLOOR = 1e-5  # minimum of ImageNet's probability, to limit its logarithm


@dataclass(frozen=True)
class NounSources:
    """The sources of evidence for each of K nouns.

    nouns: their names. crops: (T,) indices of those with labelled crops. classes: (1000,) index of the noun of each
    ImageNet class, -1 for none. kinds: (80, K) bool, the nouns that a detector class may be.
    """

    nouns: tuple[str, ...]
    crops: NDArray[np.intp]
    classes: NDArray[np.intp]
    kinds: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Validate that every noun has a source and that shapes agree."""
        count = len(self.nouns)
        if self.kinds.shape != (COCO_CLASSES, count) or self.classes.max(initial=-1) >= count:
            raise InputError(f'kinds are {self.kinds.shape}, {count} nouns', where='sources of nouns')
        spoken = np.array(self.kinds.any(0), bool)
        spoken[self.crops] = True
        spoken[self.classes[self.classes >= 0]] = True
        if not spoken.all():
            raise InputError(f'nothing speaks for {self.nouns[int(spoken.argmin())]!r}', where='sources of nouns')


class NameHead(nn.Module):
    """Probabilities of K nouns and of none of them.

    `pooled` is the input of the trunk's classifier for a crop, `by_class` the output of the method of that name for its
    class logits, `evidence` the output of `detector.match`.
    """

    crops: Tensor
    classed: Tensor
    class_place: Tensor
    kinds: Tensor
    both: Tensor
    mean: Tensor
    spread: Tensor

    def __init__(self, sources: NounSources, dropout: float = 0.0) -> None:
        """Create an untrained head; dropout: share of the features that training drops."""
        super().__init__()
        self.sources = sources
        classed = np.unique(sources.classes[sources.classes >= 0])
        place = np.where(sources.classes >= 0, np.searchsorted(classed, sources.classes), len(classed))
        fixed = {
            'crops': torch.from_numpy(sources.crops),
            'classed': torch.from_numpy(classed),
            'class_place': torch.from_numpy(place),
            'kinds': torch.from_numpy(sources.kinds).float(),
            'both': torch.from_numpy(np.isin(sources.crops, classed)),
        }
        for name, value in fixed.items():
            self.register_buffer(name, value, persistent=False)
        self.register_buffer('mean', torch.zeros(HEAD))
        self.register_buffer('spread', torch.ones(HEAD))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(HEAD, len(sources.crops) + 1)
        self.context = nn.Linear(2 * COCO_CLASSES, len(sources.crops), bias=False)
        nn.init.zeros_(self.context.weight)
        self.imagenet_scale = nn.Parameter(torch.tensor(0.5))
        self.imagenet_bias = nn.Parameter(torch.tensor(0.0))
        self.box_weight = nn.Parameter(torch.full((COCO_CLASSES,), 0.4))
        self.map_weight = nn.Parameter(torch.full((COCO_CLASSES,), 0.4))
        self.unseen = nn.Parameter(torch.zeros(len(sources.nouns) + 1))
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def by_class(self, class_logits: Tensor) -> Tensor:
        """Return (B, I): the logarithm of the probability that ImageNet's classes give to each of their nouns."""
        share = F.softmax(class_logits.float(), 1)
        total = share.new_zeros(len(share), len(self.classed) + 1).index_add(1, self.class_place, share)
        return (total[:, :-1] + FLOOR).log()

    def with_none(self, by_class: Tensor) -> Tensor:
        """Return ImageNet's log-probabilities (B, I) as those of all nouns and of none of them (B, K + 1)."""
        out = by_class.new_full((len(by_class), len(self.sources.nouns) + 1), math.log(FLOOR))
        out[:, self.classed] = by_class
        out[:, -1] = torch.log((1 - by_class.exp().sum(1)).clamp_min(FLOOR))
        return out

    def forward(self, pooled: Tensor, by_class: Tensor, evidence: Tensor, dropped: Tensor | None = None) -> Tensor:
        """Return the (B, K + 1) log-probabilities of the nouns and of none of them.

        pooled (B, 1280), by_class (B, I), evidence (B, 160). dropped: (T,) bool, nouns whose linear part is dropped, as
        if they had no labelled crops (training only; if ImageNet has the noun).
        """
        learnt = self.linear(self.dropout((shaped(pooled) - self.mean) / self.spread))
        evidence = weighed(evidence)
        speaks = learnt[:, :-1] + self.context(evidence) - self.imagenet_bias * self.both
        if dropped is not None:
            speaks = speaks.masked_fill(dropped & self.both, 0)
        logits = pooled.new_zeros(len(pooled), len(self.sources.nouns))
        logits = logits.index_add(1, self.classed, self.imagenet_scale * by_class + self.imagenet_bias)
        logits = logits.index_add(1, self.crops, speaks)
        return self._finish(logits, learnt[:, -1:], evidence)

    def without_crop(self, evidence: Tensor) -> Tensor:
        """Return the (B, K + 1) log-probabilities without a crop: frequencies and the detector alone."""
        prior = self.unseen.expand(len(evidence), -1)
        return self._finish(prior[:, :-1], prior[:, -1:], weighed(evidence))

    def _finish(self, logits: Tensor, none: Tensor, evidence: Tensor) -> Tensor:
        box, where = evidence.split(COCO_CLASSES, 1)
        logits = logits + (box * self.box_weight + where * self.map_weight) @ self.kinds
        return F.log_softmax(torch.cat([logits, none], 1), 1)


def shaped(pooled: Tensor) -> Tensor:
    """Return the square roots of non-negative features (B, 1280), so that a few large ones do not dominate."""
    return (pooled.clamp_min(0) + 1e-4).sqrt()


def weighed(evidence: Tensor) -> Tensor:
    """Return log(1 + p / MIN_DETECTION) of probabilities (B, K) of the detector, as log likelihood ratios."""
    return torch.log1p(evidence / MIN_DETECTION)
