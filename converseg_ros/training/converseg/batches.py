"""Batches for the training loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
import hashlib
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.network.config import NetworkConfig
from converseg_ros.training.converseg.config import AugmentConfig
from converseg_ros.training.converseg.records import Record
from converseg_ros.training.converseg.sampling import Ask, Mixture, choose_prompts
from converseg_ros.training.converseg.views import make_view

BLIND = 'something'  # the constant prompt of a prompt-blind network


@dataclass(slots=True)
class Batch:
    """K prompts about B views.

    pixels: (B, 3, H, W) uint8. image_of: (K,) the view of each prompt. target, valid: (K, h, w) float32. positive: (K,)
    bool. ids, families: of the K items.
    """

    pixels: Tensor
    texts: list[str]
    image_of: Tensor
    target: Tensor
    valid: Tensor
    positive: Tensor
    ids: list[str]
    families: list[str]

    def to(self, device: torch.device) -> 'Batch':
        """Return the batch on `device`."""
        tensors = {n: getattr(self, n).to(device) for n in ('pixels', 'image_of', 'target', 'valid', 'positive')}
        return replace(self, **tensors)


class Source(Protocol):
    """A source of batches."""

    def __len__(self) -> int:
        """Return the number of views."""
        ...

    def make(self, picks: Sequence[tuple[int, np.random.Generator]], ask: 'PromptSelection') -> Batch:
        """Return the batch of some views, each with its own generator."""
        ...


@dataclass(frozen=True, slots=True)
class PromptSelection:
    """The selection of prompts; prompts = 0 selects all of a view."""

    prompts: int
    literal: float
    negatives: float
    blind: float = 0.0

    def choose(self, asks: Sequence[Ask], rng: np.random.Generator) -> list[int]:
        """Return the indices of the prompts to ask."""
        if not self.prompts:
            return list(range(len(asks)))
        return choose_prompts(asks, self.prompts, literal=self.literal, negatives=self.negatives, rng=rng)

    def text(self, text: str, rng: np.random.Generator) -> str:
        """Return the text, or the constant prompt of a blind network."""
        return BLIND if self.blind and rng.random() < self.blind else text


class _Row(NamedTuple):
    """One prompt of a batch: `place` is its view's; target and valid are (rows, columns) float32."""

    place: int
    text: str
    target: NDArray[np.float32]
    valid: NDArray[np.float32]
    positive: bool
    id: str
    family: str


class ViewSource:
    """Views of the images of a data set, created on demand."""

    def __init__(self, records: Sequence[Record], network: NetworkConfig, augment: AugmentConfig | None) -> None:
        """Create a source; with `augment` None, it has the plain views of inference."""
        self.records, self.network, self.augment = list(records), network, augment

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.records)

    def make(self, picks: Sequence[tuple[int, np.random.Generator]], ask: PromptSelection) -> Batch:
        """Return the batch of some views."""
        size = self.network.image.image_size
        grid = (size[0] // 4, size[1] // 4)
        rows: list[_Row] = []
        pixels: list[NDArray[np.uint8]] = []
        for place, (index, rng) in enumerate(picks):
            view = make_view(self.records[index], size, self.augment, rng)
            pixels.append(view.pixels)
            valid = view.valid.astype(np.float32)
            for choice in ask.choose(view.asks, rng):
                a = view.asks[choice]
                target = np.zeros(grid, np.float32)
                if a.target is not None:
                    target = a.target.astype(np.float32) / np.float32(255)
                text = ask.text(a.text, rng)
                rows.append(_Row(place, text, target, valid, a.positive, a.id, a.family))
        stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
        return _collate(rows, stacked)


class Schedule:
    """The data of each step of each process, as a function of the step alone."""

    def __init__(self, sources: Sequence[Source], weights: Sequence[float], seed: int) -> None:
        self.sources, self.seed = list(sources), seed
        self.mixture = Mixture([len(s) for s in sources], weights, seed)

    def batch(self, number: int, images: int, ask: PromptSelection) -> Batch:
        """Return batch `number` of the run: `images` views, grouped by source."""
        picks: dict[int, list[tuple[int, np.random.Generator]]] = {}
        for k in range(number * images, (number + 1) * images):
            source, record = self.mixture.draw(k)
            picks.setdefault(source, []).append((record, np.random.default_rng([self.seed, 17, k])))
        return join([self.sources[s].make(p, ask) for s, p in sorted(picks.items())])


def evaluation_rng(text: str) -> np.random.Generator:
    """Return a generator that depends on `text` alone."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], 'big'))


class JoinedSource:
    """The concatenation of several sources."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = list(sources)
        self._starts = np.cumsum([0, *(len(s) for s in self.sources)])

    def __len__(self) -> int:
        """Return the number of views."""
        return int(self._starts[-1])

    def make(self, picks: Sequence[tuple[int, np.random.Generator]], ask: PromptSelection) -> Batch:
        """Return the batch of some views, grouped by source in the order of the sources."""
        parts: dict[int, list[tuple[int, np.random.Generator]]] = {}
        for index, rng in picks:
            if not 0 <= index < len(self):
                raise IndexError(index)
            source = int(np.searchsorted(self._starts, index, 'right')) - 1
            parts.setdefault(source, []).append((index - int(self._starts[source]), rng))
        return join([self.sources[s].make(p, ask) for s, p in sorted(parts.items())])


def join(batches: Sequence[Batch]) -> Batch:
    """Return the concatenation of several batches."""
    starts = np.concatenate([[0], np.cumsum([len(b.pixels) for b in batches])[:-1]])
    return Batch(
        torch.cat([b.pixels for b in batches]),
        [t for b in batches for t in b.texts],
        torch.cat([b.image_of + int(s) for b, s in zip(batches, starts, strict=True)]),
        torch.cat([b.target for b in batches]),
        torch.cat([b.valid for b in batches]),
        torch.cat([b.positive for b in batches]),
        [i for b in batches for i in b.ids],
        [f for b in batches for f in b.families],
    )


def _collate(rows: Sequence[_Row], pixels: Tensor) -> Batch:
    """Stack the rows of a batch."""
    shape = (0, 1, 1)
    return Batch(
        pixels,
        [r.text for r in rows],
        torch.tensor([r.place for r in rows], dtype=torch.long),
        torch.from_numpy(np.stack([r.target for r in rows])) if rows else torch.zeros(shape),
        torch.from_numpy(np.stack([r.valid for r in rows])) if rows else torch.zeros(shape),
        torch.tensor([r.positive for r in rows], dtype=torch.bool),
        [r.id for r in rows],
        [r.family for r in rows],
    )
