"""Batches for the training loop, from cached trunk features or from pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import hashlib
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.network.compact import TrunkOutput
from converseg_ros.network.config import NetworkConfig
from converseg_ros.training.augment import (
    mirror_text,
)
from converseg_ros.training.cache import Cache
from converseg_ros.training.config import AugmentConfig
from converseg_ros.training.records import Record
from converseg_ros.training.sampling import Ask, Mixture, choose_prompts
from converseg_ros.training.views import make_view

BLIND = 'something'  # the constant prompt of a prompt-blind network


@dataclass(slots=True)
class Batch:
    """K prompts about B views.

    trunk: cached features of B views, or None; pixels: (B, 3, H, W) uint8, or None. image_of (K,). target, valid: (K,
    h, w) float32. positive: (K,) bool. decoded: (K,) bool, False if only the alignment map is supervised. ids,
    families: of the K items.
    """

    trunk: TrunkOutput | None
    pixels: Tensor | None
    texts: list[str]
    image_of: Tensor
    target: Tensor
    valid: Tensor
    positive: Tensor
    decoded: Tensor
    ids: list[str]
    families: list[str]
    pictures: list[NDArray[np.uint8] | None] = field(default_factory=list)  # (H, W, 3) of the views, for panels

    def to(self, device: torch.device) -> 'Batch':
        """Return the batch on `device`."""
        trunk = None if self.trunk is None else _each(lambda t: t[0].to(device), self.trunk)
        return Batch(
            trunk,
            None if self.pixels is None else self.pixels.to(device),
            self.texts,
            self.image_of.to(device),
            self.target.to(device),
            self.valid.to(device),
            self.positive.to(device),
            self.decoded.to(device),
            self.ids,
            self.families,
            self.pictures,
        )


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
    """The selection of prompts; prompts = 0 selects all of a view; the first `decoded` are decoded, -1 = all."""

    prompts: int
    literal: float
    negatives: float
    blind: float = 0.0
    decoded: int = -1

    def choose(self, asks: Sequence[Ask], rng: np.random.Generator) -> list[int]:
        """Return the indices of the prompts to ask."""
        if not self.prompts:
            return list(range(len(asks)))
        return choose_prompts(asks, self.prompts, literal=self.literal, negatives=self.negatives, rng=rng)

    def decodes(self, rank: int) -> bool:
        """Return whether the prompt with this rank in its view is decoded."""
        return self.decoded < 0 or rank < self.decoded

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
    decoded: bool
    id: str
    family: str


class CachedSource:
    """Views with cached trunk features; `augment` changes them again each time they are drawn."""

    def __init__(self, cache: Cache, augment: AugmentConfig | None = None) -> None:
        self.cache, self.augment = cache, augment

    def __len__(self) -> int:
        """Return the number of views."""
        return len(self.cache)

    def make(self, picks: Sequence[tuple[int, np.random.Generator]], ask: PromptSelection) -> Batch:
        """Return the batch of some views."""
        views = [self.cache.views[i] for i, _ in picks]
        rows: list[_Row] = []
        mirrored = [self.augment is not None and r.random() < self.augment.mirror_features for _, r in picks]
        for place, ((_, rng), view) in enumerate(zip(picks, views, strict=True)):
            valid = self.cache.valid(view)
            side = slice(None, None, -1) if mirrored[place] else slice(None)
            for rank, index in enumerate(ask.choose(view.entries, rng)):
                e = view.entries[index]
                text = ask.text(mirror_text(e.text) if mirrored[place] else e.text, rng)
                target, decoded = self.cache.target(view, e)[:, side], ask.decodes(rank)
                rows.append(_Row(place, text, target, valid[:, side], e.positive, decoded, e.id, e.family))
        trunk = self.cache.trunk(views)
        if self.augment is not None:
            trunk = _disturb(trunk, mirrored, self.augment, picks[0][1])
        return _collate(rows, trunk, None, [self.cache.picture(v) for v in views])


class LiveSource:
    """Views that are created on demand; for trained encoders, or those with random augmentation."""

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
            for rank, choice in enumerate(ask.choose(view.asks, rng)):
                a = view.asks[choice]
                target = np.zeros(grid, np.float32)
                if a.target is not None:
                    target = a.target.astype(np.float32) / np.float32(255)
                text = ask.text(a.text, rng)
                rows.append(_Row(place, text, target, valid, a.positive, ask.decodes(rank), a.id, a.family))
        stacked = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
        return _collate(rows, None, stacked, list(pixels))


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
    """The concatenation of several sources of the same kind."""

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
    """Return the concatenation of several batches of the same kind."""
    if len(batches) == 1:
        return batches[0]
    trunk = pixels = None
    if batches[0].trunk is not None:
        trunk = _each(torch.cat, *(b.trunk for b in batches if b.trunk is not None))
        sizes = [b.trunk.s4.shape[0] for b in batches if b.trunk is not None]
    else:
        pixels = torch.cat([b.pixels for b in batches if b.pixels is not None])
        sizes = [b.pixels.shape[0] for b in batches if b.pixels is not None]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return Batch(
        trunk,
        pixels,
        [t for b in batches for t in b.texts],
        torch.cat([b.image_of + int(s) for b, s in zip(batches, starts, strict=True)]),
        torch.cat([b.target for b in batches]),
        torch.cat([b.valid for b in batches]),
        torch.cat([b.positive for b in batches]),
        torch.cat([b.decoded for b in batches]),
        [i for b in batches for i in b.ids],
        [f for b in batches for f in b.families],
        [p for b in batches for p in b.pictures],
    )


def _each(function: Callable[[tuple[Tensor, ...]], Tensor], *trunks: TrunkOutput) -> TrunkOutput:
    """Return the outputs of `function` for each existing field."""
    return TrunkOutput(*(None if t[0] is None else function(t) for t in zip(*trunks, strict=True)))  # type: ignore[arg-type]


def _disturb(trunk: TrunkOutput, mirrored: list[bool], augment: AugmentConfig, rng: np.random.Generator) -> TrunkOutput:
    """Mirror the features of selected views, drop channels and boxes, add noise (in units of each map's deviation)."""
    flip = torch.tensor(mirrored)[:, None, None, None]
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    maps: dict[str, Tensor] = {}
    for name, features in trunk._asdict().items():
        if features is None or features.ndim != 4:
            continue
        x = torch.where(flip, features.flip(3), features) if any(mirrored) else features
        if augment.drop_features and name != 'kinds':
            live = torch.rand(x.shape[:2], generator=generator) >= augment.drop_features
            x = x * (live[..., None, None] / (1 - augment.drop_features))
        # large maps would cost time, and kinds are shares
        if augment.noise_features and name not in ('s4', 'd8', 'kinds'):
            spread = x.std((2, 3), keepdim=True) * augment.noise_features
            x = x + torch.randn(x.shape, generator=generator) * spread
        maps[name] = x
    if trunk.boxes is not None and trunk.box_kinds is not None:
        x0, y0, x1, y1 = trunk.boxes.unbind(2)
        other = torch.stack([1 - x1, y0, 1 - x0, y1], 2)
        live = torch.rand(trunk.boxes.shape[:2], generator=generator) >= augment.drop_things
        maps['boxes'] = torch.where(flip[..., 0], other, trunk.boxes)
        maps['box_kinds'] = trunk.box_kinds * live[..., None]
    return TrunkOutput(**maps)


def _collate(
    rows: Sequence[_Row],
    trunk: TrunkOutput | None,
    pixels: Tensor | None,
    pictures: list[NDArray[np.uint8] | None] | Any,
) -> Batch:
    """Stack the rows of a batch."""
    shape = (0, 1, 1)
    return Batch(
        trunk,
        pixels,
        [r.text for r in rows],
        torch.tensor([r.place for r in rows], dtype=torch.long),
        torch.from_numpy(np.stack([r.target for r in rows])) if rows else torch.zeros(shape),
        torch.from_numpy(np.stack([r.valid for r in rows])) if rows else torch.zeros(shape),
        torch.tensor([r.positive for r in rows], dtype=torch.bool),
        torch.tensor([r.decoded for r in rows], dtype=torch.bool),
        [r.id for r in rows],
        [r.family for r in rows],
        pictures,
    )
