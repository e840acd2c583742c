"""Contact sheets: views with coloured labels and a caption of their objects."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.datasets.images import read_image16, read_rgb
from converseg_ros.scenes.graph import Scene, View


def sheet(folder: Path, out: Path, count: int = 12, seed: int = 0) -> int:
    """Write a PNG of up to `count` views from the scene folders under `folder`; return the number of views."""
    import cv2

    scenes = sorted(folder.glob('*/scene.json'))
    if not scenes:
        raise InputError('no scenes', where=str(folder), do='render some: converseg scenes render --out FOLDER')
    rng = np.random.default_rng(seed)
    chosen = sorted(rng.choice(len(scenes), min(count, len(scenes)), replace=False).tolist())
    tiles = []
    for index in chosen:
        scene = Scene.load(scenes[index].parent)
        view = scene.views[int(rng.integers(len(scene.views)))]
        tiles.append(tile(scenes[index].parent, scene, view))
    while len(tiles) % 2:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[i : i + 2]) for i in range(0, len(tiles), 2)]
    out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(out), np.vstack(rows)):
        raise InputError('could not write the sheet', where=str(out), do='choose a .png file in a writable folder')
    return len(chosen)


def tile(folder: Path, scene: Scene, view: View, width: int = 400) -> NDArray[np.uint8]:
    """Return one view as a BGR tile: colour, coloured labels, noisy depth, and a caption of its objects."""
    import cv2

    height = width * view.height // view.width
    photo = np.ascontiguousarray(read_rgb(folder / f'{view.name}.png')[..., ::-1])
    labels, depth = (read_image16(folder / f'{view.name}.{kind}.png') for kind in ('labels', 'noisy'))
    color = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    palette = np.random.default_rng(5).integers(40, 255, (65536, 3)).astype(np.uint8)
    palette[0] = 0
    small = (width, height)
    flat = cv2.resize(palette[labels], small, interpolation=cv2.INTER_NEAREST)
    near = np.clip(depth / max(float(np.percentile(depth, 98)), 1) * 255, 0, 255).astype(np.uint8)
    warm = cv2.resize(cv2.applyColorMap(near, cv2.COLORMAP_TURBO), small, interpolation=cv2.INTER_NEAREST)
    caption = np.full((64, 3 * width, 3), 24, np.uint8)
    shown = [o for o in scene.objects if view.pixels.get(str(o.id), 0) > 60 and o.kind != 'structure']
    words = [
        f'{o.color + " " if o.color else ""}{o.category}{"!" if o.tips else ""}{"(" + o.state + ")" if o.state else ""}'
        for o in shown
    ]
    text = f'{scene.id} {scene.room}: ' + ', '.join(words)
    for event in scene.interactions:
        text += f' [{event.type}]'
    for i in range(3):
        cv2.putText(
            caption,
            text[i * 170 : (i + 1) * 170],
            (4, 17 + 20 * i),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.4,
            (230, 230, 230),
            1,
            cv2.LINE_AA,
        )
    return np.vstack([np.hstack([color, flat, warm]), caption])
