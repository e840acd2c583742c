"""Runs of the data engine for the tests: one call that generates a data set, and sources for it."""

import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from converseg_ros.data_engine.build import Plan, gather, make_pipeline
from converseg_ros.data_engine.options import RunOptions
from converseg_ros.data_engine.world.sources import read_source

ROOT = Path(__file__).resolve().parents[2]


def run(sources: list[Path], out: Path, *, max_images: int = 0, **options) -> dict:
    """Generate a data set; return its manifest."""
    p = Plan(sources, out, RunOptions(**{'judge': 'scene'} | options), max_images=max_images)
    shots = gather(p.sources, p.max_images)
    return make_pipeline(p, shots).run(shots, p.out)


def world_of(rooms: Path):
    """Return the first image of a folder of rooms, and what is known of it."""
    shot = next(iter(read_source(rooms)))
    return shot, shot.world()


def relocated(dataset: Path, out: Path) -> bytes:
    """Return the items of a data set as a run with the folder `out` writes them."""
    rows = [json.loads(line) for line in (dataset / 'items.jsonl').read_text().splitlines()]
    for row in rows:
        row['image'] = Path(os.path.relpath((dataset / row['image']).resolve(), out.resolve())).as_posix()
    return ''.join(json.dumps(r, ensure_ascii=False) + '\n' for r in rows).encode()


def coco_folder(folder: Path) -> Path:
    """Write two annotated images: a plain one, and the same stored on its side with an EXIF tag."""
    (folder / 'images').mkdir(parents=True)
    rgb = np.full((120, 160, 3), 200, np.uint8)
    rgb[20:60, 20:60], rgb[30:100, 100:150] = (200, 30, 30), (30, 30, 200)
    Image.fromarray(rgb).save(folder / 'images/plain.png')
    exif = Image.Exif()
    exif[0x0112] = 6  # turn 90 degrees clockwise to see it upright
    Image.fromarray(np.rot90(rgb)).save(folder / 'images/turned.jpg', quality=95, exif=exif)
    rows, images = [], []
    for n, name in enumerate(('plain.png', 'turned.jpg')):
        images.append({'id': n, 'file_name': name, 'width': 160, 'height': 120})
        for m, (category, x0, y0, x1, y1) in enumerate(((1, 20, 20, 60, 60), (2, 100, 30, 150, 100))):
            polygon = [x0, y0, x1, y0, x1, y1, x0, y1]
            rows.append(
                {'id': 10 * n + m, 'image_id': n, 'category_id': category, 'segmentation': [polygon], 'iscrowd': 0}
            )
    categories = [{'id': i + 1, 'name': c} for i, c in enumerate(('cup', 'laptop', 'fork', 'dog', 'book', 'chair'))]
    (folder / 'instances.json').write_text(
        json.dumps({'images': images, 'annotations': rows, 'categories': categories})
    )
    return folder
