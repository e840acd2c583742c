"""Random fact tables: two programs that select the same regions in all of them are considered equivalent.

A hash of a noun, tag or other word decides whether it is true of a region, so that every word in a program is true of
some regions and false of others. A tag is only true of kinds of regions that a class with this tag can have: no wall is
drinkable. Positions, sizes, supports and events are random too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
import random
from typing import Final
import zlib

import numpy as np
from numpy.typing import NDArray

from converseg_ros import knowledge
from converseg_ros.core.segments import KINDS
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.executor import Executor
from converseg_ros.facts.table import Facts
from converseg_ros.facts.truth import TrueEvent, TrueThing, true_facts
from converseg_ros.programs.nodes import Node
from converseg_ros.programs.vocabulary import ACTS

TABLES: Final = 200
ROWS, COLUMNS, CELL = 6, 8, 4  # cells of the grid of regions, and pixels along a cell
WHOLES, PARTS = 14, 4
OFTEN, SELDOM = 0.45, 0.3  # how often a word is true of a region: names and conditions
UP: Final = np.array([0.0, -0.8, -0.6])
FIXED: Final = frozenset(
    {'surface', 'ground', 'flooring', 'furniture', 'seating', 'storage', 'building part', 'street furniture', 'water'}
    | {'plumbing', 'electrical fitting', 'appliance', 'kitchen appliance', 'vehicle'}
)
"""Wider kinds of `knowledge` whose members may be seen as a surface or a structure instead of an object."""
ONLY_THINGS: Final = frozenset({'tips', 'stable', 'removable', 'rolls', 'light_weight'})
AGENTS: Final = frozenset({'agent', 'person', 'animal'})


def _draw(seed: int, word: str, index: int) -> float:
    """Return a pseudo-random number in 0 to 1 that depends on all three arguments."""
    return zlib.crc32(f'{seed}|{word}|{index}'.encode()) / 0xFFFFFFFF


@dataclass(frozen=True)
class _Drawn:
    """Properties by hash; synonyms of a class of `knowledge` are true of the same regions."""

    seed: int
    count: int
    kinds: tuple[str, ...]

    def look_up(self, by: str, value: str) -> Degree | None:
        if (
            by == 'region'
            or (by == 'state' and value in ('hidden', 'visible'))
            or (by, value) == ('physics', 'removable')
        ):
            return None
        often = OFTEN if by == 'name' else SELDOM
        word = f'{by}:{_class(value) if by == "name" else value}'
        bearers = _bearers(value) if by in ('tag', 'physics') else frozenset(KINDS)
        return self._of(word, often, lambda i: i < len(self.kinds) and self.kinds[i] in bearers)

    def knows(self, noun: str) -> bool:
        return True

    def part(self, noun: str) -> Degree | None:
        return self._of(f'part:{_class(noun)}', 0.6, lambda i: i >= len(self.kinds))

    def _of(self, word: str, often: float, applies: Callable[[int], bool]) -> Degree:
        hits = [float(applies(i) and _draw(self.seed, word, i) < often) for i in range(self.count)]
        return Degree.known(hits)


@cache
def _class(noun: str) -> str:
    found = knowledge.thing(noun)
    return found.name if found else knowledge.singular(noun.casefold())


@cache
def _bearers(tag: str) -> frozenset[str]:
    """Return the kinds of regions that can have a tag or a physical property; only objects tip, roll or are light."""
    if tag in ONLY_THINGS:
        return frozenset({'object'})
    classes = [t for t in knowledge.things().values() if tag in t.tags]
    found = {'object'} if classes else set(KINDS)
    if any(FIXED & set(t.kinds) for t in classes):
        found |= {'surface', 'structure'}
    if any(AGENTS & set(t.kinds) for t in classes):
        found.add('agent')
    return frozenset(found)


def random_table(seed: int) -> Facts:
    """Return one random table; deterministic for each seed."""
    rng = random.Random(seed)
    cells = rng.sample([(r, c) for r in range(ROWS) for c in range(COLUMNS)], WHOLES)
    kinds = ['object'] * 10 + ['surface', 'surface', 'structure', 'agent']
    assert len(kinds) == WHOLES and set(kinds) == set(KINDS)
    things = [_whole(i, kinds[i], cells[i], rng) for i in range(WHOLES)]
    owners = rng.sample(range(10), PARTS)
    things += [_part(WHOLES + k, things[owner]) for k, owner in enumerate(owners)]
    keys = [t.key for t in things[:WHOLES]]
    events = [TrueEvent(rng.choice(ACTS), rng.choice(keys), rng.choice(keys)) for _ in range(8)]
    facts = true_facts(things, events=events, up=UP, free=_free(things))
    drawn = _Drawn(seed, len(things), tuple(kinds))
    similar = lambda text, alone: np.array([_draw(seed, f'like:{text}', i) for i in range(len(things))])  # noqa: E731
    return Facts(facts.segments, facts.measures, drawn, given=facts.given, exact=True, similarity=similar)


def _whole(index: int, kind: str, cell: tuple[int, int], rng: random.Random) -> TrueThing:
    mask = np.zeros((ROWS * CELL, COLUMNS * CELL), bool)
    y, x = cell[0] * CELL, cell[1] * CELL
    mask[y : y + rng.randint(2, CELL), x : x + rng.randint(2, CELL)] = True
    below = f'k{rng.randrange(index)}' if index and rng.random() < 0.6 else ''
    others = [f'k{i}' for i in range(index)]
    size = (rng.uniform(0.02, 0.4), rng.uniform(0.02, 0.4), rng.uniform(0.02, 0.6))
    return TrueThing(
        f'k{index}',
        mask,
        kind,
        support=below,
        inside=rng.choice(others) if others and rng.random() < 0.2 else '',
        contacts=frozenset(rng.sample(others, min(len(others), rng.randint(0, 2)))),
        hidden_by=frozenset(rng.sample(others, min(len(others), rng.randint(0, 1)))),
        falls_with=frozenset(rng.sample(others, min(len(others), rng.randint(0, 1)))),
        tips=rng.random() < 0.3,
        position=np.array([rng.uniform(-1, 1), rng.uniform(-0.3, 0.5), rng.uniform(0.6, 3)]),
        size=size,
        top=rng.uniform(0.1, 1.8),
        front=np.array([rng.uniform(-1, 1), 0, rng.uniform(-1, 1)]),
    )


def _part(index: int, whole: TrueThing) -> TrueThing:
    rows, columns = np.nonzero(whole.mask)
    mask = np.zeros_like(whole.mask)
    mask[rows[:2], columns[:2]] = True
    return TrueThing(f'k{index}', mask, owner=whole.key)


def _free(things: list[TrueThing]) -> dict[str, NDArray[np.bool_]]:
    """Return a free half of each surface."""
    out = {}
    for t in things:
        if t.kind == 'surface':
            half = t.mask.copy()
            half[:, np.flatnonzero(t.mask.any(0))[-1]] = False
            out[t.key] = half
    return out


@cache
def random_tables(count: int = TABLES) -> tuple[Facts, ...]:
    """Return `count` random tables, always the same."""
    return tuple(random_table(seed) for seed in range(count))


def denotes(program: Node, facts: Facts) -> tuple[frozenset[int], bytes]:
    """Return the meaning of a program in a table: the selected regions and the mask, which distinguishes areas."""
    decision = Executor(facts).decide(program)
    return frozenset(decision.chosen), decision.mask(facts).tobytes()


def same_meaning(first: Node, second: Node, tables: tuple[Facts, ...] | None = None) -> bool:
    """Return whether two programs select the same in every table (random_tables() by default)."""
    return all(denotes(first, t) == denotes(second, t) for t in (tables if tables is not None else random_tables()))
