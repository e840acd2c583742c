"""Building blocks of procedural objects: the registry, materials, open vessels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from converseg_ros.scenes.geometry.mesh import Material, Mesh
from converseg_ros.scenes.geometry.shapes import join, turned
from converseg_ros.scenes.models.colors import PAINTS, paint

Rng = np.random.Generator


@dataclass(slots=True)
class Shape:
    """A mesh with the properties that layout and physics need."""

    mesh: Mesh
    hollow: tuple[float, float, float] | None = None  # inner radius, floor height, rim height
    top: tuple[float, float, float] | None = None  # half width, half depth, height of a flat top to stack on
    material: str = ''
    state: str = ''
    color: str = ''  # colour term of the paint, '' = computed from the mesh


MAKERS: dict[str, Callable[[Rng], Shape]] = {}


def ware(category: str) -> Callable[[Callable[[Rng], Shape]], Callable[[Rng], Shape]]:
    """Register the function that makes a category."""

    def register(maker: Callable[[Rng], Shape]) -> Callable[[Rng], Shape]:
        MAKERS[category] = maker
        return maker

    return register


def painted(rng: Rng, names: str = '', roughness: float = 0.35, **more: float) -> Material:
    """Return a paint with a random colour (of the named ones), tintable."""
    term = str(rng.choice(names.split() if names else list(PAINTS)))
    return Material(paint(term, rng), roughness=roughness, **more)  # type: ignore[arg-type]


def fixed(rgb: tuple[int, int, int], roughness: float = 0.4, **more: float) -> Material:
    """Return an untintable material of a display colour."""
    r, g, b = ((v / 255) ** 2.2 for v in rgb)
    return Material((r, g, b), roughness=roughness, tintable=False, **more)  # type: ignore[arg-type]


def steel(rng: Rng) -> Material:
    """Return brushed metal."""
    v = int(rng.uniform(150, 205))
    return fixed((v, v, v + 3), float(rng.uniform(0.2, 0.4)), metallic=0.9)


def wooden(rng: Rng) -> Material:
    """Return wood with grain."""
    return Material((0.9, 0.9, 0.9), f'wood:{rng.integers(40)}:0.6', roughness=0.5, tintable=False)


def vessel(
    r0: float, r1: float, h: float, wall: float, m: Material, curve: float = 0.0, inner: Material | None = None
) -> Mesh:
    """Return an open vessel with a rim part: outer radius r0 at the foot to r1 at the rim; `curve` > 0 bulges low."""
    t = np.linspace(0, 1, 9)
    r = r0 + (r1 - r0) * t ** (1 / (1 + curve))
    rim = 0.93 * h
    outer = [
        (0.0, 0.0),
        *((float(a), float(b * h)) for a, b in zip(r, t) if b * h < rim),
        (float(np.interp(rim / h, t, r)), rim),
    ]
    i = [(float(a - wall), float(max(b * h, wall))) for a, b in zip(r, t) if b * h < rim]
    inside = [(float(np.interp(rim / h, t, r)) - wall, rim), *i[::-1], (0.0, wall)]
    top = [outer[-1], (r1, h - wall * 0.3), (r1 - wall * 0.5, h), (r1 - wall, h - wall * 0.3), inside[0]]
    return join([turned(outer, m), turned(inside, inner or m), turned(top, inner or m, 'rim')])
