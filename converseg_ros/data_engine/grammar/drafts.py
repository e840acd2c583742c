"""All prompts that a world supports, and a balanced selection of them."""

from collections import defaultdict
import random

from converseg_ros.core.families import Family
from converseg_ros.data_engine.grammar.affordances import affordances
from converseg_ros.data_engine.grammar.entities import entities
from converseg_ros.data_engine.grammar.language import Draft, Talk
from converseg_ros.data_engine.grammar.linter import lint
from converseg_ros.data_engine.grammar.physics import physics
from converseg_ros.data_engine.grammar.relations import relations
from converseg_ros.data_engine.grammar.spatial import spatial
from converseg_ros.data_engine.world.truth import Truth
from converseg_ros.data_engine.world.world import World

SPEAKERS = (entities, spatial, relations, affordances, physics)
VERSION = 8  # of the grammar; part of an item's provenance and key


def enumerate_drafts(world: World, *, bare: bool = False, seed: str = '') -> list[Draft]:
    """Return every valid prompt of a world, in a fixed order; a text never has two answers."""
    truth = Truth(world)
    by_text: dict[str, Draft] = {}
    ambiguous: set[str] = set()
    for speak in SPEAKERS:
        for draft in speak(Talk(truth, f'{seed}:{speak.__name__}', bare=bare)):
            if lint(draft.text, bare=bare):
                continue
            known = by_text.setdefault(draft.text, draft)
            if known.keys != draft.keys:
                ambiguous.add(draft.text)
    return [d for t, d in by_text.items() if t not in ambiguous]


def choose(drafts: list[Draft], rng: random.Random, count: int, negatives: float) -> list[Draft]:
    """Return up to `count` drafts: alternating families, rare sub-concepts first, a share of negatives.

    At most two prompts of a family have the same answer, so that one object does not dominate an image.
    """
    pools: dict[bool, dict[Family, list[Draft]]] = {True: defaultdict(list), False: defaultdict(list)}
    for draft in drafts:
        pools[bool(draft.keys)][draft.family].append(draft)
    wanted = {False: round(count * negatives)}
    wanted[True] = count - wanted[False]
    chosen: list[Draft] = []
    for positive in (False, True):
        by_family = {f: _spread(p, rng) for f, p in sorted(pools[positive].items())}
        used: dict[tuple[Family, tuple[str, ...]], int] = defaultdict(int)
        taken = 0
        order = list(by_family)
        rng.shuffle(order)
        if positive and Family.RELATIONS in order:
            order.append(Family.RELATIONS)  # rare: ask twice as often about interactions
        while taken < wanted[positive] and any(by_family.values()):
            for family in order:
                if by_family[family] and taken < wanted[positive]:
                    draft = by_family[family].pop()
                    if draft.keys and used[family, draft.keys] >= 2:
                        continue
                    used[family, draft.keys] += 1
                    chosen.append(draft)
                    taken += 1
        if not positive:  # limit negatives to their share of the final number
            positives = min(wanted[True], sum(len(p) for p in pools[True].values()))
            limit = max(1, round(positives * negatives / (1 - negatives))) if positives else min(taken, 1)
            chosen = chosen[:limit]
    return chosen


def _spread(drafts: list[Draft], rng: random.Random) -> list[Draft]:
    """Return the drafts in an order that alternates between sub-concepts."""
    groups: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        groups[draft.sub_concept].append(draft)
    for group in groups.values():
        rng.shuffle(group)
    names = sorted(groups)
    rng.shuffle(names)
    out: list[Draft] = []
    while any(groups.values()):
        out += [groups[n].pop() for n in names if groups[n]]
    return out[::-1]
