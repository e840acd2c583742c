"""All labelled objects of a run with their cached features and splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
import zlib

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.core.splits import instance_split, session_of, split_of
from converseg_ros.datasets.regions import own_splits
from converseg_ros.knowledge.vocabulary import Vocabulary
from converseg_ros.network.encoders.nanodet import KIND_NAMES
from converseg_ros.network.names.head import NameHead, NounSources
from converseg_ros.training.names.config import NamesConfig, NameSource
from converseg_ros.training.names.features import Features, path_of, read_features
from converseg_ros.training.names.instances import crop_sets
from converseg_ros.training.names.labels import allowed, own_noun

UNUSED = 'unused'  # split of objects that are neither trained on nor evaluated


@dataclass(frozen=True)
class Table:
    """I objects with V views each.

    pooled (I, V, 1280) float16; the first three views are those of round 0. evidence (I, 160). allowed (I, N + 1) over
    the vocabulary. labels, images, sources, areas (pixels), splits: of each object; the source of a crop is its set.
    filling: whether the object fills its picture, so that a crop with surroundings repeats the border of the picture.
    """

    pooled: Tensor
    evidence: Tensor
    allowed: NDArray[np.bool_]
    labels: NDArray[np.str_]
    images: NDArray[np.str_]
    sources: NDArray[np.str_]
    areas: NDArray[np.int64]
    splits: NDArray[np.str_]
    filling: NDArray[np.bool_]

    @property
    def named(self) -> NDArray[np.bool_]:
        """Return (I,): objects whose label is a noun or none, without those that have only a material."""
        return np.asarray(self.allowed.any(1))

    def folds(self, count: int) -> NDArray[np.intp]:
        """Return the fold (I,) of each object; no session is in two folds."""
        return np.array([zlib.crc32(session_of(image).encode()) % count for image in self.images])


def read_table(config: NamesConfig, words: Vocabulary) -> Table:
    """Return the table of all rounds; a round that a source does not have is skipped for all of its objects."""
    parts = [_read(source, config, words) for source in config.sources]
    views = min(part.pooled.shape[1] for part in parts)
    return Table(
        torch.cat([p.pooled[:, :views] for p in parts]),
        torch.cat([p.evidence for p in parts]),
        *(
            np.concatenate([getattr(p, name) for p in parts])
            for name in ('allowed', 'labels', 'images', 'sources', 'areas', 'splits', 'filling')
        ),
    )


def _read(source: NameSource, config: NamesConfig, words: Vocabulary) -> Table:
    folder, cache = Path(source.path), Path(config.cache)
    first = read_features(path_of(cache, folder, 0))
    rounds: list[Features] = [first]
    for number in range(1, config.rounds + 1):
        rounds.append(read_features(path_of(cache, folder, number)))
    sets = crop_sets(folder)
    return Table(
        torch.from_numpy(np.concatenate([r.pooled for r in rounds], 1)),
        torch.from_numpy(first.evidence).float(),
        allowed(first.labels, folder.name, words),
        np.array(first.labels),
        np.array(first.images),
        np.array([sets.get(image, folder.name) for image in first.images]),
        np.array(first.areas),
        _splits(source, sets, first.images),
        np.array([image in sets for image in first.images]),
    )


def _splits(source: NameSource, sets: dict[str, str], images: Sequence[str]) -> NDArray[np.str_]:
    """Return the split of each object; UNUSED for those beyond the share of the source."""
    split = _split(source, sets)
    drawn = np.random.default_rng(0).random(len(images)) < source.share
    return np.array([split(image) if taken else UNUSED for image, taken in zip(images, drawn, strict=True)])


def _split(source: NameSource, sets: dict[str, str]) -> Callable[[str], str]:
    if source.split == 'name':
        return split_of
    if source.split == 'session':
        return instance_split
    if source.split == 'own':
        return own_splits(Path(source.path))
    held = set(source.held_sets) if source.split == 'set' else set()
    return lambda image: 'test' if sets.get(image, '') in held else 'train'


def sources_of(labels: NDArray[np.str_], words: Vocabulary) -> NounSources:
    """Return the sources of evidence for nouns if objects with these labels are trained on."""
    crops = np.unique([n for label in np.unique(labels) if (n := own_noun(str(label), words)) is not None])
    detected = [names[0] for names in KIND_NAMES]  # names of the detector's classes
    kinds = allowed(detected, 'coco', words)[:, :-1]
    imagenet = words.imagenet
    known = np.unique(np.concatenate([crops, imagenet[imagenet >= 0], np.flatnonzero(kinds.any(0))])).astype(np.intp)
    return NounSources(
        tuple(words.names[i] for i in known),
        np.searchsorted(known, crops.astype(np.intp)),
        np.where(imagenet >= 0, np.searchsorted(known, imagenet), -1),
        kinds[:, known],
    )


def allowed_of(head: NameHead, table: Table, words: Vocabulary) -> Tensor:
    """Return (I, K + 1): the head's nouns that each object may be; the last column is none of them.

    An object whose nouns have no evidence is none of those that the head knows.
    """
    place = np.array([words.index[noun] for noun in head.sources.nouns])
    known = table.allowed[:, place]
    none = table.allowed[:, -1] | (table.named & ~known.any(1))
    return torch.from_numpy(np.concatenate([known, none[:, None]], 1))
