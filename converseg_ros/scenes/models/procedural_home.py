"""Procedural objects of home and desk."""

from collections.abc import Callable

import numpy as np

from converseg_ros.scenes.geometry.mesh import Material, Mesh
from converseg_ros.scenes.geometry.shapes import ball, bar, box, join, label_box, moved, plate, tube, turned
from converseg_ros.scenes.models.colors import PAINTS, paint
from converseg_ros.scenes.models.procedural_maker import MAKERS, Rng, Shape, fixed, painted, steel, vessel, ware


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
    sides = [moved(box(t, y, z, m), s * (x - t) / 2) for s in (-1, 1)] + [
        moved(box(x, t, z, m), 0, s * (y - t) / 2) for s in (-1, 1)
    ]
    return Shape(
        join([box(x, y, t, m), *sides]),
        (min(x, y) / 2 - 0.012, t, z),
        None,
        'plastic' if m.tintable else 'paper',
        'open',
    )


@ware('book')
def book(rng: Rng) -> Shape:
    """Make a closed book, lying."""
    x, y, z = rng.uniform(0.11, 0.2), rng.uniform(0.16, 0.27), rng.uniform(0.012, 0.045)
    cover, pages = painted(rng, roughness=0.5), fixed((232, 226, 208), 0.9)
    parts = [
        box(x, y, 0.003, cover),
        box(x, y, 0.003, cover, '', z - 0.003),
        moved(box(0.004, y, z, cover, 'spine'), -x / 2),
        moved(box(x * 0.95, y * 0.97, z - 0.006, pages, 'pages', 0.003), 0.001),
    ]
    if rng.random() < 0.6:
        lab = Material((0.95, 0.95, 0.95), f'print:{rng.integers(200)}:{y:.3f}', tintable=False)
        parts.append(box(x * 0.86, y * 0.86, 0.0008, lab, '', z - 0.0002))
    return Shape(join(parts), None, (x / 2, y / 2, z), 'paper', 'closed')


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
    return Shape(
        join([bar(0.16, 0.004, m), tip, bar(0.01, 0.0041, fixed((225, 130, 130)), 'eraser', -0.01)]).seated(),
        material='wood',
    )


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


@ware('phone')
def phone(rng: Rng) -> Shape:
    """Make a mobile phone, lying."""
    x, y = rng.uniform(0.065, 0.078), rng.uniform(0.135, 0.162)
    screen = fixed((12, 14, 18), 0.08)
    return Shape(
        join(
            [
                box(x, y, 0.008, painted(rng, 'black gray white blue red pink', 0.3)),
                box(x * 0.93, y * 0.93, 0.0006, screen, 'screen', 0.008),
            ]
        ),
        material='plastic',
        state='off',
    )


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
    parts = [
        turned([(0, 0), (r, 0), (r, h), (0, h - 0.003)], painted(rng, 'white red orange purple blue pink green', 0.6)),
        turned([(0.0015, h - 0.003), (0.0015, h + 0.012), (0, h + 0.012)], fixed((30, 28, 26)), 'wick', 8),
    ]
    if lit:
        flame = fixed((255, 190, 90), emission=4.0)
        parts.append(
            turned([(0, h + 0.008), (0.006, h + 0.018), (0.0045, h + 0.028), (0, h + 0.042)], flame, 'flame', 12)
        )
    return Shape(join(parts), material='wax', state='lit' if lit else 'off')


@ware('soap dispenser')
def soap_dispenser(rng: Rng) -> Shape:
    """Make a pump bottle."""
    h, r, m = rng.uniform(0.1, 0.14), rng.uniform(0.027, 0.038), painted(rng, roughness=0.25)
    top = steel(rng)
    parts = [
        turned([(0, 0), (r, 0), (r, h), (r * 0.35, h + 0.012), (0, h + 0.012)], m),
        turned(
            [(0.009, h + 0.01), (0.009, h + 0.03), (0.004, h + 0.03), (0.004, h + 0.05), (0, h + 0.05)], top, 'pump', 16
        ),
        moved(bar(0.045, 0.005, top, 'pump'), z=h + 0.045),
    ]
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
    parts = [
        vessel(r * 0.7, r, h, 0.004, painted(rng, 'brown brown white orange blue gray green', 0.7)),
        turned([(0, h * 0.82), (r * 0.9, h * 0.82)], fixed((60, 42, 30), 0.95)),
    ]
    leaf = fixed((int(rng.uniform(40, 90)), int(rng.uniform(110, 150)), 60), 0.6)
    for _ in range(int(rng.integers(7, 16))):
        n, w = rng.uniform(0.6, 1.5) * h, rng.uniform(0.1, 0.25) * h
        outline = np.array([(0, -w / 6), (n * 0.5, -w / 2), (n, 0), (n * 0.5, w / 2), (0, w / 6)])
        one = moved(plate(outline, 0.001, leaf, 'leaves'), axis='y', turn=-rng.uniform(35, 80))
        parts.append(moved(one, z=h * 0.8, turn=rng.uniform(0, 360)))
    return Shape(join(parts), material='plant')
