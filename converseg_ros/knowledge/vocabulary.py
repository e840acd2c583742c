"""The vocabulary of a namer: all classes of things, and the names of ILSVRC-2012's classes (`imagenet.csv`)."""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge.loader import DATA, knowledge, read_rows
from converseg_ros.knowledge.lookup import denoted, thing, things

IMAGENET_CLASSES = 1000


class Vocabulary:
    """N nouns, the usual names of all classes of things."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the nouns, in the order of `knowledge.things`."""
        return tuple(things())

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Return the indices of the nouns."""
        return {name: i for i, name in enumerate(self.names)}

    def find(self, phrase: str) -> int | None:
        """Return the index of the noun that a phrase (singular or plural) names, or None."""
        found = thing(phrase)
        return self.index.get(found.name) if found else None

    def denoted(self, phrase: str) -> Mapping[int, float]:
        """Return the indices of the nouns that a phrase may mean, with 1 or LOOSE; see `lookup.denoted`."""
        return {self.index[name]: share for name, share in denoted(phrase).items()}

    def members(self, phrases: Sequence[str]) -> NDArray[np.float32]:
        """Return (C, N), the weight of each noun for each phrase."""
        out = np.zeros((len(phrases), len(self.names)), np.float32)
        for row, phrase in zip(out, phrases, strict=True):
            found = self.denoted(phrase)
            row[list(found)] = list(found.values())
        return out

    @cached_property
    def imagenet(self) -> NDArray[np.intp]:
        """Return (1000,), the noun of each ImageNet class, -1 for none."""
        return np.array([self.index[noun] if noun else -1 for noun in imagenet_nouns()], np.intp)


@cache
def vocabulary() -> Vocabulary:
    """Return the cached vocabulary."""
    return Vocabulary()


@cache
def _imagenet() -> tuple[tuple[str, str], ...]:
    """Return ILSVRC-2012's name of each class and its noun; raise InputError for an unknown noun."""
    path = DATA / 'imagenet.csv'
    found: list[tuple[str, str]] = []
    for where, row in read_rows(path, ('class', 'ImageNet name', 'noun')):
        if row['class'] != str(len(found)):
            raise InputError(f'class {row["class"]} instead of {len(found)}', where=where)
        if row['noun'] and row['noun'] not in knowledge().things:
            raise InputError(f'unknown class of things {row["noun"]!r}', where=where, do='use the usual name of one')
        found.append((row['ImageNet name'], row['noun']))
    if len(found) != IMAGENET_CLASSES:
        raise InputError(f'{len(found)} classes instead of {IMAGENET_CLASSES}', where=str(path))
    return tuple(found)


def imagenet_names() -> tuple[str, ...]:
    """Return the first WordNet lemma of each ILSVRC-2012 class, in class order."""
    return tuple(name for name, _ in _imagenet())


def imagenet_nouns() -> tuple[str, ...]:
    """Return the noun of each ILSVRC-2012 class, '' for a class without a noun."""
    return tuple(noun for _, noun in _imagenet())
