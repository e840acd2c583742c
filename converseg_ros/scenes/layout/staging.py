"""Shared parts of staged interactions: the registry, pairs of similar objects, and actors that grasp."""

from collections.abc import Callable

import numpy as np

from converseg_ros.scenes.geometry.mesh import rotation, translation
from converseg_ros.scenes.graph import Interaction
from converseg_ros.scenes.layout.builder import Builder, Surface, Thing
from converseg_ros.scenes.models import hands

Stage = Callable[[Builder, Surface, Surface], Interaction | None]
STAGES: dict[str, Stage] = {}
ROUND = (
    'mug',
    'cup',
    'glass',
    'bottle',
    'can',
    'jar',
    'apple',
    'orange',
    'soap dispenser',
    'candle',
    'lemon',
    'tomato',
)
HELD = (
    *ROUND,
    'box',
    'cereal box',
    'toy block',
    'sponge',
    'book',
    'ball',
    'banana',
    'remote control',
    'tape roll',
    'food container',
)


def stage(name: str) -> Callable[[Stage], Stage]:
    """Register a type of interaction."""

    def register(maker: Stage) -> Stage:
        STAGES[name] = maker
        return maker

    return register


def pick(b: Builder, names: tuple[str, ...]) -> str:
    """Draw one of the names."""
    return str(b.rng.choice(list(names)))


def pair(b: Builder, surface: Surface, category: str) -> tuple[Thing, Thing] | None:
    """Place two objects of a category with free space around them, in different models or colours."""
    first = b.stand(category, surface, margin=0.1, tries=30)
    if first is None:
        return None
    second = b.stand(category, surface, margin=0.1, tries=30)
    if second is None:
        drop(b, surface, first)
        return None
    return first, second


def drop(b: Builder, surface: Surface, *things: Thing) -> None:
    """Remove objects and their footprints."""
    for thing in things:
        x, y = thing.pose[:2, 3]
        surface.taken = [f for f in surface.taken if (f.x - x) ** 2 + (f.y - y) ** 2 > 1e-8]
        b.remove(thing.node.id)


def lift(b: Builder, thing: Thing, pose: np.ndarray, holder: int) -> None:
    """Move an object from its support to a new pose."""
    b.move(thing, pose)
    thing.node.support = 0
    thing.node.contacts = [holder] if holder else []
    thing.node.edge_distance = 9.0


def grasp(b: Builder, thing: Thing, reach: float = 0.0) -> Thing:
    """Add a hand (for upright round objects) or a gripper at an object; `reach`: distance to it in metres."""
    rng = b.rng
    low, high = thing.shape.mesh.bounds
    size = high - low
    middle = (low + high) / 2
    upright = thing.pose[2, 2] > 0.9
    if upright and thing.node.category in ROUND and size[2] > 0.055 and rng.random() < 0.6:
        top = thing.shape.mesh.vertices[np.abs(thing.shape.mesh.vertices[:, 2] - size[2] * 0.5) < 0.2 * size[2]]
        body = thing.shape.mesh.vertices[thing.shape.mesh.faces[thing.shape.mesh.part == 0]].reshape(-1, 3)
        near = body[np.abs(body[:, 2] - size[2] * 0.5) < 0.35 * size[2]] if len(body) else top
        radius = float(np.hypot(*(near if len(near) else body)[:, :2].T).max())
        # a handle is along +x: the hand comes from -x of the object, or from the side of the cameras
        turn = float(np.degrees(np.arctan2(thing.pose[1, 0], thing.pose[0, 0]))) + float(rng.normal(0, 12))
        at = thing.pose @ np.r_[0, 0, size[2] * 0.52, 1]
        pose = translation(*at[:3]) @ rotation('z', turn) @ translation(-reach, 0, 0)
        return b.add('hand', hands.hand(radius, rng), pose, kind='agent')
    across = float(np.degrees(np.arctan2(thing.pose[1, 0], thing.pose[0, 0])))
    if size[0] < size[1]:
        across += 90
    gap = float(min(size[0], size[1]))
    world = thing.mesh.bounds
    at = thing.pose @ np.r_[middle, 1]
    deep = min(0.045, 0.6 * float(world[1][2] - world[0][2]))
    pose = translation(float(at[0]), float(at[1]), float(world[1][2]) - deep + reach) @ rotation('z', across)
    return b.add('gripper', hands.gripper(gap, rng), pose, kind='agent')
