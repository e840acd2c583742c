"""Procedural objects of kitchen and table."""

import numpy as np

from converseg_ros.scenes.geometry.mesh import Material
from converseg_ros.scenes.geometry.shapes import bar, box, join, loop_handle, moved, plate, tube, turned
from converseg_ros.scenes.models.procedural_maker import Rng, Shape, fixed, painted, steel, vessel, ware, wooden


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
        stem = turned(
            [(0, 0), (r * 0.9, 0), (r * 0.8, 0.003), (0.004, 0.01), (0.004, h * 0.5), (0, h * 0.5)], m, 'stem'
        )
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
    body = turned(
        [
            (0, 0),
            (r * 0.95, 0),
            (r, 0.005),
            (r, h * shoulder),
            (r * 0.85, h * (shoulder + 0.05)),
            (neck, h * 0.92),
            (0, h * 0.92),
        ],
        m,
    )
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
    lab = Material(
        (0.95, 0.95, 0.95), f'print:{rng.integers(200)}:{max(h, np.pi * r):.4f}', roughness=0.35, tintable=False
    )
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
        parts.append(
            turned(
                [(0, 0.003), (r * 0.93, 0.003), (r * 0.93, h * 0.65), (0, h * 0.65)],
                painted(rng, 'red brown orange yellow green white'),
                'contents',
            )
        )
    return Shape(join(parts), None, (r * 0.6, r * 0.6, h), 'glass' if clear else 'ceramic', 'closed')


@ware('food container')
def food_container(rng: Rng) -> Shape:
    """Make a food box with a lid."""
    x, y, z = rng.uniform(0.12, 0.2), rng.uniform(0.09, 0.14), rng.uniform(0.045, 0.09)
    low, lid = painted(rng, roughness=0.4), painted(rng, roughness=0.4)
    parts = [box(x * 0.94, y * 0.94, z * 0.78, low), box(x, y, z * 0.24, lid, 'lid', z * 0.76)]
    return Shape(join(parts), None, (x / 2, y / 2, z), 'plastic', 'closed')


@ware('sponge')
def sponge(rng: Rng) -> Shape:
    """Make a kitchen sponge."""
    parts = [
        box(0.11, 0.07, 0.022, painted(rng, 'yellow yellow blue pink green', 0.95)),
        box(0.11, 0.07, 0.009, painted(rng, 'green blue black', 0.95), '', 0.022),
    ]
    return Shape(join(parts), None, None, 'fabric')


def _cutlery(rng: Rng, head: list[tuple[float, float]], part: str, length: float) -> Shape:
    m = steel(rng)
    grip = m if rng.random() < 0.5 else painted(rng, 'black brown red blue white green', 0.4)
    handle = tube(
        np.c_[np.linspace(-length * 0.55, 0.0, 6), np.zeros(6), np.full(6, 0.004)],
        [0.004, 0.0042, 0.004, 0.0036, 0.003, 0.0025],
        grip,
        'handle',
    )
    blade = plate(np.array(head) * [length * 0.45, 1.0], 0.0018, m, part, 0.003)
    return Shape(join([handle, blade]).seated(), material='metal')


@ware('fork')
def fork(rng: Rng) -> Shape:
    """Make a fork."""
    head = [
        (0, -0.003),
        (0.4, -0.004),
        (0.55, -0.011),
        (1, -0.01),
        (1, -0.007),
        (0.65, -0.006),
        (0.65, -0.002),
        (1, -0.002),
        (1, 0.002),
        (0.65, 0.002),
        (0.65, 0.006),
        (1, 0.007),
        (1, 0.01),
        (0.55, 0.011),
        (0.4, 0.004),
        (0, 0.003),
    ]
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
    blade = plate(
        np.array([(0, -w * 0.55), (length * 0.6, -w * 0.5), (length, w * 0.42), (0, w * 0.45)]),
        0.002,
        steel(rng),
        'blade',
        0.008,
    )
    return Shape(join([handle, blade]).seated(), material='metal')


@ware('spatula')
def spatula(rng: Rng) -> Shape:
    """Make a spatula or turner."""
    m = painted(rng, 'black red green blue orange', 0.5) if rng.random() < 0.6 else wooden(rng)
    w, n = rng.uniform(0.05, 0.08), rng.uniform(0.07, 0.1)
    head = plate(
        np.array([(0.2, -w / 4), (0.22, -w / 2), (0.2 + n, -w / 2), (0.2 + n, w / 2), (0.22, w / 2), (0.2, w / 4)]),
        0.003,
        m,
        'blade',
        0.004,
    )
    return Shape(join([bar(0.21, 0.006, m, 'handle'), head]).seated(), material='wood' if m.texture else 'plastic')


def _pan(rng: Rng, r: float, h: float, lid: bool, grips: int) -> Shape:
    m = steel(rng) if rng.random() < 0.5 else painted(rng, 'black black red blue gray green white', 0.35)
    grip = fixed((30, 30, 32), 0.5) if rng.random() < 0.7 else m
    parts = [vessel(r * 0.92, r, h, 0.003, m, inner=fixed((60, 60, 62), 0.4) if rng.random() < 0.5 else None)]
    if grips == 1:
        n = rng.uniform(0.15, 0.2)
        parts.append(
            tube(
                np.array([[r - 0.004, 0, h * 0.8], [r + n * 0.4, 0, h * 0.95], [r + n, 0, h]]),
                [0.007, 0.009, 0.011],
                grip,
                'handle',
            )
        )
    else:
        for s in (0, 180):
            a = np.linspace(-1.5, 1.5, 9)
            path = np.c_[r - 0.004 + 0.03 * np.cos(a), 0.035 * np.sin(a), np.full(9, h * 0.8)]
            parts.append(moved(tube(path, 0.005, grip, 'handle', 8), turn=s))
    if lid:
        parts.append(turned([(r * 1.01, h), (r * 1.01, h + 0.004), (r * 0.6, h + 0.018), (0, h + 0.022)], m, 'lid'))
        parts.append(
            turned([(0.008, h + 0.02), (0.006, h + 0.03), (0.016, h + 0.036), (0, h + 0.042)], grip, 'knob', 16)
        )
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
    edges = [moved(box(t, y, 0.03, m, 'rim'), s * x / 2) for s in (-1, 1)] + [
        moved(box(x, t, 0.03, m, 'rim'), 0, s * y / 2) for s in (-1, 1)
    ]
    return Shape(join([box(x, y, t, m), *edges]), None, (x * 0.45, y * 0.45, t), 'wood' if m.texture else 'plastic')
