# ruff: noqa: E501 - tables of phrases read best one entry a line
"""Prompts about the order of objects with one name: by side, distance and size."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from converseg_ros.data_engine.grammar.language import Drafts, Talk
from converseg_ros.data_engine.grammar.programs import called, first
from converseg_ros.data_engine.world.world import Entity, World

ORDERS: dict[str, tuple[str, Literal['max', 'min'], int]] = {
    'leftmost': ('x', 'min', 1),
    'second from the left': ('x', 'min', 2),
    'rightmost': ('x', 'max', 1),
    'closest to the camera': ('depth', 'min', 1),
    'farthest from you': ('depth', 'max', 1),
    'smallest': ('size', 'min', 1),
    'biggest': ('size', 'max', 1),
    'shortest': ('height', 'min', 1),
    'second shortest': ('height', 'min', 2),
    'tallest': ('height', 'max', 1),
    'that looks the smallest': ('size', 'min', 1),
    'that looks the biggest': ('size', 'max', 1),
}
"""Words of an order -> key, direction and place of its program."""


def orders(talk: Talk, name: str, named: list[Entity]) -> Drafts:
    """Yield the first, second and last of several objects in every clear order."""
    world = talk.world
    for label, measure, gap_needed, seen in _measures(world, named):
        ranked = sorted(named, key=measure)
        ends = [(0, label[0], label[1]), (len(ranked) - 1, label[2], label[1])]
        if len(ranked) >= 3 and label[3]:
            ends.append((1, label[3], label[1]))
        for index, adjective, sub_concept in ends:
            chosen = ranked[index]
            others = [measure(r) for i, r in enumerate(ranked) if i != index]
            if min(abs(measure(chosen) - o) for o in others) < gap_needed:
                continue
            if sub_concept == 'side_order' and any(_beside(chosen, o) for o in named if o is not chosen):
                continue
            if seen and chosen.area < 2 * world.faint_area:
                continue
            if seen and sorted(named, key=seen).index(chosen) != index:
                continue  # the order in the image differs from the order in metres
            if ' ' in adjective and adjective != 'second shortest':
                phrase, be = talk.phrase(name, [chosen], post=adjective)
                if adjective.startswith('second'):
                    phrase, be = f'second {name} from the left', 'is'
            else:
                phrase, be = talk.phrase(name, [chosen], pre=adjective)
            text, phase = talk.say(phrase, be, [chosen])
            key, order, place = ORDERS[adjective]
            yield from talk.ask(text, first(key, order, called(name), place), sub_concept, phase)


Size = Callable[[Entity], float]
Measure = tuple[tuple[str, str, str, str], Size, float, Size | None]


def _measures(world: World, named: list[Entity]) -> list[Measure]:
    """Return (first word, sub-concept, last word, second word), the measure, its minimum gap, and a consistency check."""
    out: list[Measure] = [
        (('leftmost', 'side_order', 'rightmost', 'second from the left'), lambda e: e.cx, 0.04 * world.width, None),
    ]
    if all(e.position is not None for e in named):
        out.append(
            (
                ('closest to the camera', 'camera_distance', 'farthest from you', ''),
                lambda e: float(np.linalg.norm(e.position)) if e.position is not None else 0.0,
                0.15,
                None,
            )
        )
    if all(e.size is not None for e in named):
        out.append(
            (
                ('smallest', 'size_order', 'biggest', ''),
                lambda e: float(np.log(np.prod(np.maximum(e.size or 1, 1e-3)))),
                0.4,
                lambda e: e.area,
            )
        )
        out.append(
            (('shortest', 'size_order', 'tallest', 'second shortest'), lambda e: float(np.log((e.size or (1, 1, 1))[2] + 1e-3)), 0.2, lambda e: e.box.y1 - e.box.y0)
        )  # fmt: skip
    elif not any(world.cut_off(e) for e in named):
        out.append(
            (
                ('that looks the smallest', 'size_order', 'that looks the biggest', ''),
                lambda e: float(np.log(e.area)),
                0.5,
                None,
            )
        )
    return out


def _beside(a: Entity, b: Entity) -> bool:
    """Return whether two objects share so many columns that neither is clearly farther left."""
    both = min(a.box.x1, b.box.x1) - max(a.box.x0, b.box.x0)
    return both > 0.5 * min(a.box.x1 - a.box.x0, b.box.x1 - b.box.x0)
