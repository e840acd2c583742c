"""The views and prompts of each step: a pure function of seed and step, so that resuming needs no state."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class Ask(Protocol):
    """The attributes for the selection of prompts."""

    @property
    def positive(self) -> bool:
        """Return whether there is a target."""
        ...

    @property
    def family(self) -> str:
        """Return the concept family, '' if unknown."""
        ...

    @property
    def literal(self) -> bool:
        """Return whether the prompt names its target."""
        ...


class Mixture:
    """Draws from several sources in fixed proportions; the order of each source changes every epoch."""

    def __init__(self, sizes: Sequence[int], weights: Sequence[float], seed: int, block: int = 64) -> None:
        """Create a mixture; empty sources are skipped.

        sizes: records of each source. weights: their shares, at any scale.
        """
        live = [w if n else 0.0 for n, w in zip(sizes, weights, strict=True)]
        total = sum(live)
        if total <= 0:
            raise ValueError('there is nothing to draw from')
        exact = np.array(live) / total * block
        counts = np.floor(exact).astype(int)
        for index in np.argsort(counts - exact)[: block - counts.sum()]:
            counts[index] += 1
        self.sizes, self.seed, self.block, self.counts = list(sizes), seed, block, counts
        self.pattern = np.repeat(np.arange(len(sizes)), counts)
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def draw(self, number: int) -> tuple[int, int]:
        """Return source and record of draw `number` of the run."""
        block, place = divmod(number, self.block)
        pattern = np.random.default_rng([self.seed, 11, block]).permutation(self.pattern)
        source = int(pattern[place])
        earlier = int(np.count_nonzero(pattern[:place] == source))
        epoch, position = divmod(block * int(self.counts[source]) + earlier, self.sizes[source])
        key = (source, epoch)
        if key not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k[0] != source or k[1] >= epoch - 1}
            self._orders[key] = np.random.default_rng([self.seed, 13, source, epoch]).permutation(self.sizes[source])
        return source, int(self._orders[key][position])


def choose_prompts(
    asks: Sequence[Ask], count: int, *, literal: float, negatives: float, rng: np.random.Generator
) -> list[int]:
    """Return the indices of `count` prompts, fewer only if there are no more.

    A share of `negatives` has no target, a share of `literal` names it; families are balanced.
    """
    left = list(range(len(asks)))
    chosen: list[int] = []
    while left and len(chosen) < count:
        pool = _prefer(left, [not asks[i].positive for i in left], rng.random() < negatives)
        pool = _prefer(pool, [asks[i].literal for i in pool], rng.random() < literal)
        families = sorted({asks[i].family for i in pool})
        family = families[int(rng.integers(len(families)))]
        pool = [i for i in pool if asks[i].family == family]
        pick = pool[int(rng.integers(len(pool)))]
        chosen.append(pick)
        left.remove(pick)
    return chosen


def _prefer(indices: list[int], flags: list[bool], wanted: bool) -> list[int]:
    """Return the indices whose flag is `wanted`, or all of them if there are none."""
    return [i for i, f in zip(indices, flags, strict=True) if f == wanted] or indices
