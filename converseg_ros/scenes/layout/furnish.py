"""Room shells and furniture: floor, walls, counters, tables, benches and shelves."""

from dataclasses import replace

import numpy as np

from converseg_ros.scenes.geometry.mesh import Material, Mesh, join, rotation, translation
from converseg_ros.scenes.geometry.shapes import bar, box, moved, turned
from converseg_ros.scenes.layout.builder import Builder, Footprint, Surface
from converseg_ros.scenes.layout.rooms import RoomType
from converseg_ros.scenes.models.procedural import Shape, fixed, painted, steel

VARIANTS = 70  # of each texture kind; by variant modulo 7: 5 = test, 6 = val, the others train


def surface_material(b: Builder, kinds: tuple[str, ...], roughness: float = 0.6) -> Material:
    """Draw a procedural texture that belongs to the split of the scene."""
    rng = b.rng
    kind = str(rng.choice(list(kinds)))
    rest = {'train': [0, 1, 2, 3, 4], 'test': [5], 'val': [6]}[b.split]
    variant = int(rng.integers(VARIANTS // 7)) * 7 + int(rng.choice(rest))
    return Material((1.0, 1.0, 1.0), f'{kind}:{variant}', roughness=roughness, tintable=False, name=kind)


NAMES = {
    'wood': 'wood', 'stone': 'stone', 'tile': 'ceramic', 'checker': 'ceramic', 'carpet': 'fabric', 'fabric': 'fabric',
    'concrete': 'stone', 'plaster': '', 'metal': 'metal',
}  # fmt: skip


def shell(b: Builder, room: RoomType) -> tuple[Surface, float, float, float]:
    """Build floor and walls; return the surface of the floor and the width, depth and height of the room (metres)."""
    rng = b.rng
    w, d, h = float(rng.uniform(3.4, 6.0)), float(rng.uniform(3.4, 5.5)), float(rng.uniform(2.4, 2.9))
    floor_material = surface_material(b, room.floors, float(rng.uniform(0.25, 0.8)))
    slab = Shape(moved(box(w + 0.4, d + 0.4, 0.1, floor_material), z=-0.1), material=NAMES[floor_material.name])
    floor = b.add('floor', slab, np.eye(4), kind='structure')
    wall_material = surface_material(b, room.walls, 0.8)
    skirting = painted(rng, 'white white brown gray')
    openings = rng.random(4)
    for k, (length, x, y, turn) in enumerate(
        [(w, 0, d / 2, 0), (d, -w / 2, 0, 90), (d, w / 2, 0, -90), (w, 0, -d / 2, 180)]
    ):
        parts = [
            moved(box(length + 0.2, 0.1, h, wall_material), y=0.05),
            moved(box(length, 0.015, 0.08, skirting), y=-0.0075),
        ]
        pose = translation(x, y, 0) @ rotation('z', turn)
        b.add('wall', Shape(join(parts), material=NAMES[wall_material.name]), pose, kind='structure')
        if openings[k] < 0.45 and length > 2.2:
            u = float(rng.uniform(-length / 2 + 0.9, length / 2 - 0.9))
            hung = _window(b) if openings[k] < 0.3 or k == 0 else _door(b)
            b.add(hung[0], hung[1], pose @ translation(u, 0, hung[2]), kind='structure')
    ceiling = Shape(moved(box(w + 0.4, d + 0.4, 0.1, fixed((240, 240, 238), 0.9)), z=h))
    b.add('wall', ceiling, np.eye(4), kind='structure').node.category = 'ceiling'
    return Surface(floor.node.id, 0, 0, w / 2, d / 2, 0, 0.0, 2.0), w, d, h


def _window(b: Builder) -> tuple[str, Shape, float]:
    rng = b.rng
    x, z = float(rng.uniform(0.8, 1.5)), float(rng.uniform(0.8, 1.2))
    frame = painted(rng, 'white white brown gray', 0.4)
    sky = fixed((int(rng.uniform(180, 240)), int(rng.uniform(205, 245)), 250), 0.3, emission=1.6)
    parts = [moved(box(x, 0.02, z, sky, 'pane'), y=-0.012)]
    for u in (-x / 2, 0, x / 2):
        parts.append(moved(box(0.06, 0.05, z, frame), u, -0.02))
    parts += [moved(box(x + 0.06, 0.05, 0.06, frame), y=-0.02, z=v) for v in (0, z - 0.05)]
    return 'window', Shape(join(parts), material='glass', state='closed'), float(rng.uniform(0.95, 1.15))


def _door(b: Builder) -> tuple[str, Shape, float]:
    rng = b.rng
    leaf = painted(rng, 'white white brown gray', 0.5) if rng.random() < 0.6 else surface_material(b, ('wood',), 0.5)
    frame = painted(rng, 'white brown gray', 0.5)
    parts = [
        moved(box(0.82, 0.04, 2.0, leaf), y=-0.02),
        moved(bar(0.11, 0.01, steel(rng), 'handle'), 0.25, -0.08, 1.02),
    ]
    parts += [moved(box(0.07, 0.06, 2.06, frame), s * 0.44, -0.03) for s in (-1, 1)]
    parts.append(moved(box(0.95, 0.06, 0.07, frame), y=-0.03, z=2.0))
    return 'door', Shape(join(parts), material='wood', state='closed'), 0.0


def _legs(x: float, y: float, h: float, m: Material, rng: np.random.Generator) -> list[Mesh]:
    r = float(rng.uniform(0.02, 0.035))
    round_ = rng.random() < 0.4
    one = turned([(0, 0), (r * 0.7, 0), (r, h), (0, h)], m, 'leg', 14) if round_ else box(2 * r, 2 * r, h, m, 'leg')
    return [moved(one, i * (x / 2 - 0.05), j * (y / 2 - 0.05)) for i in (-1, 1) for j in (-1, 1)]


def table(b: Builder, category: str, x: float, y: float, h: float, pose: np.ndarray) -> tuple[int, Surface]:
    """Build a table with parts top and leg at `pose` (on the floor); return its id and top surface."""
    rng = b.rng
    top = surface_material(
        b,
        ('wood', 'wood', 'wood', 'stone', 'metal')
        if category == 'workbench'
        else ('wood', 'wood', 'wood', 'wood', 'stone', 'fabric'),
        float(rng.uniform(0.2, 0.6)),
    )
    if rng.random() < 0.2:
        top = painted(rng, 'white white gray black blue green', 0.35)
        top.tintable = False
    thick = float(rng.uniform(0.02, 0.045))
    frame = (
        steel(rng) if rng.random() < 0.4 else painted(rng, 'brown black white gray', 0.5) if rng.random() < 0.5 else top
    )
    parts = [box(x, y, thick, top, 'top', h - thick), *_legs(x, y, h - thick, frame, rng)]
    if category in ('desk', 'workbench', 'vanity', 'dresser', 'nightstand'):
        front = top if rng.random() < 0.5 else painted(rng, 'white brown gray blue green', 0.5)
        width = x - 0.04 if category in ('vanity', 'dresser', 'nightstand') else x * 0.3
        at = 0.0 if width > x / 2 else (x - width) / 2 - 0.02
        low = 0.1 if width > x / 2 else h * 0.3
        parts.append(moved(box(width, y - 0.08, h - thick - low, front, 'drawer', low), at))
        rows = max(1, int((h - low) / 0.2))
        for i in range(rows):
            z = low + (i + 0.5) * (h - thick - low) / rows
            parts.append(
                moved(
                    box(
                        width * 0.96,
                        0.012,
                        (h - thick - low) / rows - 0.012,
                        front,
                        'drawer',
                        z - (h - thick - low) / rows / 2 + 0.006,
                    ),
                    at,
                    -(y - 0.08) / 2 - 0.004,
                )
            )
            parts.append(moved(bar(0.1, 0.006, steel(rng), 'handle'), at - 0.05, -(y - 0.08) / 2 - 0.025, z - 0.006))
    material = NAMES.get(top.name, 'wood') or 'wood'
    thing = b.add(category, Shape(join(parts), material=material if top.texture else 'plastic'), pose, kind='surface')
    yaw = float(np.arctan2(pose[1, 0], pose[0, 0]))
    b.floor_taken.append(Footprint(float(pose[0, 3]), float(pose[1, 3]), x / 2, y / 2, yaw))
    return thing.node.id, Surface(thing.node.id, float(pose[0, 3]), float(pose[1, 3]), x / 2, y / 2, yaw, h)


def counter(b: Builder, x: float, y: float, h: float, pose: np.ndarray, island: bool) -> tuple[int, Surface]:
    """Build a kitchen counter: worktop, base cabinets with doors and handles; return its id and top surface."""
    rng = b.rng
    top = surface_material(b, ('wood', 'wood', 'stone', 'stone', 'stone'), float(rng.uniform(0.15, 0.5)))
    front = (
        painted(rng, 'white white gray blue green brown black', 0.4)
        if rng.random() < 0.7
        else surface_material(b, ('wood',), 0.4)
    )
    front.tintable = False
    grip = steel(rng)
    thick = float(rng.uniform(0.025, 0.045))
    body = h - thick
    parts = [box(x, y, thick, top, 'top', body), moved(box(x - 0.03, y - 0.06, body - 0.1, front, '', 0.1), y=0.01)]
    parts.append(moved(box(x - 0.06, y - 0.14, 0.1, fixed((40, 40, 42)), ''), y=0.02))
    count = max(2, round(x / 0.55))
    for side in (-1, 1) if island else (-1,):
        for i in range(count):
            u = -x / 2 + (i + 0.5) * x / count
            v = side * ((y - 0.06) / 2 + 0.008) + 0.01
            parts.append(moved(box(x / count - 0.012, 0.018, body - 0.12, front, 'door', 0.11), u, v))
            parts.append(moved(bar(0.14, 0.006, grip, 'handle'), u - 0.07, v + side * 0.03, body - 0.09))
    thing = b.add(
        'counter',
        Shape(join(parts), material=NAMES.get(top.name, 'stone') or 'stone', state='closed'),
        pose,
        kind='surface',
    )
    yaw = float(np.arctan2(pose[1, 0], pose[0, 0]))
    b.floor_taken.append(Footprint(float(pose[0, 3]), float(pose[1, 3]), x / 2, y / 2, yaw))
    return thing.node.id, Surface(thing.node.id, float(pose[0, 3]), float(pose[1, 3]), x / 2, y / 2, yaw, h)


def shelf(b: Builder, x: float, y: float, levels: list[float], pose: np.ndarray) -> list[Surface]:
    """Build an open shelf with boards at the given heights; return one surface per board."""
    rng = b.rng
    wood = surface_material(b, ('wood', 'wood', 'metal'), 0.5)
    t, height = 0.022, levels[-1] + 0.36
    parts = [moved(box(t, y, height, wood, 'side'), s * (x / 2 - t / 2)) for s in (-1, 1)]
    parts += [box(x - 2 * t, y, t, wood, 'board', z - t) for z in [*levels, height]]
    if rng.random() < 0.6:
        parts.append(moved(box(x, 0.01, height, wood, 'back'), y=y / 2))
    thing = b.add('shelf', Shape(join(parts), material=NAMES[wood.name]), pose, kind='surface')
    yaw = float(np.arctan2(pose[1, 0], pose[0, 0]))
    px, py = float(pose[0, 3]), float(pose[1, 3])
    b.floor_taken.append(Footprint(px, py, x / 2, y / 2, yaw))
    gaps = np.diff([*levels, height])
    return [
        Surface(thing.node.id, px, py, x / 2 - t, y / 2 - 0.01, yaw, z, float(g) - t - 0.01)
        for z, g in zip(levels, gaps)
    ]


def rug(b: Builder, floor: Surface, x: float, y: float, hx: float, hy: float) -> Surface:
    """Lay a rug and return its surface."""
    cloth = surface_material(b, ('carpet', 'fabric'), 0.95)
    cloth = replace(cloth, texture=f'{cloth.texture}:0.7')
    thing = b.add(
        'rug',
        Shape(box(2 * hx, 2 * hy, 0.008, cloth), material='fabric'),
        translation(x, y, 0),
        kind='surface',
        support=floor.id,
    )
    return Surface(thing.node.id, x, y, hx, hy, 0, 0.008)


def main_surfaces(b: Builder, main: str, floor: Surface, w: float, d: float) -> list[Surface]:
    """Build the main furniture of the room; return its surfaces, the first is the one that the cameras look at."""
    rng = b.rng

    def u(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    if main == 'counter':
        y, x = u(0.58, 0.68), u(1.8, min(3.2, w - 0.3))
        at = u(-1, 1) * (w - x) / 2 * 0.8
        return [counter(b, x, y, u(0.86, 0.94), translation(at, d / 2 - y / 2 - 0.02, 0), False)[1]]
    if main == 'island':
        return [
            counter(b, u(1.3, 2.0), u(0.7, 0.95), u(0.86, 0.94), translation(u(-0.4, 0.4), u(-0.3, 0.5), 0), True)[1]
        ]
    if main == 'floor':
        return [rug(b, floor, u(-0.3, 0.3), u(-0.2, 0.4), u(0.6, 1.0), u(0.5, 0.8))]
    if main == 'shelf':
        x, y = u(0.8, 1.3), u(0.3, 0.42)
        first, gap = u(0.1, 0.4), u(0.34, 0.44)
        levels = [first + gap * i for i in range(4 if first < 0.2 else 3)]
        found = shelf(b, x, y, levels, translation(u(-0.5, 0.5), d / 2 - y / 2 - 0.02, 0))
        return found[1:][::-1] + found[:1]
    sizes = {
        'table': (1.1, 1.9, 0.7, 1.0, 0.7, 0.78, False), 'desk': (1.1, 1.7, 0.6, 0.8, 0.7, 0.76, True),
        'coffee table': (0.8, 1.3, 0.5, 0.75, 0.38, 0.5, False), 'workbench': (1.2, 2.0, 0.6, 0.8, 0.82, 0.95, True),
        'vanity': (0.9, 1.5, 0.45, 0.6, 0.8, 0.9, True), 'dresser': (0.9, 1.4, 0.42, 0.55, 0.7, 0.95, True),
        'nightstand': (0.45, 0.65, 0.4, 0.5, 0.45, 0.65, True), 'low table': (0.7, 1.1, 0.5, 0.7, 0.42, 0.55, False),
    }  # fmt: skip
    x0, x1, y0, y1, h0, h1, walled = sizes[main]
    x, y = u(x0, x1), u(y0, y1)
    if walled:
        pose = translation(u(-0.3, 0.3) * (w - x), d / 2 - y / 2 - 0.02, 0)
    else:
        pose = translation(u(-0.4, 0.4), u(-0.2, 0.5), 0) @ rotation('z', u(-20, 20) if rng.random() < 0.5 else 0)
    category = {'low table': 'table', 'vanity': 'cabinet'}.get(main, main)
    return [table(b, category, x, y, u(h0, h1), pose)[1]]


def furnish(b: Builder, room: RoomType, floor: Surface, w: float, d: float, keep: Footprint, count: int) -> None:
    """Place catalogue furniture against the walls and objects on the floor, outside the camera zone `keep`."""
    rng = b.rng
    for i in range(count):
        loose = i >= count - 2
        category = str(rng.choice(list(room.floor_items if loose else room.furniture)))
        drawn = b.draw(category, 'f') if category != 'whiteboard' else None
        if drawn is None:
            continue
        low, high = drawn[1].mesh.bounds
        half = (high - low) / 2
        for _ in range(8):
            wall = int(rng.integers(3))
            turn = (0.0, 90.0, -90.0)[wall]
            hx, hy = (half[0], half[1]) if wall == 0 else (half[1], half[0])
            if loose or category in ('chair', 'office chair', 'stool'):
                turn = float(rng.uniform(0, 360)) if loose else turn + float(rng.normal(0, 15))
                radius = float(np.hypot(*half[:2]))
                x, y = rng.uniform(-w / 2 + radius, w / 2 - radius), rng.uniform(-d / 2 + radius, d / 2 - radius)
            else:
                x = (rng.uniform(-w / 2 + hx, w / 2 - hx), -w / 2 + hx + 0.03, w / 2 - hx - 0.03)[wall]
                y = d / 2 - hy - 0.03 if wall == 0 else rng.uniform(-d / 2 + hy, d / 2 - hy)
            spot = Footprint(float(x), float(y), float(half[0]), float(half[1]), np.radians(turn))
            if spot.overlaps(keep, 0.05) or any(spot.overlaps(o, 0.04) for o in b.floor_taken):
                continue
            alive = category in ('cat', 'dog', 'rabbit', 'chicken', 'man', 'woman', 'boy', 'girl')
            thing = b.add(category, drawn[1], translation(float(x), float(y), 0) @ rotation('z', turn), model=drawn[0],
                          kind='agent' if alive else 'object', support=floor.id)  # fmt: skip
            thing.node.state = drawn[1].state
            b.floor_taken.append(spot)
            break
