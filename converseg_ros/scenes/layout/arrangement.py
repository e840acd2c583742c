"""Arrangements on surfaces: single objects, similar objects, stacks, contents, lying objects, objects at edges."""

from dataclasses import replace

import numpy as np

from converseg_ros.scenes.geometry.mesh import rotation, translation
from converseg_ros.scenes.layout.builder import Builder, Footprint, Surface, Thing
from converseg_ros.scenes.layout.rooms import RoomType

LIE = ('bottle', 'can', 'cup', 'wine bottle', 'beer bottle', 'jar', 'candle', 'yogurt bottle')
STACKS = ('plate', 'book', 'box', 'bowl', 'toy block', 'food container', 'towel', 'can', 'brick', 'cup')
FILLERS = {
    'bowl': ('apple', 'orange', 'lemon', 'tomato', 'banana', 'ball', 'toy block'),
    'open box': ('ball', 'toy block', 'sponge', 'can', 'tape roll', 'apple', 'marker'),
    'pot': ('spoon', 'tomato', 'lemon'),
    'frying pan': ('tomato', 'lemon', 'spoon', 'spatula'),
    'mug': ('spoon', 'pencil', 'marker', 'toothbrush'),
    'cup': ('toothbrush', 'pencil', 'marker', 'spoon'),
}
CARRIED = {
    'cutting board': ('bread', 'kitchen knife', 'tomato', 'lemon', 'banana', 'apple'),
    'tray': ('mug', 'cup', 'plate', 'glass', 'teapot', 'bowl', 'apple'),
    'plate': ('apple', 'hamburger', 'hot dog', 'steak', 'cupcake', 'fork', 'knife', 'lemon', 'banana', 'sponge'),
    'book': ('glasses', 'mug', 'phone', 'marker', 'keys', 'apple'),
    'box': ('box', 'can', 'tape roll', 'ball', 'mug'),
    'chess board': ('toy',),
}


def fill(b: Builder, room: RoomType, surfaces: list[Surface], count: int) -> list[Thing]:
    """Fill surfaces with about `count` objects; return those placed, including nested ones."""
    rng = b.rng
    placed: list[Thing] = []
    budget = count
    big = list(room.items)
    while budget > 0:
        surface = surfaces[0] if rng.random() < 0.7 else surfaces[int(rng.integers(len(surfaces)))]
        category = str(rng.choice(big))
        event = rng.random()
        before = len(placed)
        if event < 0.13 and any(s in room.items for s in STACKS):
            placed += stack(b, surface, str(rng.choice([s for s in STACKS if s in room.items])))
        elif event < 0.3:
            hosts = [h for h in (*FILLERS, *CARRIED) if h in room.items]
            if hosts:
                placed += hosted(b, surface, str(rng.choice(hosts)))
        elif event < 0.37 and any(c in room.items for c in LIE):
            thing = b.stand(str(rng.choice([c for c in LIE if c in room.items])), surface, lying=True)
            if thing:
                thing.node.attributes = list(dict.fromkeys([*thing.node.attributes, 'rolls']))
                placed.append(thing)
        elif event < 0.45:
            thing = b.stand(
                category, surface, overhang=float(rng.uniform(0.12, 0.45)), yaw=float(rng.choice([0, np.pi / 2, np.pi]))
            )
            if thing:
                placed.append(thing)
        elif event < 0.72:  # similar objects that differ in colour, size or position
            for _ in range(int(rng.integers(2, 4))):
                thing = b.stand(category, surface, scale=float(rng.choice([1, 1, 0.82, 1.2])))
                if thing:
                    placed.append(thing)
        else:
            thing = b.stand(category, surface)
            if thing:
                placed.append(thing)
        budget -= max(len(placed) - before, 1)
    return placed


def stack(b: Builder, surface: Surface, category: str) -> list[Thing]:
    """Stack two to five objects of a category (or different boxes), larger ones below."""
    rng = b.rng
    bottom = b.stand(category, surface)
    if bottom is None:
        return []
    same = category in ('plate', 'bowl', 'cup')
    tower = [bottom]
    bottom.node.stack = 1
    for level in range(int(rng.integers(1, 5))):
        under = tower[-1]
        if same:  # nest the same shape, possibly in another colour
            shape = replace(bottom.shape)
            step = (
                0.45 * bottom.node.size[2]
                if category == 'plate'
                else (0.28 if category == 'bowl' else 0.3) * bottom.node.size[2]
            )
            step = max(step, 0.008)
            jitter = rng.normal(0, 0.0015, 2)
            turn = float(rng.uniform(0, 360))
        else:
            drawn = b.draw(category, 't')
            if drawn is None or under.shape.top is None:
                break
            shape = drawn[1]
            low, high = shape.mesh.bounds
            size = (high - low) / 2
            if (
                min(size[:2]) > 1.15 * min(under.shape.top[:2])
                or shape.top is None
                or max(size[:2]) > 1.3 * max(under.shape.top[:2])
            ):
                continue
            step = under.shape.top[2]
            jitter = rng.normal(0, 0.05 * min(under.shape.top[:2]), 2)
            turn = float(rng.normal(0, 9))
        pose = under.pose @ translation(float(jitter[0]), float(jitter[1]), step) @ rotation('z', turn)
        if pose[2, 3] + shape.mesh.bounds[1][2] - surface.z > surface.clear:
            break
        model = under.node.model if same else drawn[0]  # type: ignore[index]
        thing = b.add(category, shape, pose, model=model, support=under.node.id)
        thing.node.stack = level + 2
        if same and category in ('bowl', 'cup'):
            thing.node.inside = under.node.id
        tower.append(thing)
    if len(tower) == 1:
        bottom.node.stack = 0
    for i, thing in enumerate(tower):
        thing.node.stack = i + 1 if len(tower) > 1 else 0
    return tower


def hosted(b: Builder, surface: Surface, category: str) -> list[Thing]:
    """Place a container or a board with objects in or on it."""
    rng = b.rng
    host = b.stand(category, surface)
    if host is None:
        return []
    result = [host]
    if host.shape.hollow and category in FILLERS:
        result += put_in(b, host, [str(rng.choice(FILLERS[category])) for _ in range(int(rng.integers(1, 5)))])
    elif host.shape.top and category in CARRIED:
        half_x, half_y, height = host.shape.top
        pose = host.pose
        yaw = float(np.arctan2(pose[1, 0], pose[0, 0]))
        top = Surface(
            host.node.id,
            float(pose[0, 3]),
            float(pose[1, 3]),
            half_x,
            half_y,
            yaw,
            float(pose[2, 3]) + height,
            surface.clear - height,
        )
        for _ in range(int(rng.integers(1, 4))):
            thing = b.stand(str(rng.choice(CARRIED[category])), top, margin=0.004)
            if thing:
                thing.node.edge_distance = 9.0
                result.append(thing)
    return result


def put_in(b: Builder, host: Thing, categories: list[str]) -> list[Thing]:
    """Drop objects into a container and let physics settle them; remove those that leave it."""
    from converseg_ros.scenes.layout import physics

    assert host.shape.hollow is not None
    rng = b.rng
    radius, floor, rim = host.shape.hollow
    inside: list[Thing] = []

    def spread(share: float) -> tuple[float, float]:
        x, y = np.clip(rng.normal(0, share * radius, 2), -0.3 * radius, 0.3 * radius)
        return float(x), float(y)

    for level, category in enumerate(categories):
        drawn = b.draw(category, 't')
        if drawn is None:
            continue
        low, high = drawn[1].mesh.bounds
        size = high - low
        slender = max(size) > 2.2 * radius
        if slender and (min(size[0], size[1]) > 0.6 * radius or max(size) > 4.5 * rim or rim < 0.05):
            continue
        if not slender and float(np.hypot(*size[:2])) > 2.1 * radius:
            continue
        if slender:  # stands leaning in the vessel
            pose = (
                translation(*spread(0.2), floor + float(size[0]) * 0.55 + 0.02)
                @ rotation('z', float(rng.uniform(0, 360)))
                @ rotation('y', float(rng.uniform(70, 82)))
            )
        else:
            spin = (
                rotation('x', float(rng.uniform(0, 360))) if category in ('ball', 'toy block', 'lemon') else np.eye(4)
            )
            pose = (
                translation(*spread(0.15), floor + 0.01 + level * float(size[2]) * 1.1)
                @ rotation('z', float(rng.uniform(0, 360)))
                @ spin
            )
        thing = b.add(category, drawn[1], host.pose @ pose, model=drawn[0])
        inside.append(thing)
    if not inside:
        return []
    settled = physics.settle(host, inside)
    kept = []
    for thing, pose in zip(inside, settled):
        offset = np.linalg.inv(host.pose) @ pose
        low, high = thing.shape.mesh.bounds
        middle = (offset @ np.r_[(low + high) / 2, 1])[:3]
        foot = thing.shape.mesh.transformed(offset).bounds[0][2]
        if np.hypot(*middle[:2]) > 1.25 * radius or foot > rim - 0.004 or foot < floor - 0.01:
            b.remove(thing.node.id)
            continue
        b.move(thing, pose)
        thing.node.inside = host.node.id
        thing.node.support = host.node.id
        thing.node.contacts = [host.node.id]
        kept.append(thing)
    return kept


def zone(surface: Surface, depth: float) -> Footprint:
    """Return the part of the floor in front of a surface that is kept free for the cameras."""
    x, y = surface.world(0, -surface.hy - depth / 2)
    return Footprint(x, y, surface.hx * 0.8, depth / 2, surface.yaw)
