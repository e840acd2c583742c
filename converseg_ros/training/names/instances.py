"""Labelled objects: COCO annotations, regions of the data engine, rendered rooms, and crops with one object each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.segments import KINDS
from converseg_ros.datasets.coco import CocoInstances
from converseg_ros.datasets.images import read_rgb
from converseg_ros.datasets.polygons import grab_cut
from converseg_ros.datasets.regions import LABELS, UNKNOWN_KIND, labelled_names, read_labelled
from converseg_ros.knowledge import thing, things

NOTHING = ''  # label of a region without a noun: a part, or pieces of several objects
MATERIAL = 'material:'  # prefix of a label that is a material
GRABCUT_SIDE = 80  # pixels: GrabCut's time grows with the area
LOOKED_AT = ('object', 'agent')  # kinds that rooms are used for: their walls and floors are plainer than real ones
MIN_AREA = 150  # pixels: smaller regions are not labelled reliably
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Instance:
    """One labelled region. key: unique in its source. mask: (H, W). label: spelled as in the source, or NOTHING.

    stuff: a surface or material instead of an object.
    """

    key: str
    image: str
    label: str
    mask: Mask
    stuff: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph (H, W, 3) uint8 and its labelled regions."""

    name: str
    rgb: NDArray[np.uint8]
    instances: tuple[Instance, ...]


def read_source(
    folder: Path, *, blobs: int = 3, wanted: Callable[[str], bool] = lambda name: True
) -> Iterator[Picture]:
    """Yield the pictures of a folder in a fixed order.

    It has `crops.json`, `regions.jsonl` (a data set of the engine), `instances.json` (COCO), or rooms below it.

    blobs: number of regions without a name in each COCO picture. wanted: which images, by file name.
    """
    if (folder / 'crops.json').is_file():
        yield from _crops(folder, wanted)
    elif (folder / LABELS).is_file():
        yield from (_labelled(folder, name, blobs, KINDS) for name in labelled_names(folder) if wanted(name))
    elif (folder / 'instances.json').is_file():
        yield from _coco(folder, blobs, wanted)
    else:
        yield from _rooms(folder, blobs, wanted)


def _rooms(folder: Path, blobs: int, wanted: Callable[[str], bool]) -> Iterator[Picture]:
    """Yield the first view of every room, then the second one of every room, and so on."""
    for name in sorted(labelled_names(folder), key=lambda name: (name.partition('/')[2], name)):
        if wanted(name):
            yield _labelled(folder, name, blobs, LOOKED_AT)


def _coco(folder: Path, blobs: int, wanted: Callable[[str], bool]) -> Iterator[Picture]:
    labels = CocoInstances(folder / 'instances.json', folder / 'images')
    for name in filter(wanted, labelled_names(folder)):
        if name not in labels.images:
            yield _labelled(folder, name, blobs, KINDS)
            continue
        rgb = read_rgb(labels.folder / name)
        found = [
            Instance(a.key, name, a.category, a.mask)
            for a in labels.annotations(name)
            if not a.crowd and np.count_nonzero(a.mask) >= MIN_AREA
        ]
        found += _blobs(name, [i.mask for i in found], (rgb.shape[0], rgb.shape[1]), blobs)
        yield Picture(name, rgb, tuple(found))


def _labelled(folder: Path, name: str, blobs: int, kinds: Sequence[str]) -> Picture:
    """Return a view with its regions of some kinds whose names are known."""
    view = read_labelled(folder, name)
    found = []
    for id_, category in view.names.items():
        kind = view.kinds[id_]
        known = kind == UNKNOWN_KIND or KINDS[kind] in kinds
        mask = view.whole == id_
        noun = thing(category)
        if known and noun and noun.name in things() and np.count_nonzero(mask) >= MIN_AREA:
            stuff = kind != UNKNOWN_KIND and KINDS[kind] not in LOOKED_AT
            found.append(Instance(str(id_), name, category, mask, stuff))
    height, width = view.whole.shape
    found += _blobs(name, [i.mask for i in found if not i.stuff], (height, width), blobs)
    return Picture(name, view.view.rgb, tuple(found))


def _blobs(image: str, masks: list[Mask], size: tuple[int, int], count: int) -> list[Instance]:
    """Draw ellipses that are a small part of one object, or overlap several: no noun names them."""
    height, width = size
    rng = np.random.default_rng(zlib.crc32(image.encode()))
    found: list[Instance] = []
    areas = [np.count_nonzero(m) for m in masks]
    for attempt in range(count * 6):
        if len(found) == count or not masks:
            break
        part = attempt % 2 == 0
        share = rng.uniform(0.03, 0.12) if part else rng.uniform(0.08, 0.3)
        target = masks[int(rng.integers(len(masks)))]
        rows, columns = np.nonzero(target)
        pick = int(rng.integers(len(rows)))
        axes = (max(5, int(share * width * rng.uniform(0.5, 1))), max(5, int(share * width * rng.uniform(0.3, 1))))
        canvas = np.zeros((height, width), np.uint8)
        centre = (int(columns[pick]), int(rows[pick]))
        cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
        blob = canvas.astype(bool) & target if part else canvas.astype(bool)
        area = np.count_nonzero(blob)
        if area < 2 * MIN_AREA:
            continue
        inside = [np.count_nonzero(blob & m) for m in masks]
        iou = max(i / (area + a - i) for i, a in zip(inside, areas, strict=True))
        whole = max(i / a for i, a in zip(inside, areas, strict=True))
        if whole < 0.5 and iou < (0.15 if part else 0.35):
            found.append(Instance(f'blob{attempt}', image, NOTHING, blob))
    return found


def _crops(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Picture]:
    """Yield crops, which have no masks: GrabCut from the whole frame finds the object, an ellipse replaces failures."""
    for row in json.loads((folder / 'crops.json').read_text()):
        name = row['file']
        if not wanted(name):
            continue
        rgb = read_rgb(folder / name)
        label = row['name'] if 'name' in row else MATERIAL + row['material']
        yield Picture(name, rgb, (Instance('0', name, label, foreground(rgb)),))


def crop_sets(folder: Path) -> dict[str, str]:
    """Return the set of each crop of a folder with crops.json, by file name; empty for other folders."""
    path = folder / 'crops.json'
    return {row['file']: row['set'] for row in json.loads(path.read_text())} if path.is_file() else {}


def foreground(rgb: NDArray[np.uint8]) -> Mask:
    """Return the mask of the only object in an image (Rother et al., GrabCut, 2004)."""
    height, width = rgb.shape[:2]
    scale = min(1.0, GRABCUT_SIDE / max(height, width))
    small = cv2.resize(rgb, (max(8, int(width * scale)), max(8, int(height * scale))), interpolation=cv2.INTER_AREA)
    labels = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    labels[2:-2, 2:-2] = cv2.GC_PR_FGD
    found: NDArray[Any] = grab_cut(np.asarray(small, np.uint8), labels, 2).astype(np.float32)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    if not 0.12 < mask.mean() < 0.92:
        canvas = np.zeros((height, width), np.uint8)
        axes = (int(width * 0.46), int(height * 0.46))
        cv2.ellipse(canvas, (width // 2, height // 2), axes, 0, 0, 360, 1, -1)
        mask = canvas.astype(bool)
    return np.asarray(mask)
