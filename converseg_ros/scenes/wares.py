"""Procedural household and workshop things: each category is a family of shapes, a variant number picks one.

They fill what the furniture catalogue lacks (many different mugs, bowls, boxes, tools) and have exact parts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from converseg_ros.scenes.colors import PAINTS, paint
from converseg_ros.scenes.mesh import Material, Mesh
from converseg_ros.scenes.shapes import ball, bar, box, join, label_box, loop_handle, moved, plate, tube, turned

Rng = np.random.Generator


@dataclass(slots=True)
class Shape:
    """A mesh with what layout and physics need to know of it."""

    mesh: Mesh
    hollow: tuple[float, float, float] | None = None  # inner radius, floor height, rim height
    top: tuple[float, float, float] | None = None  # half width, half depth, height of a flat top to stack on
    material: str = ''
    state: str = ''
    color: str = ''  # term of the paint, '' = computed from the mesh


MAKERS: dict[str, Callable[[Rng], Shape]] = {}


def ware(category: str) -> Callable[[Callable[[Rng], Shape]], Callable[[Rng], Shape]]:
    """Register the maker of a category."""

    def register(maker: Callable[[Rng], Shape]) -> Callable[[Rng], Shape]:
        MAKERS[category] = maker
        return maker

    return register


def painted(rng: Rng, names: str = '', roughness: float = 0.35, **more: float) -> Material:
    """Return a paint of a random colour (of the named ones), tintable."""
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


def vessel(r0: float, r1: float, h: float, wall: float, m: Material, curve: float = 0.0, inner: Material | None = None) -> Mesh:
    """Return an open vessel with rim part: outer radius r0 at the foot to r1 at the rim; `curve` > 0 bulges low."""
    t = np.linspace(0, 1, 9)
    r = r0 + (r1 - r0) * t ** (1 / (1 + curve))
    rim = 0.93 * h
    outer = [(0.0, 0.0), *((float(a), float(b * h)) for a, b in zip(r, t) if b * h < rim), (float(np.interp(rim / h, t, r)), rim)]
    i = [(float(a - wall), float(max(b * h, wall))) for a, b in zip(r, t) if b * h < rim]
    inside = [(float(np.interp(rim / h, t, r)) - wall, rim), *i[::-1], (0.0, wall)]
    top = [outer[-1], (r1, h - wall * 0.3), (r1 - wall * 0.5, h), (r1 - wall, h - wall * 0.3), inside[0]]
    return join([turned(outer, m), turned(inside, inner or m), turned(top, inner or m, 'rim')])


@ware('mug')
def mug(rng: Rng) -> Shape:
    """Make a mug with handle and rim."""
    h, r = rng.uniform(0.08, 0.115), rng.uniform(0.036, 0.047)
    foot = r * rng.choice([1.0, 1.0, 0.8, 0.72])
    m = painted(rng, roughness=0.2)
    inner = m if rng.random() < 0.5 else fixed((235, 233, 228), 0.2)
    reach = rng.uniform(0.022, 0.034)
    at = (foot + r) / 2
    handle = loop_handle(h * rng.uniform(0.5, 0.68), reach, 0.0055, at - 0.003, h * 0.52, m)
    return Shape(join([vessel(foot, r, h, 0.004, m, inner=inner), handle]), (r - 0.005, 0.004, h), material='ceramic')


@ware('cup')
def cup(rng: Rng) -> Shape:
    """Make a tumbler without a handle."""
    h, r = rng.uniform(0.075, 0.13), rng.uniform(0.033, 0.044)
    m = painted(rng, 'red orange yellow green blue purple pink white', 0.35)
    return Shape(vessel(r * rng.uniform(0.68, 0.9), r, h, 0.0025, m), (r - 0.004, 0.003, h), material='plastic')


@ware('glass')
def glass(rng: Rng) -> Shape:
    """Make a drinking glass or a stemmed wine glass."""
    m = Material((0.85, 0.9, 0.9), alpha=0.25, roughness=0.08, tintable=False, name='glass')
    if rng.random() < 0.4:
        h, r = rng.uniform(0.15, 0.2), rng.uniform(0.03, 0.04)
        bowl = moved(vessel(r * 0.35, r, h * 0.5, 0.002, m, 1.5), z=h * 0.5)
        stem = turned([(0, 0), (r * 0.9, 0), (r * 0.8, 0.003), (0.004, 0.01), (0.004, h * 0.5), (0, h * 0.5)], m, 'stem')
        return Shape(join([bowl, stem]), (r - 0.003, h * 0.5, h), material='glass')
    h, r = rng.uniform(0.085, 0.15), rng.uniform(0.03, 0.04)
    return Shape(vessel(r * rng.uniform(0.75, 1), r, h, 0.0025, m), (r - 0.004, 0.006, h), material='glass')


@ware('bowl')
def bowl(rng: Rng) -> Shape:
    """Make a bowl with a rim."""
    r = rng.uniform(0.065, 0.13)
    h = r * rng.uniform(0.42, 0.75)
    m = painted(rng, roughness=0.25) if rng.random() < 0.85 else wooden(rng)
    return Shape(
        vessel(r * 0.42, r, h, 0.004, m, rng.uniform(0.8, 1.4)),
        (r * 0.78, 0.01, h),
        material='wood' if m.texture else 'ceramic',
    )


@ware('plate')
def dinner_plate(rng: Rng) -> Shape:
    """Make a round plate."""
    r, h = rng.uniform(0.085, 0.14), rng.uniform(0.015, 0.024)
    m = painted(rng, 'white white white blue green red yellow gray black pink orange', 0.2)
    flat = r * 0.62
    under = turned([(0, 0), (flat, 0), (r, h - 0.003), (r, h)], m)
    over = turned([(r * 0.9, h - 0.004), (flat, 0.005), (0, 0.005)], m)
    rim = turned([(r, h), (r * 0.9, h - 0.004)], m if rng.random() < 0.7 else painted(rng), 'rim')
    return Shape(join([under, over, rim]), None, (flat * 0.7, flat * 0.7, 0.006), 'ceramic')


@ware('bottle')
def bottle(rng: Rng) -> Shape:
    """Make a squeeze, water or soap bottle with cap and label."""
    h, r = rng.uniform(0.14, 0.27), rng.uniform(0.027, 0.042)
    m = painted(rng, 'red yellow green blue white orange pink purple black brown', 0.3)
    neck, shoulder = r * rng.uniform(0.3, 0.75), rng.uniform(0.62, 0.85)
    body = turned([(0, 0), (r * 0.95, 0), (r, 0.005), (r, h * shoulder), (r * 0.85, h * (shoulder + 0.05)), (neck, h * 0.92), (0, h * 0.92)], m)
    cap = turned([(neck * 1.1, h * 0.9), (neck * 1.1, h - 0.003), (neck * 0.9, h), (0, h)], painted(rng), 'cap')
    parts = [body, cap]
    if rng.random() < 0.7:
        lab = Material((0.95, 0.95, 0.95), f'print:{rng.integers(200)}:{2 * np.pi * r / 2:.4f}', tintable=False)
        low, high = h * 0.15, h * shoulder * 0.85
        parts.append(turned([(r + 0.0006, low), (r + 0.0006, high)], lab, 'label'))
    return Shape(join(parts), None, None, 'plastic', 'closed')


@ware('can')
def can(rng: Rng) -> Shape:
    """Make a tin can with a printed label."""
    h, r = rng.uniform(0.055, 0.125), rng.uniform(0.032, 0.052)
    lab = Material((0.95, 0.95, 0.95), f'print:{rng.integers(200)}:{max(h, np.pi * r):.4f}', roughness=0.35, tintable=False)
    m = steel(rng)
    side = turned([(r, 0.003), (r, h - 0.003)], lab)
    lid = turned([(r, h - 0.003), (r, h), (r * 0.95, h), (r * 0.94, h - 0.003), (0, h - 0.003)], m, 'lid')
    foot = turned([(0, 0), (r * 0.97, 0), (r, 0.003)], m)
    return Shape(join([side, lid, foot]), None, (r * 0.7, r * 0.7, h), 'metal', 'closed')


@ware('jar')
def jar(rng: Rng) -> Shape:
    """Make a glass or ceramic jar with a lid."""
    h, r = rng.uniform(0.08, 0.16), rng.uniform(0.035, 0.055)
    clear = rng.random() < 0.5
    m = Material((0.8, 0.85, 0.82), alpha=0.35, roughness=0.08, tintable=False) if clear else painted(rng)
    body = turned([(0, 0), (r, 0), (r, h * 0.78), (r * 0.8, h * 0.86), (0, h * 0.86)], m)
    lid = turned([(r * 0.85, h * 0.85), (r * 0.85, h - 0.002), (0, h)], painted(rng), 'lid')
    parts = [body, lid]
    if clear:
        parts.append(turned([(0, 0.003), (r * 0.93, 0.003), (r * 0.93, h * 0.65), (0, h * 0.65)], painted(rng, 'red brown orange yellow green white'), 'contents'))
    return Shape(join(parts), None, (r * 0.6, r * 0.6, h), 'glass' if clear else 'ceramic', 'closed')


def _carton(rng: Rng, x: float, y: float, z: float) -> Mesh:
    lab = Material((0.95, 0.95, 0.95), f'print:{rng.integers(200)}', roughness=0.5, tintable=False)
    return label_box(x, y, z, lab)


@ware('cereal box')
def cereal_box(rng: Rng) -> Shape:
    """Make a tall printed carton."""
    x, y, z = rng.uniform(0.13, 0.2), rng.uniform(0.04, 0.07), rng.uniform(0.19, 0.3)
    return Shape(_carton(rng, x, y, z), None, (x / 2, y / 2, z), 'paper', 'closed')


@ware('box')
def small_box(rng: Rng) -> Shape:
    """Make a small package, printed or plain cardboard."""
    x, y, z = rng.uniform(0.06, 0.2), rng.uniform(0.05, 0.15), rng.uniform(0.03, 0.12)
    if rng.random() < 0.5:
        mesh = _carton(rng, x, y, z)
    else:
        mesh = box(x, y, z, painted(rng, 'brown brown white gray red blue green', 0.7))
        tape = box(x * 1.004, y * 0.2, z * 1.004, fixed((205, 185, 140)))
        mesh = join([mesh, tape])
    return Shape(mesh, None, (x / 2, y / 2, z), 'paper', 'closed')


@ware('open box')
def open_box(rng: Rng) -> Shape:
    """Make an open bin or crate."""
    x, y, z, t = rng.uniform(0.18, 0.32), rng.uniform(0.14, 0.24), rng.uniform(0.08, 0.16), 0.006
    m = painted(rng, roughness=0.5) if rng.random() < 0.6 else fixed((168, 128, 86), 0.8)
    sides = [moved(box(t, y, z, m), s * (x - t) / 2) for s in (-1, 1)] + [moved(box(x, t, z, m), 0, s * (y - t) / 2) for s in (-1, 1)]
    return Shape(join([box(x, y, t, m), *sides]), (min(x, y) / 2 - 0.012, t, z), None, 'plastic' if m.tintable else 'paper', 'open')


@ware('food container')
def food_container(rng: Rng) -> Shape:
    """Make a food box with a lid."""
    x, y, z = rng.uniform(0.12, 0.2), rng.uniform(0.09, 0.14), rng.uniform(0.045, 0.09)
    low, lid = painted(rng, roughness=0.4), painted(rng, roughness=0.4)
    parts = [box(x * 0.94, y * 0.94, z * 0.78, low), box(x, y, z * 0.24, lid, 'lid', z * 0.76)]
    return Shape(join(parts), None, (x / 2, y / 2, z), 'plastic', 'closed')


@ware('book')
def book(rng: Rng) -> Shape:
    """Make a closed book, lying."""
    x, y, z = rng.uniform(0.11, 0.2), rng.uniform(0.16, 0.27), rng.uniform(0.012, 0.045)
    cover, pages = painted(rng, roughness=0.5), fixed((232, 226, 208), 0.9)
    parts = [
        box(x, y, 0.003, cover), box(x, y, 0.003, cover, '', z - 0.003), moved(box(0.004, y, z, cover, 'spine'), -x / 2),
        moved(box(x * 0.95, y * 0.97, z - 0.006, pages, 'pages', 0.003), 0.001),
    ]  # fmt: skip
    if rng.random() < 0.6:
        lab = Material((0.95, 0.95, 0.95), f'print:{rng.integers(200)}:{y:.3f}', tintable=False)
        parts.append(box(x * 0.86, y * 0.86, 0.0008, lab, '', z - 0.0002))
    return Shape(join(parts), None, (x / 2, y / 2, z), 'paper', 'closed')


@ware('sponge')
def sponge(rng: Rng) -> Shape:
    """Make a kitchen sponge."""
    parts = [box(0.11, 0.07, 0.022, painted(rng, 'yellow yellow blue pink green', 0.95)), box(0.11, 0.07, 0.009, painted(rng, 'green blue black', 0.95), '', 0.022)]
    return Shape(join(parts), None, None, 'fabric')


@ware('toy block')
def toy_block(rng: Rng) -> Shape:
    """Make a toy block: cube, bar, cylinder or wedge."""
    s, m = rng.uniform(0.03, 0.055), painted(rng, 'red orange yellow green blue purple', 0.4)
    kind = rng.integers(3)
    if kind == 2:
        return Shape(turned([(0, 0), (s / 2, 0), (s / 2, s), (0, s)], m), None, (s * 0.35, s * 0.35, s), 'wood')
    x = s * (2 if kind == 1 else 1)
    return Shape(box(x, s, s, m), None, (x / 2, s / 2, s), 'wood')


@ware('ball')
def toy_ball(rng: Rng) -> Shape:
    """Make a ball, plain or with a band."""
    r, m = rng.uniform(0.025, 0.07), painted(rng, 'red orange yellow green blue purple pink white')
    parts = [ball(r, m)]
    if rng.random() < 0.4:
        a = np.linspace(-0.25, 0.25, 5)
        parts.append(turned(list(zip(r * 1.004 * np.cos(a), r + r * 1.004 * np.sin(a))), painted(rng), '', 28, 80))
    return Shape(moved(join(parts), axis='x').seated(), material='plastic')


def _fruit(term: str, low: float, high: float, squash: float) -> Callable[[Rng], Shape]:
    def maker(rng: Rng) -> Shape:
        r = rng.uniform(low, high)
        names = term.split()
        m = Material(paint(str(rng.choice(names)), rng), roughness=0.35, tintable=False)
        body = ball(r, m, squash)
        stem = moved(bar(0.015, 0.0015, fixed((80, 60, 40)), 'stem'), z=2 * r * squash - 0.004, turn=-75, axis='y')
        return Shape(join([body, stem]).seated(), material='food')

    return maker


MAKERS['apple'] = _fruit('red red green yellow', 0.034, 0.042, 0.9)
MAKERS['orange'] = _fruit('orange', 0.034, 0.042, 0.97)
MAKERS['lemon'] = _fruit('yellow', 0.024, 0.03, 1.15)
MAKERS['tomato'] = _fruit('red', 0.025, 0.036, 0.82)


@ware('banana')
def banana(rng: Rng) -> Shape:
    """Make a banana."""
    a = np.linspace(-0.75, 0.75, 12)
    big = rng.uniform(0.1, 0.13)
    path = np.c_[big * np.sin(a), big * np.cos(a), np.full(12, 0.017)]
    radius = 0.017 * np.sqrt(np.clip(1.08 - (a / 0.8) ** 4, 0.04, 1))
    body = tube(path, list(radius), Material(paint('yellow', rng), roughness=0.5, tintable=False))
    stem = tube(np.array([path[-1], path[-1] + [0.012, -0.012, 0.002]]), 0.004, fixed((96, 84, 40)), 'stem')
    return Shape(join([body, stem]).seated(), material='food')


def _cutlery(rng: Rng, head: list[tuple[float, float]], part: str, length: float) -> Shape:
    m = steel(rng)
    grip = m if rng.random() < 0.5 else painted(rng, 'black brown red blue white green', 0.4)
    handle = tube(np.c_[np.linspace(-length * 0.55, 0.0, 6), np.zeros(6), np.full(6, 0.004)], [0.004, 0.0042, 0.004, 0.0036, 0.003, 0.0025], grip, 'handle')
    blade = plate(np.array(head) * [length * 0.45, 1.0], 0.0018, m, part, 0.003)
    return Shape(join([handle, blade]).seated(), material='metal')


@ware('fork')
def fork(rng: Rng) -> Shape:
    """Make a fork."""
    head = [(0, -0.003), (0.4, -0.004), (0.55, -0.011), (1, -0.01), (1, -0.007), (0.65, -0.006), (0.65, -0.002), (1, -0.002), (1, 0.002),
            (0.65, 0.002), (0.65, 0.006), (1, 0.007), (1, 0.01), (0.55, 0.011), (0.4, 0.004), (0, 0.003)]  # fmt: skip
    return _cutlery(rng, head, 'tines', rng.uniform(0.17, 0.21))


@ware('spoon')
def spoon(rng: Rng) -> Shape:
    """Make a spoon."""
    a = np.linspace(-2.7, 2.7, 20)
    head = [(0, -0.003), *((float(0.68 + 0.32 * np.cos(t)), float(0.019 * np.sin(t))) for t in a), (0, 0.003)]
    return _cutlery(rng, head, 'bowl', rng.uniform(0.14, 0.21))


@ware('knife')
def table_knife(rng: Rng) -> Shape:
    """Make a table knife."""
    head = [(0, -0.003), (0.1, -0.008), (0.9, -0.009), (1, 0.002), (0.95, 0.007), (0, 0.006)]
    return _cutlery(rng, head, 'blade', rng.uniform(0.19, 0.24))


@ware('kitchen knife')
def kitchen_knife(rng: Rng) -> Shape:
    """Make a chef's knife."""
    length, w = rng.uniform(0.13, 0.2), rng.uniform(0.028, 0.045)
    grip = painted(rng, 'black black brown red white blue green', 0.45) if rng.random() < 0.75 else wooden(rng)
    handle = moved(box(0.115, 0.022, 0.018, grip, 'handle'), -0.0575)
    blade = plate(np.array([(0, -w * 0.55), (length * 0.6, -w * 0.5), (length, w * 0.42), (0, w * 0.45)]), 0.002, steel(rng), 'blade', 0.008)
    return Shape(join([handle, blade]).seated(), material='metal')


@ware('spatula')
def spatula(rng: Rng) -> Shape:
    """Make a spatula or turner."""
    m = painted(rng, 'black red green blue orange', 0.5) if rng.random() < 0.6 else wooden(rng)
    w, n = rng.uniform(0.05, 0.08), rng.uniform(0.07, 0.1)
    head = plate(np.array([(0.2, -w / 4), (0.22, -w / 2), (0.2 + n, -w / 2), (0.2 + n, w / 2), (0.22, w / 2), (0.2, w / 4)]), 0.003, m, 'blade', 0.004)
    return Shape(join([bar(0.21, 0.006, m, 'handle'), head]).seated(), material='wood' if m.texture else 'plastic')


@ware('screwdriver')
def screwdriver(rng: Rng) -> Shape:
    """Make a screwdriver."""
    n, r = rng.uniform(0.08, 0.16), rng.uniform(0.012, 0.017)
    grip = tube(np.c_[np.linspace(-0.1, 0, 7), np.zeros(7), np.full(7, r)], [r * 0.7, r, r, r * 0.9, r, r, r * 0.6], painted(rng, 'red yellow blue green orange black'), 'handle')
    shaft = tube(np.array([[0, 0, r], [n, 0, r]]), 0.0032, steel(rng), 'shaft')
    tip = moved(box(0.012, 0.007, 0.001, steel(rng), 'tip', r), n + 0.004)
    return Shape(join([grip, shaft, tip]).seated(), material='metal')


@ware('hammer')
def hammer(rng: Rng) -> Shape:
    """Make a claw hammer."""
    n = rng.uniform(0.22, 0.3)
    grip = wooden(rng) if rng.random() < 0.5 else painted(rng, 'red black yellow blue orange')
    m = steel(rng)
    handle = tube(np.c_[np.linspace(0, n, 5), np.zeros(5), np.full(5, 0.014)], [0.014, 0.015, 0.012, 0.01, 0.009], grip, 'handle')
    head = tube(np.array([[n, -0.055, 0.014], [n, -0.03, 0.014], [n, 0.02, 0.014], [n, 0.07, 0.012]]), [0.014, 0.014, 0.012, 0.004], m, 'head')
    return Shape(join([handle, head]).seated(), material='metal')


@ware('wrench')
def wrench(rng: Rng) -> Shape:
    """Make an open-ended wrench."""
    n, w = rng.uniform(0.13, 0.22), rng.uniform(0.02, 0.03)
    o = [(0, -w / 4), (n * 0.75, -w / 4), (n * 0.85, -w / 2), (n, -w / 2), (n, -w / 5), (n * 0.88, -w / 6), (n * 0.88, w / 6), (n, w / 5),
         (n, w / 2), (n * 0.85, w / 2), (n * 0.75, w / 4), (0, w / 4)]  # fmt: skip
    ring = turned([(w * 0.3, 0), (w * 0.5, 0), (w * 0.5, 0.006), (w * 0.3, 0.006), (w * 0.3, 0)], m := steel(rng), 'ring', 20)
    return Shape(join([plate(np.array(o), 0.006, m), moved(ring, -w * 0.4)]).seated(), material='metal')


@ware('marker')
def marker(rng: Rng) -> Shape:
    """Make a felt pen with a cap."""
    m = painted(rng, 'red blue green black orange purple')
    r = rng.uniform(0.0055, 0.01)
    body = bar(0.085, r, m if rng.random() < 0.4 else fixed((235, 235, 232)))
    return Shape(join([body, bar(0.045, r * 1.08, m, 'cap', 0.085)]).seated(), material='plastic', state='closed')


@ware('pencil')
def pencil(rng: Rng) -> Shape:
    """Make a pencil."""
    m = painted(rng, 'yellow red blue green black orange')
    tip = tube(np.array([[0.16, 0, 0.004], [0.178, 0, 0.004]]), [0.0038, 0.0006], fixed((205, 170, 120)), 'tip')
    return Shape(join([bar(0.16, 0.004, m), tip, bar(0.01, 0.0041, fixed((225, 130, 130)), 'eraser', -0.01)]).seated(), material='wood')


def _pan(rng: Rng, r: float, h: float, lid: bool, grips: int) -> Shape:
    m = steel(rng) if rng.random() < 0.5 else painted(rng, 'black black red blue gray green white', 0.35)
    grip = fixed((30, 30, 32), 0.5) if rng.random() < 0.7 else m
    parts = [vessel(r * 0.92, r, h, 0.003, m, inner=fixed((60, 60, 62), 0.4) if rng.random() < 0.5 else None)]
    if grips == 1:
        n = rng.uniform(0.15, 0.2)
        parts.append(tube(np.array([[r - 0.004, 0, h * 0.8], [r + n * 0.4, 0, h * 0.95], [r + n, 0, h]]), [0.007, 0.009, 0.011], grip, 'handle'))
    else:
        for s in (0, 180):
            a = np.linspace(-1.5, 1.5, 9)
            path = np.c_[r - 0.004 + 0.03 * np.cos(a), 0.035 * np.sin(a), np.full(9, h * 0.8)]
            parts.append(moved(tube(path, 0.005, grip, 'handle', 8), turn=s))
    if lid:
        parts.append(turned([(r * 1.01, h), (r * 1.01, h + 0.004), (r * 0.6, h + 0.018), (0, h + 0.022)], m, 'lid'))
        parts.append(turned([(0.008, h + 0.02), (0.006, h + 0.03), (0.016, h + 0.036), (0, h + 0.042)], grip, 'knob', 16))
        return Shape(join(parts), None, None, 'metal', 'closed')
    return Shape(join(parts), (r - 0.006, 0.003, h), None, 'metal', 'open' if grips == 2 else '')


@ware('pot')
def pot(rng: Rng) -> Shape:
    """Make a cooking pot, with or without its lid."""
    return _pan(rng, rng.uniform(0.08, 0.13), rng.uniform(0.08, 0.15), rng.random() < 0.55, 2)


@ware('frying pan')
def frying_pan(rng: Rng) -> Shape:
    """Make a frying pan."""
    return _pan(rng, rng.uniform(0.09, 0.14), rng.uniform(0.035, 0.05), False, 1)


@ware('lid')
def pot_lid(rng: Rng) -> Shape:
    """Make a pot lid."""
    r, m = rng.uniform(0.08, 0.13), steel(rng) if rng.random() < 0.6 else painted(rng)
    dome = turned([(0, 0), (r, 0), (r, 0.004), (r * 0.6, 0.018), (0, 0.022)], m)
    knob = turned([(0.008, 0.02), (0.006, 0.03), (0.016, 0.036), (0, 0.042)], fixed((30, 30, 32)), 'knob', 16)
    return Shape(join([dome, knob]), material='metal')


@ware('cutting board')
def cutting_board(rng: Rng) -> Shape:
    """Make a cutting board."""
    x, y, z = rng.uniform(0.22, 0.4), rng.uniform(0.16, 0.28), rng.uniform(0.012, 0.03)
    m = wooden(rng) if rng.random() < 0.75 else painted(rng, 'white green blue red yellow gray', 0.5)
    return Shape(box(x, y, z, m), None, (x / 2, y / 2, z), 'wood' if m.texture else 'plastic')


@ware('tray')
def tray(rng: Rng) -> Shape:
    """Make a tray with raised edges."""
    x, y, t = rng.uniform(0.28, 0.42), rng.uniform(0.2, 0.3), 0.006
    m = wooden(rng) if rng.random() < 0.4 else painted(rng, roughness=0.4)
    edges = [moved(box(t, y, 0.03, m, 'rim'), s * x / 2) for s in (-1, 1)] + [moved(box(x, t, 0.03, m, 'rim'), 0, s * y / 2) for s in (-1, 1)]
    return Shape(join([box(x, y, t, m), *edges]), None, (x * 0.45, y * 0.45, t), 'wood' if m.texture else 'plastic')


@ware('vase')
def vase(rng: Rng) -> Shape:
    """Make a vase."""
    h, r = rng.uniform(0.15, 0.3), rng.uniform(0.03, 0.06)
    t = np.linspace(0, 1, 14)
    wave = r * (0.75 + 0.35 * np.sin(2.2 + 4.2 * t + rng.uniform(-0.5, 0.5)))
    m = painted(rng, roughness=0.2)
    outer = [(0.0, 0.0), *zip(wave.tolist(), (t * h).tolist())]
    inner = [(float(wave[-1] - 0.004), h), (float(wave[8] - 0.005), h * 0.6), (0.0, h * 0.55)]
    return Shape(join([turned(outer, m), turned([outer[-1], *inner], m, 'rim')]), None, None, 'ceramic', 'empty')


@ware('tape roll')
def tape_roll(rng: Rng) -> Shape:
    """Make a roll of tape, lying."""
    r, w = rng.uniform(0.03, 0.055), rng.uniform(0.015, 0.05)
    m = painted(rng, 'brown gray black blue red yellow white')
    side = turned([(r * 0.7, 0), (r, 0), (r, w), (r * 0.7, w)], m)
    return Shape(join([side, turned([(r * 0.7, w), (r * 0.7, 0)], fixed((190, 160, 120), 0.8))]), None, (r * 0.5, r * 0.5, w), 'plastic')


@ware('brick')
def brick(rng: Rng) -> Shape:
    """Make a brick."""
    m = Material((0.32, 0.1, 0.06), f'concrete:{rng.integers(40)}:0.4', roughness=0.95, tintable=False)
    return Shape(box(0.2, 0.095, 0.06, m), None, (0.1, 0.047, 0.06), 'stone')


@ware('phone')
def phone(rng: Rng) -> Shape:
    """Make a mobile phone, lying."""
    x, y = rng.uniform(0.065, 0.078), rng.uniform(0.135, 0.162)
    screen = fixed((12, 14, 18), 0.08)
    return Shape(join([box(x, y, 0.008, painted(rng, 'black gray white blue red pink', 0.3)), box(x * 0.93, y * 0.93, 0.0006, screen, 'screen', 0.008)]), material='plastic', state='off')


@ware('remote control')
def remote(rng: Rng) -> Shape:
    """Make a remote control."""
    m = painted(rng, 'black black gray white', 0.5)
    y = rng.uniform(0.14, 0.2)
    parts = [box(0.045, y, 0.017, m)]
    for i in range(5):
        for j in (-1, 0, 1):
            key = painted(rng, 'gray red white green blue') if rng.random() < 0.3 else fixed((130, 130, 132))
            parts.append(moved(box(0.008, 0.009, 0.002, key, 'button', 0.017), j * 0.012, y * (0.38 - 0.15 * i)))
    return Shape(join(parts), material='plastic')


@ware('towel')
def towel(rng: Rng) -> Shape:
    """Make a folded towel."""
    x, y, n = rng.uniform(0.18, 0.3), rng.uniform(0.13, 0.2), int(rng.integers(2, 5))
    m = Material(paint(str(rng.choice(list(PAINTS))), rng), f'fabric:{rng.integers(40)}:0.2', roughness=0.95)
    m.color = tuple(min(2.5 * c + 0.05, 1.0) for c in m.color)  # type: ignore[assignment]
    layers = [box(x * (1 - 0.01 * i), y * (1 - 0.015 * i), 0.014, m, '', i * 0.0145) for i in range(n)]
    return Shape(join(layers), None, (x / 2, y / 2, n * 0.0145), 'fabric', 'folded')


@ware('candle')
def candle(rng: Rng) -> Shape:
    """Make a candle, lit or not."""
    h, r = rng.uniform(0.05, 0.16), rng.uniform(0.018, 0.035)
    lit = rng.random() < 0.5
    parts = [turned([(0, 0), (r, 0), (r, h), (0, h - 0.003)], painted(rng, 'white red orange purple blue pink green', 0.6)), turned([(0.0015, h - 0.003), (0.0015, h + 0.012), (0, h + 0.012)], fixed((30, 28, 26)), 'wick', 8)]
    if lit:
        flame = fixed((255, 190, 90), emission=4.0)
        parts.append(turned([(0, h + 0.008), (0.006, h + 0.018), (0.0045, h + 0.028), (0, h + 0.042)], flame, 'flame', 12))
    return Shape(join(parts), material='wax', state='lit' if lit else 'off')


@ware('soap dispenser')
def soap_dispenser(rng: Rng) -> Shape:
    """Make a pump bottle."""
    h, r, m = rng.uniform(0.1, 0.14), rng.uniform(0.027, 0.038), painted(rng, roughness=0.25)
    top = steel(rng)
    parts = [turned([(0, 0), (r, 0), (r, h), (r * 0.35, h + 0.012), (0, h + 0.012)], m), turned([(0.009, h + 0.01), (0.009, h + 0.03), (0.004, h + 0.03), (0.004, h + 0.05), (0, h + 0.05)], top, 'pump', 16),
             moved(bar(0.045, 0.005, top, 'pump'), z=h + 0.045)]  # fmt: skip
    return Shape(join(parts), material='plastic')


@ware('toothbrush')
def toothbrush(rng: Rng) -> Shape:
    """Make a toothbrush, lying."""
    m = painted(rng, 'red blue green pink purple orange')
    head = moved(box(0.028, 0.011, 0.012, fixed((240, 240, 240)), 'bristles', 0.008), 0.17)
    return Shape(join([bar(0.185, 0.0045, m, 'handle'), head]).seated(), material='plastic')


@ware('flower pot')
def flower_pot(rng: Rng) -> Shape:
    """Make a pot with a small leafy plant."""
    r = rng.uniform(0.04, 0.075)
    h = r * rng.uniform(1.4, 1.9)
    parts = [vessel(r * 0.7, r, h, 0.004, painted(rng, 'brown brown white orange blue gray green', 0.7)), turned([(0, h * 0.82), (r * 0.9, h * 0.82)], fixed((60, 42, 30), 0.95))]
    leaf = fixed((int(rng.uniform(40, 90)), int(rng.uniform(110, 150)), 60), 0.6)
    for _ in range(int(rng.integers(7, 16))):
        n, w = rng.uniform(0.6, 1.5) * h, rng.uniform(0.1, 0.25) * h
        outline = np.array([(0, -w / 6), (n * 0.5, -w / 2), (n, 0), (n * 0.5, w / 2), (0, w / 6)])
        one = moved(plate(outline, 0.001, leaf, 'leaves'), axis='y', turn=-rng.uniform(35, 80))
        parts.append(moved(one, z=h * 0.8, turn=rng.uniform(0, 360)))
    return Shape(join(parts), material='plant')
