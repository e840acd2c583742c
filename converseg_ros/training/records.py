"""Images with their prompt-mask pairs, whatever format they came in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import InputError, Item
from converseg_ros.datasets.images import read_rgb
from converseg_ros.training.config import SourceConfig

ITEMS = 'items.jsonl'


@dataclass(frozen=True, slots=True)
class Record:
    """One image and everything asked about it; `load` returns the (H, W, 3) uint8 RGB image."""

    image_id: str
    items: tuple[Item, ...]
    load: Callable[[], NDArray[np.uint8]]


def read_records(source: SourceConfig, split: str, *, val_share: float = 0.1) -> list[Record]:
    """Return the records of `split`; sets without splits of their own are split by image, `val_share` to val."""
    path = Path(source.path)
    if not path.exists():
        raise InputError(
            'there is no such data set', where=source.path, do='run the recipe: converseg train --make-data'
        )
    if source.format == 'items':
        records = _item_records(path, split)
    else:
        from converseg_ros.training.readers import LITERAL, READERS, records_of

        records = records_of(READERS[source.format](path), split, val_share, literal=source.format in LITERAL)
    return records[: source.limit] if source.limit else records


def _item_records(path: Path, split: str) -> list[Record]:
    """Return the engine's items of `split`, grouped by image."""
    root = path if path.is_dir() else path.parent
    groups: dict[str, list[Item]] = {}
    for item in read_items(path):
        if item.split == split:
            groups.setdefault(item.image, []).append(item)
    return [
        Record(group[0].image_id or image, tuple(group), partial(read_rgb, group[0].image_path(root)))
        for image, group in sorted(groups.items())
    ]


def split_of(image_id: str, val_share: float) -> str:
    """Return 'val' or 'train' by a hash of the image, so that no image is ever in both (and adding more moves none)."""
    number = int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], 'big')
    return 'val' if number / 2**64 < val_share else 'train'


def read_items(path: Path) -> Iterable[Item]:
    """Read the engine's items.jsonl (a file, or a folder with one)."""
    file = path / ITEMS if path.is_dir() else path
    with file.open() as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield Item.from_json(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(f'not an item ({error})', where=f'{file}:{number}') from error
