"""Procedural objects of the workshop."""

import numpy as np

from converseg_ros.scenes.geometry.mesh import Material
from converseg_ros.scenes.geometry.shapes import box, join, moved, plate, tube, turned
from converseg_ros.scenes.models.procedural_maker import Rng, Shape, fixed, painted, steel, ware, wooden


@ware('screwdriver')
def screwdriver(rng: Rng) -> Shape:
    """Make a screwdriver."""
    n, r = rng.uniform(0.08, 0.16), rng.uniform(0.012, 0.017)
    grip = tube(
        np.c_[np.linspace(-0.1, 0, 7), np.zeros(7), np.full(7, r)],
        [r * 0.7, r, r, r * 0.9, r, r, r * 0.6],
        painted(rng, 'red yellow blue green orange black'),
        'handle',
    )
    shaft = tube(np.array([[0, 0, r], [n, 0, r]]), 0.0032, steel(rng), 'shaft')
    tip = moved(box(0.012, 0.007, 0.001, steel(rng), 'tip', r), n + 0.004)
    return Shape(join([grip, shaft, tip]).seated(), material='metal')


@ware('hammer')
def hammer(rng: Rng) -> Shape:
    """Make a claw hammer."""
    n = rng.uniform(0.22, 0.3)
    grip = wooden(rng) if rng.random() < 0.5 else painted(rng, 'red black yellow blue orange')
    m = steel(rng)
    handle = tube(
        np.c_[np.linspace(0, n, 5), np.zeros(5), np.full(5, 0.014)], [0.014, 0.015, 0.012, 0.01, 0.009], grip, 'handle'
    )
    head = tube(
        np.array([[n, -0.055, 0.014], [n, -0.03, 0.014], [n, 0.02, 0.014], [n, 0.07, 0.012]]),
        [0.014, 0.014, 0.012, 0.004],
        m,
        'head',
    )
    return Shape(join([handle, head]).seated(), material='metal')


@ware('wrench')
def wrench(rng: Rng) -> Shape:
    """Make an open-ended wrench."""
    n, w = rng.uniform(0.13, 0.22), rng.uniform(0.02, 0.03)
    o = [
        (0, -w / 4),
        (n * 0.75, -w / 4),
        (n * 0.85, -w / 2),
        (n, -w / 2),
        (n, -w / 5),
        (n * 0.88, -w / 6),
        (n * 0.88, w / 6),
        (n, w / 5),
        (n, w / 2),
        (n * 0.85, w / 2),
        (n * 0.75, w / 4),
        (0, w / 4),
    ]
    ring = turned(
        [(w * 0.3, 0), (w * 0.5, 0), (w * 0.5, 0.006), (w * 0.3, 0.006), (w * 0.3, 0)], m := steel(rng), 'ring', 20
    )
    return Shape(join([plate(np.array(o), 0.006, m), moved(ring, -w * 0.4)]).seated(), material='metal')


@ware('tape roll')
def tape_roll(rng: Rng) -> Shape:
    """Make a roll of tape, lying."""
    r, w = rng.uniform(0.03, 0.055), rng.uniform(0.015, 0.05)
    m = painted(rng, 'brown gray black blue red yellow white')
    side = turned([(r * 0.7, 0), (r, 0), (r, w), (r * 0.7, w)], m)
    return Shape(
        join([side, turned([(r * 0.7, w), (r * 0.7, 0)], fixed((190, 160, 120), 0.8))]),
        None,
        (r * 0.5, r * 0.5, w),
        'plastic',
    )


@ware('brick')
def brick(rng: Rng) -> Shape:
    """Make a brick."""
    m = Material((0.32, 0.1, 0.06), f'concrete:{rng.integers(40)}:0.4', roughness=0.95, tintable=False)
    return Shape(box(0.2, 0.095, 0.06, m), None, (0.1, 0.047, 0.06), 'stone')
