"""Images with their prompt-mask pairs, independent of the data set format."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Family, InputError, Item, encode_rle
from converseg_ros.core.item import read_items
from converseg_ros.core.splits import picture_name, split_of
from converseg_ros.datasets.images import read_rgb
from converseg_ros.datasets.readers import LITERAL, READERS
from converseg_ros.datasets.samples import Sample, by_image, fit_mask
from converseg_ros.training.converseg.config import SourceConfig


@dataclass(frozen=True, slots=True)
class Record:
    """One image and all its items; `load` returns the (H, W, 3) uint8 RGB image."""

    image_id: str
    items: tuple[Item, ...]
    load: Callable[[], NDArray[np.uint8]]


def read_records(source: SourceConfig, split: str, *, needed: bool = False) -> list[Record]:
    """Return the records of `split`; raise InputError if there are none and they are `needed`.

    Data sets without splits are split by image (core/splits.py).
    """
    path = Path(source.path)
    if not path.exists():
        raise InputError(
            'there is no such data set', where=source.path, do='run the recipe: converseg train --make-data'
        )
    if source.format == 'items':
        records = _item_records(path, split)
    else:
        records = _records_of(READERS[source.format](path), split, literal=source.format in LITERAL)
    if needed and not records:
        raise InputError(f'no readable image of the split {split!r}: nothing to train on', where=source.path)
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


def _records_of(found: Iterable[Sample], split: str, *, literal: bool) -> list[Record]:
    """Return the records of `split`: one per image, split by the name of the image; unreadable samples are skipped."""
    records = []
    for group in by_image(found):
        image_id = group[0].image_id
        if split_of(picture_name(image_id)) != split:
            continue
        try:
            height, width = group[0].view().rgb.shape[:2]
        except InputError:
            continue
        items = tuple(i for s in group if (i := _item(s, split, height, width, literal=literal)) is not None)
        if items:
            records.append(Record(image_id, items, partial(_rgb, group[0])))
    return records


def _rgb(sample: Sample) -> NDArray[np.uint8]:
    return sample.view().rgb


def _item(sample: Sample, split: str, height: int, width: int, *, literal: bool) -> Item | None:
    """Return a sample as an item of an image of this size, or None if its ground truth cannot be read."""
    try:
        mask = fit_mask(sample.truth(), height, width)
        return Item(
            sample.id,
            sample.image_id,
            sample.prompt,
            encode_rle(mask),
            Family(sample.family) if sample.family else None,
            sample.sub_concept,
            'literal' if literal else 'conversational',
            split,  # type: ignore[arg-type]
            sample.image_id,
        )
    except InputError:
        return None
