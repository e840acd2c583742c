"""Procedural actors and props of interactions: hand, robot gripper, trolley, plug, power strip, stool."""

import numpy as np

from converseg_ros.scenes.geometry.mesh import Mesh, rotation, translation
from converseg_ros.scenes.geometry.shapes import ball, bar, box, join, moved, tube, turned
from converseg_ros.scenes.models.procedural import Shape, fixed, painted, steel

SKINS = ((241, 194, 160), (224, 172, 136), (198, 134, 96), (141, 85, 54), (92, 58, 40))
GLOVES = ((60, 110, 190), (40, 40, 44), (220, 200, 60))


def hand(radius: float, rng: np.random.Generator) -> Shape:
    """Return a hand closed around the z axis at the given radius; its forearm points to -x and upwards."""
    tone = SKINS[rng.integers(len(SKINS))] if rng.random() < 0.85 else GLOVES[rng.integers(len(GLOVES))]
    skin, sleeve = fixed(tone, 0.55), painted(rng, roughness=0.9)
    parts: list[Mesh] = []
    r = radius + 0.009
    for k, z in enumerate((-0.03, -0.011, 0.008, 0.027)):
        end = (55, 30, 25, 40)[k]
        a = np.radians(np.linspace(175, end, 9))
        path = np.c_[r * np.cos(a), r * np.sin(a), np.full(9, z)]
        parts.append(
            tube(path, [0.0095, 0.0095, 0.009, 0.009, 0.0088, 0.0085, 0.008, 0.0075, 0.006], skin, 'finger', 9)
        )
    a = np.radians(np.linspace(190, 285, 7))
    parts.append(
        tube(
            np.c_[r * np.cos(a), r * np.sin(a), np.linspace(0.03, 0.045, 7)],
            [0.013, 0.012, 0.011, 0.0105, 0.01, 0.009, 0.007],
            skin,
            'thumb',
            9,
        )
    )
    palm = ball(0.05, skin, 0.85).transformed(translation(-r - 0.008, 0, -0.045) @ np.diag([0.42, 0.8, 1.05, 1]))
    n = np.linspace(0, 1, 6)[:, None]
    wrist, elbow = (
        np.array([-r - 0.015, 0, 0.0]),
        np.array([-r - 0.38, float(rng.normal(0, 0.05)), float(rng.uniform(0.08, 0.3))]),
    )
    arm = wrist + n * (elbow - wrist)
    parts += [
        palm,
        tube(arm[:3], [0.027, 0.026, 0.029], skin, '', 14),
        tube(arm[2:], [0.036, 0.039, 0.042, 0.044], sleeve, 'sleeve', 14),
    ]
    return Shape(join(parts))


def gripper(gap: float, rng: np.random.Generator) -> Shape:
    """Return a parallel-jaw gripper that points down: finger tips at z = 0, `gap` apart along y; arm upwards."""
    metal = steel(rng)
    body = painted(rng, 'white gray black orange blue yellow', 0.35)
    pads = fixed((36, 36, 38), 0.8)
    parts = [moved(box(0.022, 0.012, 0.075, metal, 'finger'), 0, s * (gap / 2 + 0.008)) for s in (-1, 1)]
    parts += [moved(box(0.02, 0.003, 0.035, pads, 'finger'), 0, s * (gap / 2 + 0.0008)) for s in (-1, 1)]
    wide = max(gap + 0.06, 0.12)
    parts += [box(0.045, wide, 0.03, metal, '', 0.072), box(0.06, 0.1, 0.07, body, '', 0.1)]
    lean = float(rng.uniform(-0.25, 0.25))
    joint = np.array([[0, 0, 0.16], [0, 0, 0.24], [lean * 0.3, 0.05, 0.38], [lean, 0.15, 0.75]])
    parts.append(tube(joint, [0.035, 0.04, 0.045, 0.05], body, '', 18))
    return Shape(join(parts), material='metal', state='closed')


def trolley(rng: np.random.Generator) -> Shape:
    """Return a two-deck trolley with wheels."""
    x, y, h = rng.uniform(0.55, 0.75), rng.uniform(0.38, 0.48), rng.uniform(0.45, 0.7)
    deck, metal = painted(rng, roughness=0.4), steel(rng)
    parts = [box(x, y, 0.02, deck, 'deck', h - 0.02), box(x, y, 0.02, deck, 'deck', 0.14)]
    for i in (-1, 1):
        for j in (-1, 1):
            parts.append(
                moved(
                    box(0.022, 0.022, h + (0.25 if i < 0 else 0) - 0.06, metal),
                    i * (x / 2 - 0.02),
                    j * (y / 2 - 0.02),
                    0.06,
                )
            )
            wheel = turned([(0, -0.012), (0.04, -0.012), (0.04, 0.012), (0, 0.012)], fixed((30, 30, 32)), 'wheel', 18)
            parts.append(
                wheel.transformed(translation(i * (x / 2 - 0.02), j * (y / 2 - 0.02), 0.04) @ rotation('x', 90))
            )
    push = moved(bar(y - 0.02, 0.012, metal, 'handle'), turn=90)
    parts.append(moved(push, -x / 2 + 0.02, -(y - 0.02) / 2, h + 0.24))
    return Shape(join(parts), None, (x / 2 - 0.04, y / 2 - 0.03, h), 'metal')


def plug(rng: np.random.Generator) -> Shape:
    """Return a plug along +x with two pins in front and a cord behind; the tips of the pins are the foremost points."""
    body, metal = painted(rng, 'black white gray', 0.5), steel(rng)
    parts = [
        tube(np.array([[-0.045, 0, 0.018], [-0.03, 0, 0.018], [0, 0, 0.018]]), [0.008, 0.015, 0.018], body, '', 14)
    ]
    parts += [moved(bar(0.02, 0.0024, metal, 'pin'), 0, s * 0.0095, 0.0156) for s in (-1, 1)]
    t = np.linspace(0, 1, 14)
    bend = float(rng.normal(0, 0.12))
    cord = np.c_[-0.04 - 0.3 * t, bend * t**2 + 0.02 * np.sin(9 * t), 0.018 - 0.014 * np.minimum(4 * t, 1)]
    parts.append(tube(cord, 0.0038, body, 'cord', 8))
    return Shape(join(parts), material='plastic')


def power_strip(rng: np.random.Generator) -> Shape:
    """Return a power strip along y with sockets towards -x at height 0.018; three sockets 0.07 apart."""
    body, dark = painted(rng, 'white white black gray', 0.45), fixed((24, 24, 26))
    parts = [box(0.05, 0.24, 0.045, body)]
    for i in (-1, 0, 1):
        face = turned([(0, 0), (0.02, 0), (0.02, 0.001), (0, 0.001)], dark, 'socket', 18)
        parts.append(face.transformed(translation(-0.025, i * 0.07, 0.0225) @ rotation('y', -90)))
    return Shape(join(parts), material='plastic')


def stool(height: float, rng: np.random.Generator) -> Shape:
    """Return a stool with a flat seat at `height`."""
    r = 0.19
    seat = painted(rng, roughness=0.6)
    leg = painted(rng, 'black brown gray white', 0.5)
    parts = [
        turned(
            [(0, height - 0.04), (r, height - 0.04), (r + 0.008, height - 0.02), (r, height), (0, height)], seat, 'seat'
        )
    ]
    parts += [
        moved(box(0.03, 0.03, height - 0.04, leg, 'leg'), 0.7 * r * i, 0.7 * r * j) for i in (-1, 1) for j in (-1, 1)
    ]
    return Shape(join(parts), material='wood')
