# ruff: noqa: E501 - tables read best one entry a line
"""A small hand-made room: boxes seen by a pinhole camera, ray-cast exactly, with the graph that goes with them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from converseg_ros.core.files import atomic_path
from converseg_ros.scenes.graph import Interaction, Scene, SceneObject, View

WIDTH, HEIGHT = 320, 240
COLORS = {
    'red': (200, 30, 30), 'blue': (30, 60, 200), 'green': (30, 150, 40), 'white': (235, 235, 235), 'brown': (130, 85, 45),
    'gray': (128, 128, 128), 'yellow': (225, 210, 40), 'black': (25, 25, 25), '': (170, 160, 190),
}  # fmt: skip


def _camera_pose(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = eye
    return pose


def _raycast(boxes: list[tuple[int, np.ndarray, np.ndarray]], pose: np.ndarray, k: list[float]):
    v, u = np.mgrid[0:HEIGHT, 0:WIDTH]
    rays = np.stack([(u - k[2]) / k[0], (v - k[3]) / k[1], np.ones(u.shape)], -1) @ pose[:3, :3].T
    depth = np.full(u.shape, np.inf)
    labels = np.zeros(u.shape, np.uint16)
    alone: dict[int, int] = {}
    with np.errstate(divide='ignore', invalid='ignore'):
        for label, low, high in boxes:
            a, b = (low - pose[:3, 3]) / rays, (high - pose[:3, 3]) / rays
            near, far = np.minimum(a, b).max(-1), np.maximum(a, b).min(-1)
            hit = (near < far) & (near > 0.01)
            alone[label] = int(hit.sum())
            closer = hit & (near < depth)
            depth[closer] = near[closer]
            labels[closer] = label
    return labels, np.where(np.isfinite(depth), depth, 0), alone


def write_scene(folder: Path, seed: int = 0, split: str = 'train') -> Scene:
    """Write a scene of one table with two mugs, a knife, a stack of plates, a bowl with an apple, a held bottle."""
    rng = np.random.default_rng(seed)
    jitter = lambda: float(rng.uniform(-0.03, 0.03))  # noqa: E731
    rows = [
        # id, category, kind, centre x, y, z of the bottom, size, colour, more
        (1, 'floor', 'surface', 0, 0, -0.02, (6, 6, 0.02), 'gray', {'attributes': ['supports'], 'material': 'stone'}),
        (2, 'table', 'surface', 0, 0, 0, (1.4, 0.8, 0.75), 'brown', {'attributes': ['supports', 'furniture', 'heavy'], 'support': 1, 'material': 'wood'}),
        (3, 'mug', 'object', -0.5 + jitter(), -0.1, 0.75, (0.08, 0.08, 0.1), 'red', {'attributes': ['graspable', 'holds_liquid', 'fragile'], 'support': 2, 'material': 'ceramic', 'parts': {'handle': 40}}),
        (4, 'mug', 'object', 0.1 + jitter(), -0.25, 0.75, (0.08, 0.08, 0.1), 'blue', {'attributes': ['graspable', 'holds_liquid', 'fragile'], 'support': 2, 'material': 'ceramic', 'tips': True}),
        (5, 'kitchen knife', 'object', -0.2, -0.3 + jitter(), 0.75, (0.25, 0.03, 0.02), 'gray', {'attributes': ['cuts', 'sharp', 'graspable'], 'support': 2, 'material': 'metal'}),
        (6, 'plate', 'object', 0.5, 0.1, 0.75, (0.22, 0.22, 0.03), 'white', {'attributes': ['dish', 'fragile', 'supports', 'graspable'], 'support': 2, 'stack': 1, 'falls_with': [7, 8], 'material': 'ceramic'}),
        (7, 'plate', 'object', 0.5, 0.1, 0.78, (0.21, 0.21, 0.03), 'green', {'attributes': ['dish', 'fragile', 'supports', 'graspable'], 'support': 6, 'stack': 2, 'falls_with': [8], 'material': 'ceramic'}),
        (8, 'plate', 'object', 0.5, 0.1, 0.81, (0.2, 0.2, 0.03), 'black', {'attributes': ['dish', 'fragile', 'supports', 'graspable'], 'support': 7, 'stack': 3, 'material': 'ceramic'}),
        (9, 'bowl', 'object', -0.25, 0.15, 0.75, (0.18, 0.18, 0.06), 'green', {'attributes': ['container', 'holds_liquid', 'graspable', 'fragile'], 'support': 2, 'material': 'ceramic'}),
        (10, 'apple', 'object', -0.25, 0.15, 0.8, (0.08, 0.08, 0.08), 'red', {'attributes': ['edible', 'graspable', 'rolls'], 'inside': 9, 'support': 9, 'material': 'food'}),
        (11, 'hand', 'agent', 0.3, -0.05, 0.95, (0.1, 0.08, 0.08), 'yellow', {}),
        (12, 'bottle', 'object', 0.3, -0.05, 0.82, (0.07, 0.07, 0.13), 'blue', {'attributes': ['holds_liquid', 'pours', 'graspable'], 'material': 'plastic'}),
        (13, 'bottle', 'object', -0.05, 0.25, 0.75, (0.07, 0.07, 0.25), 'green', {'attributes': ['holds_liquid', 'pours', 'graspable'], 'support': 2, 'material': 'plastic'}),
        (14, 'wall', 'structure', 0, 2.5, 0, (6, 0.1, 3), 'white', {}),
    ]  # fmt: skip
    objects, boxes = [], []
    for label, category, kind, x, y, z, size, color, more in rows:
        pose = np.eye(4)
        pose[:3, 3] = [x, y, z + size[2] / 2]
        objects.append(
            SceneObject(label, category, kind=kind, color=color, size=list(size), pose=pose.tolist(), **more)
        )
        half = np.asarray(size) / 2
        boxes.append((label, pose[:3, 3] - half, pose[:3, 3] + half))
        for part_label in more.get('parts', {}).values():
            low = np.array([x + size[0] / 2, y - 0.01, z + 0.02])
            boxes.append((part_label, low, low + np.array([0.03, 0.02, 0.06])))
    k = [300.0, 300.0, 160.0, 120.0]
    pose = _camera_pose(np.array([0.05 * jitter(), -1.3, 1.6]), np.array([0, 0.05, 0.75]))
    labels, depth, alone = _raycast(boxes, pose, k)
    whole = {o.id: [o.id, *o.parts.values()] for o in objects}
    pixels = {str(i): int(np.isin(labels, ids).sum()) for i, ids in whole.items()}
    visible = {str(i): min(1.0, pixels[str(i)] / max(1, alone[i])) for i in whole}
    scene = Scene(f'room-{seed}', seed, 'kitchen', split, objects, [Interaction('holding', 11, 12, 13)])
    scene.views = [
        View(
            'view0',
            WIDTH,
            HEIGHT,
            k,
            pose.tolist(),
            pixels,
            visible,
            {'9': [5] if visible['9'] < 0.9 else []},
            'raster',
        )
    ]
    folder.mkdir(parents=True, exist_ok=True)
    lut = {o.id: COLORS[o.color] for o in objects} | {40: COLORS['red'], 0: (90, 90, 120)}
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for label, color in lut.items():
        rgb[labels == label] = color
    rgb = np.clip(rgb + rng.normal(0, 4, rgb.shape), 0, 255).astype(np.uint8)
    millimetres = np.round(depth * 1000).astype(np.uint16)
    for name, image in (('view0', rgb[..., ::-1]), ('view0.labels', labels), ('view0.depth', millimetres)):
        with atomic_path(folder / f'{name}.png') as temporary:
            assert cv2.imwrite(str(temporary), image)
    scene.save(folder)
    return scene


@pytest.fixture(scope='session')
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of six scenes."""
    folder = tmp_path_factory.mktemp('rooms')
    for seed in range(6):
        write_scene(folder / f'room-{seed}', seed, ('train', 'train', 'train', 'train', 'val', 'test')[seed])
    return folder
