"""The nouns that a namer can tell apart: all classes of things, and what ILSVRC-2012 calls them (`imagenet.csv`)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge.inflector import singular
from converseg_ros.knowledge.loader import DATA, _rows, knowledge
from converseg_ros.knowledge.lookup import kind, thing, things

IMAGENET_CLASSES = 1000
LOOSE = 0.5  # how far a class counts for a name that only some people would give it, as in `lookup.denoted`


class Vocabulary:
    """N nouns, the usual names of all classes of things."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The nouns, in the order of `knowledge.things`."""
        return tuple(things())

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Places of the nouns."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def _called(self) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        """Nouns by each of their names and kinds in lower case, and by their loose names."""
        sure: dict[str, list[int]] = defaultdict(list)
        loose: dict[str, list[int]] = defaultdict(list)
        for i, t in enumerate(things().values()):
            for name in {n.lower() for n in t.names} | {f'kind {k}' for k in t.kinds}:
                sure[name].append(i)
            for name in {n.lower() for n in t.loose_names}:
                loose[name].append(i)
        return sure, loose

    def find(self, phrase: str) -> int | None:
        """Return the noun that a phrase in the singular or plural names by itself, or None."""
        found = thing(phrase)
        return self.index.get(found.name) if found else None

    def denoted(self, phrase: str) -> Mapping[int, float]:
        """Return the nouns that a phrase may mean with 1 or LOOSE: what `lookup.denoted` returns, from an index."""
        own, wide, form = thing(phrase), kind(phrase), singular(phrase).lower()
        forms = {form, phrase.lower()} | ({own.name.lower()} if own else set())
        sure, loose = self._called
        found = {i: LOOSE for f in forms for i in loose.get(f, ())}
        for f in (*forms, f'kind {wide}'):
            found |= dict.fromkeys(sure.get(f, ()), 1.0)
        return found

    def members(self, phrases: Sequence[str]) -> NDArray[np.float32]:
        """Return (C, N): how far each noun counts for each phrase."""
        out = np.zeros((len(phrases), len(self.names)), np.float32)
        for row, phrase in zip(out, phrases, strict=True):
            found = self.denoted(phrase)
            row[list(found)] = list(found.values())
        return out

    @cached_property
    def imagenet(self) -> NDArray[np.intp]:
        """(1000,): the noun of each ImageNet class, -1 for none."""
        return np.array([self.index[noun] if noun else -1 for noun in imagenet_nouns()], np.intp)


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, indexed once."""
    return Vocabulary()


@cache
def imagenet_nouns() -> tuple[str, ...]:
    """Return the noun of each ILSVRC-2012 class, '' for a class that no noun fits; raise InputError for an unknown."""
    path = DATA / 'imagenet.csv'
    found: list[str] = []
    for where, row in _rows(path, ('class', 'ImageNet name', 'noun')):
        if row['class'] != str(len(found)):
            raise InputError(f'class {row["class"]} instead of {len(found)}', where=where)
        if row['noun'] and row['noun'] not in knowledge().things:
            raise InputError(f'unknown class of things {row["noun"]!r}', where=where, do='use the usual name of one')
        found.append(row['noun'])
    if len(found) != IMAGENET_CLASSES:
        raise InputError(f'{len(found)} classes instead of {IMAGENET_CLASSES}', where=str(path))
    return tuple(found)
