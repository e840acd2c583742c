"""Small data sets made on the spot."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from converseg_ros.core import Item, encode_rle


def picture(seed: int = 0, height: int = 48, width: int = 64) -> np.ndarray:
    """Return an image with a bright square on noise."""
    rgb = np.random.default_rng(seed).integers(0, 60, (height, width, 3), dtype=np.uint8)
    rgb[10:30, 12:32] = (200, 40, 40)
    return rgb


def square(height: int = 48, width: int = 64) -> np.ndarray:
    """Return the mask of the bright square."""
    mask = np.zeros((height, width), bool)
    mask[10:30, 12:32] = True
    return mask


@pytest.fixture
def items_json(tmp_path: Path) -> Path:
    """Write two images, three prompts, one of them without a target, in the reference's format."""
    items = []
    for image, (id_, prompt, mask, concept) in enumerate(
        [
            ('a', 'the red square', square(), 'entities'),
            ('b', 'the green circle', np.zeros((48, 64), bool), 'spatial & layout'),
        ]
    ):
        Image.fromarray(picture(image)).save(tmp_path / f'{id_}.png')
        Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / f'{id_}_mask.png')
        items.append(
            {'id': id_, 'image': f'{id_}.png', 'mask': f'{id_}_mask.png', 'prompt': prompt, 'concept': concept}
        )
    items.append({**items[0], 'id': 'c', 'prompt': 'what is red', 'concept': 'affordances'})
    path = tmp_path / 'items.json'
    path.write_text(json.dumps({'dataset': 'tiny', 'count': len(items), 'items': items}))
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Write a data set of the engine's own format."""
    Image.fromarray(picture()).save(tmp_path / 'room.png')
    lines = [
        Item('p', 'room.png', 'the red square', encode_rle(square()), split='test', image_id='r'),
        Item('n', 'room.png', 'the cat', encode_rle(np.zeros((48, 64), bool)), split='test', image_id='r'),
        Item('t', 'room.png', 'a red thing', encode_rle(square()), split='train', image_id='r'),
    ]
    (tmp_path / 'items.jsonl').write_text(''.join(json.dumps(i.to_json()) + '\n' for i in lines))
    return tmp_path
