"""Worlds of rendered scenes: the scene graph, the label image of a view and its ideal depth."""

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.data_engine.world.model_overrides import LOOKS_LIKE, NAMELESS
from converseg_ros.data_engine.world.world import Entity, Event, World
from converseg_ros.datasets.images import read_depth, read_image16, read_rgb
from converseg_ros.knowledge import class_of, tags_decided_by_class
from converseg_ros.scenes.graph import ATTRIBUTES, Scene, SceneObject, View
from converseg_ros.scenes.models.colors import dominant, to_linear

# Properties that only the scene decides; a class that often has them is no evidence.
BY_SCENE = frozenset(
    {'hot', 'spills', 'lights', 'transparent', 'shiny', 'flammable', 'toxic', 'sharp', 'fragile', 'heavy'}
)
CELL = 0.02  # metres, grid of the free-space test
CLEARANCE = 0.07  # metres, radius that must be free around a spot
SAMPLES = 60  # sampled pixels for the colour of an object
CHOKING = 0.045  # metres; the cylinder of EN 71-1 for small parts is 31.7 mm wide and up to 57 mm deep
DRAWER_DEPTH = 0.048  # metres from the edge of the top to the back of a drawer's front
MIN_SHOWN, PLAIN = 0.3, 0.01  # minimum share of an object in the image, and of the image in it
MIN_FREE = 0.04  # square metres; smaller free parts have no prompt


def scene_world(scene: Scene, view: View, folder: Path, key: str, rgb: NDArray[np.uint8] | None = None) -> World:
    """Return the world of one view of a scene folder; raise InputError if its images cannot be read.

    rgb: the image, if it has been read already.
    """
    labels = read_image16(folder / f'{view.name}.labels.png')
    depth = read_depth(folder / f'{view.name}.depth.png')
    if labels.shape != (view.height, view.width) or depth.shape != labels.shape:
        raise InputError(f'labels are {labels.shape}, the view is {view.height}x{view.width}', where=str(folder))
    rgb = read_rgb(folder / f'{view.name}.png') if rgb is None or rgb.shape[:2] != labels.shape else rgb
    to_camera = np.linalg.inv(np.asarray(view.pose, np.float64))
    present = np.bincount(labels.ravel()) > 0
    entities: dict[str, Entity] = {}
    for obj in scene.objects:
        own = [label for label in (obj.id, *obj.parts.values()) if label < len(present) and present[label]]
        if not own:
            continue
        mask = labels == own[0]
        for label in own[1:]:
            mask |= labels == label
        entities[f'o{obj.id}'] = _entity(obj, view, mask, to_camera, _looks(rgb, mask))
        for part, label in obj.parts.items():
            if label in own:
                part_key = f'p{label}'
                mask = labels == label
                if part == 'drawer':
                    mask = _front(mask, depth, view, obj)
                entities[part_key] = Entity(part_key, part, mask, kind='part', owner=f'o{obj.id}')
    events = tuple(
        Event(i.type, *(f'o{k}' if k else '' for k in (i.actor, i.target, i.twin))) for i in scene.interactions
    )
    world = World(
        key,
        view.width,
        view.height,
        entities,
        events,
        facts=frozenset({'color', 'depth', 'physics', 'graph', 'stuff'}),
        room=scene.room,
        up=to_camera[:3, 2],
    )
    for e in world.nameable:
        flat = e.kind == 'surface' or 'supports' in e.tags
        if flat and 'hot' not in e.tags and e.area > 0.012 * labels.size and e.category not in ('floor', 'wall'):
            obj = scene.object(int(e.key[1:]))
            free = free_area(e, obj, depth, view)
            if free is not None:
                world.free[e.key] = free
    return world


def is_sliver(obj: SceneObject, pose: NDArray[np.float64], view: View, mask: NDArray[np.bool_]) -> bool:
    """Return whether too little of an object at a `pose` in front of the camera is visible to name it."""
    fx, fy, cx, cy = view.k
    corners = np.array(list(product((-0.5, 0.5), repeat=3))) * obj.size
    x, y, z = (corners @ pose[:3, :3].T + pose[:3, 3]).T
    if obj.kind != 'object' or z.min() < 0.05 or np.count_nonzero(mask) > PLAIN * mask.size:
        return False
    u, v = fx * x / z + cx, fy * y / z + cy
    shown = np.ptp(np.clip(u, 0, view.width)) * np.ptp(np.clip(v, 0, view.height))
    return bool(shown < MIN_SHOWN * np.ptp(u) * np.ptp(v))


def _looks(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> str:
    """Return the colour term of at least 60 % of sampled pixels, '' if they are between terms."""
    pixels = np.flatnonzero(mask)
    chosen = rgb.reshape(-1, 3)[pixels[:: max(1, len(pixels) // SAMPLES)]]
    return dominant(to_linear(chosen.astype(np.float32)), np.ones(len(chosen))) if len(chosen) else ''


def _front(mask: NDArray[np.bool_], depth: NDArray[np.float32], view: View, obj: SceneObject) -> NDArray[np.bool_]:
    """Return the pixels of a part on the front of its object: drawers share a label with their case."""
    fx, fy, cx, cy = view.k
    rows, columns = np.nonzero(mask & (depth > 0))
    z = depth[rows, columns].astype(np.float64)
    points = np.stack([(columns - cx) * z / fx, (rows - cy) * z / fy, z, np.ones_like(z)])
    own = np.linalg.inv(np.asarray(obj.pose, np.float64)) @ np.asarray(view.pose, np.float64) @ points
    keep = own[1] < -obj.size[1] / 2 + DRAWER_DEPTH
    out = np.zeros_like(mask)
    out[rows[keep], columns[keep]] = True
    return out


def by_build(
    obj: SceneObject, name: str, tags: frozenset[str], maybe: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the properties, certain and uncertain, after considering the construction of this instance."""
    sure, unsure = set(tags), set(maybe)
    if name == NAMELESS:
        return frozenset({'heavy'} & sure), frozenset(sure | unsure)
    if obj.state == 'lit':
        sure.add('hot')
    if obj.material in ('plastic', 'metal', 'wood', 'fabric', 'food'):
        unsure.discard('fragile')
    if obj.state == 'tilted' and 'spills' in obj.attributes:
        sure.add('spills')
    elif obj.model.startswith('ware/'):
        unsure.discard('spills')  # empty, or with a cap
    if obj.material == 'paper' and obj.kind == 'object':
        sure.add('flammable')
    elif obj.material == 'fabric' and obj.kind == 'object' and 'flammable' not in sure:
        unsure.add('flammable')
    if obj.kind == 'object' and 0 < max(obj.size) <= 2 * CHOKING:
        (sure if max(obj.size) <= CHOKING and 'edible' not in sure else unsure).add('choking')
    return frozenset(sure), frozenset(unsure - sure)


def _untrue(obj: SceneObject) -> frozenset[str]:
    """Return the attributes of a class that this instance does not have, by its size and pose."""
    out = set()
    upright_can = obj.category == 'can' and obj.state != 'lying'
    flat_roll = obj.category == 'tape roll' and obj.size[2] <= min(obj.size[:2])
    if upright_can or flat_roll:
        out.add('rolls')
    if obj.category == 'fan':
        out.add('sharp')  # the blades are behind a grille
    if max(obj.size) > CHOKING:
        out.add('choking')
    return frozenset(out)


def _entity(
    obj: SceneObject, view: View, mask: NDArray[np.bool_], to_camera: NDArray[np.float64], looks: str
) -> Entity:
    plain = obj.category == 'cabinet' and not obj.model  # a table on four legs with another name
    known = class_of('table' if plain else LOOKS_LIKE.get(obj.model, obj.category))
    stated = frozenset(obj.attributes) - _untrue(obj) - ({'container', 'openable'} if plain else set())
    tags = stated | (known.tags - frozenset(ATTRIBUTES))
    unsure = (known.tags & frozenset(ATTRIBUTES)) - stated - BY_SCENE
    if tags & {'edible', 'plant'}:
        tags = tags - {'soft'}  # nobody calls a banana soft
    if obj.mass > 0:  # heavy depends on the mass instead of the class; the mass of tilted objects is overestimated
        tags = (tags - {'heavy'}) | (
            {'heavy'} if obj.mass >= 10 and obj.kind != 'agent' and 'graspable' not in tags else set()
        )
        unsure = (unsure - {'heavy'}) | ({'heavy'} if 4 <= obj.mass < 10 else set())
    unsure = ((known.doubtful - {'heavy'}) | unsure) - tags
    by_class = tags_decided_by_class()
    tags = (tags - by_class) | (known.tags & by_class)
    unsure = (unsure - by_class) | (known.doubtful & by_class)
    tags, unsure = by_build(obj, known.name, tags, unsure)
    pose = to_camera @ np.asarray(obj.pose, np.float64)
    world_rotation = np.asarray(obj.pose, np.float64)[:3, :3]
    half = np.abs(world_rotation) @ (np.asarray(obj.size, np.float64) / 2)
    name = str(obj.id)
    return Entity(
        f'o{obj.id}',
        known.name,
        mask,
        kind=obj.kind,
        tags=tags,
        maybe=unsure,
        color='' if known.name in ('counter', 'kitchen island') else obj.color,  # top and fronts differ
        looks=looks,
        material=obj.material,
        state=obj.state,
        support=f'o{obj.support}' if obj.support else '',
        inside=f'o{obj.inside}' if obj.inside else '',
        contacts=frozenset(f'o{i}' for i in obj.contacts),
        hidden_by=frozenset(f'o{i}' for i in view.occluded_by.get(name, [])),
        visible=0.0 if is_sliver(obj, pose, view, mask) else float(view.visible.get(name, 1.0)),
        tips=obj.tips,
        falls_with=frozenset(f'o{i}' for i in obj.falls_with),
        stack=obj.stack,
        size=tuple(2 * half.round(4)),
        position=pose[:3, 3],
        up=float(obj.pose[2][3] + half[2]),
        axes=pose[:3, :3],
        extent=(obj.size[0], obj.size[1], obj.size[2]),
    )


def _level(e: Entity, obj: SceneObject, heights: NDArray[np.float64]) -> float:
    """Return the height of the top of a surface, in metres, from the heights of its visible pixels."""
    if e.kind != 'surface':
        return e.up or 0.0
    top = obj.pose[2][3] + obj.size[2] / 2
    if obj.size[2] > 0 and np.mean(np.abs(heights - top) < 0.03) > 0.2:
        return top
    return float(np.median(heights[heights > np.quantile(heights, 0.5)]))


def free_area(e: Entity, obj: SceneObject, depth: NDArray[np.float32], view: View) -> NDArray[np.bool_] | None:
    """Return the (H, W) visible part of the top of a surface with `CLEARANCE` around, or None if it is too small.

    The visible top is projected to a grid of `CELL` in the horizontal plane; an opening with a disc keeps the places
    where the disc fits between objects, edges and hidden space.
    """
    import cv2

    fx, fy, cx, cy = view.k
    x0, y0, x1, y1 = e.box
    window = slice(max(y0 - 2, 0), y1 + 2), slice(max(x0 - 2, 0), x1 + 2)  # with space for closing the free part
    own = e.mask[window]
    rows, columns = np.nonzero(own & (depth[window] > 0))
    rows, columns = rows + window[0].start, columns + window[1].start
    if rows.size < 200:
        return None
    z = depth[rows, columns].astype(np.float64)
    points = np.stack([(columns - cx) * z / fx, (rows - cy) * z / fy, z, np.ones_like(z)])
    world = np.asarray(view.pose, np.float64) @ points
    heights = world[2]
    on_top = np.abs(heights - _level(e, obj, heights)) < 0.02
    if np.count_nonzero(on_top) < 200:
        return None
    x, y = world[0][on_top], world[1][on_top]
    column = np.floor((x - x.min()) / CELL).astype(int) + 4
    row = np.floor((y - y.min()) / CELL).astype(int) + 4
    grid = np.zeros((row.max() + 5, column.max() + 5), np.uint8)
    grid[row, column] = 1
    grid = cv2.morphologyEx(grid, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    size = 2 * round(CLEARANCE / CELL) + 1
    grid = cv2.morphologyEx(grid, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    if np.count_nonzero(grid) * CELL**2 < MIN_FREE:
        return None
    mask = np.zeros_like(e.mask)
    keep = grid[row, column] > 0
    mask[rows[on_top][keep], columns[on_top][keep]] = True
    closed = cv2.morphologyEx(mask[window].view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    mask[window] = closed.view(bool) & own
    return mask if np.count_nonzero(mask) > 0.002 * mask.size else None
