"""COCO annotations in the layouts of COCO, Roboflow and CVAT; masks are rasterized by pycocotools.

An annotation that cannot be used (no segmentation, a malformed one, one outside of the image, an unknown category) is
skipped and reported. Its class is uncertain in that image: it must not be called absent or complete.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError, import_extra, parsing
from converseg_ros.core.mask import decode_rle

FAR_OUT = 4  # image sizes beyond the edge at which a coordinate counts as invalid


@dataclass(frozen=True, slots=True)
class CocoFiles:
    """The files of one annotated set. prefix: of its image names, if a folder contains several sets."""

    images: Path
    instances: Path | None = None
    panoptic: Path | None = None
    prefix: str = ''


@dataclass(frozen=True, slots=True)
class Annotation:
    """One usable annotation of an image; `mask` is (H, W) bool and not empty."""

    key: str
    category: str
    mask: NDArray[np.bool_]
    crowd: bool = False


@dataclass
class Annotated:
    """The annotation rows of one image, and the errors that were found while the file was read."""

    file_name: str
    width: int = 0  # 0 if unknown
    height: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # one key for each row
    doubtful: set[str] = field(default_factory=set)  # categories with an unusable annotation
    problems: list[str] = field(default_factory=list)

    def leave_out(self, key: str, why: str, categories: set[str]) -> None:
        """Record that an annotation is unusable, and the categories that it may belong to."""
        problem = f'annotation {key}: {why}'
        if problem not in self.problems:
            self.problems.append(problem)
        self.doubtful |= categories


def find_coco(folder: Path) -> list[CocoFiles]:
    """Return the annotated sets of a folder in our layout or that of COCO, Roboflow or CVAT; [] if there are none.

    Ours: images/ with instances.json and panoptic.json in the parent folder. COCO: annotations/instances_NAME.json and
    annotations/panoptic_NAME.json with images in NAME/ or images/NAME/. Roboflow: NAME/_annotations.coco.json in the
    folder of the images. CVAT: annotations/instances_NAME.json with images in images/ or images/NAME/.
    """
    own = {n: folder / f'{n}.json' for n in ('instances', 'panoptic')}
    if any(p.is_file() for p in own.values()):
        there = {n: p if p.is_file() else None for n, p in own.items()}
        return [CocoFiles(folder / 'images', there['instances'], there['panoptic'])]
    roboflow = sorted(folder.glob('*/_annotations.coco.json')) + sorted(folder.glob('_annotations.coco.json'))
    if roboflow:
        return [CocoFiles(p.parent, p, prefix='' if p.parent == folder else f'{p.parent.name}/') for p in roboflow]
    names: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in sorted((folder / 'annotations').glob('*.json')):
        kind, _, name = path.stem.partition('_')
        if kind in ('instances', 'panoptic'):
            names[name][kind] = path
    found = []
    for name, files in names.items():
        places = (folder / name, folder / 'images' / name, folder / 'images', folder)
        images = next((p for p in places if p.is_dir()), folder)
        prefix = f'{name}/' if len(names) > 1 else ''
        found.append(CocoFiles(images, files.get('instances'), files.get('panoptic'), prefix))
    return found


class CocoInstances:
    """An instances file: its categories, and the annotations of each image, found by file name."""

    def __init__(self, path: Path, images: Path) -> None:
        """Read the file; raise InputError if it is not in COCO's format."""
        self.path, self.folder = path, images
        self.images: dict[str, Annotated] = {}
        with parsing('COCO annotations', path):
            data = json.loads(path.read_text(encoding='utf-8-sig'))
            self.categories = {str(c['id']): str(c['name']) for c in data['categories']}
            by_id = {str(row['id']): self._image(row) for row in data['images']}
            rows = list(data['annotations'])
        self.unplaced = 0  # annotations without an image
        used: dict[tuple[str, str], int] = defaultdict(int)
        for number, row in enumerate(rows):
            image = by_id.get(str(row.get('image_id'))) if isinstance(row, dict) else None
            if image is None:
                self.unplaced += 1
                continue
            own = str(row.get('id', f'n{number}'))
            used[image.file_name, own] += 1
            times = used[image.file_name, own]
            image.rows.append(row)
            image.keys.append(f'a{own}' if times == 1 else f'a{own}-{times}')  # ids are not always unique

    def _image(self, row: dict[str, Any]) -> Annotated:
        """Return the entry of an image row; rows with the same file name share one entry."""
        name = str(row['file_name'])
        known = self.images.setdefault(name, Annotated(name))
        if not known.width:
            size = [row.get(k) for k in ('width', 'height')]
            if all(isinstance(v, int | float) and math.isfinite(v) and v >= 1 for v in size):
                known.width, known.height = (int(v) for v in size if v is not None)
        return known

    def __iter__(self) -> Iterator[str]:
        """Yield the file names of the images."""
        yield from sorted(self.images)

    def size(self, file_name: str) -> tuple[int, int]:
        """Return (height, width) of an image from its row, otherwise from the image file."""
        image = self.images[file_name]
        if not image.width:
            from converseg_ros.datasets.images import read_rgb

            image.height, image.width = read_rgb(self.folder / file_name).shape[:2]
        return image.height, image.width

    def annotations(self, file_name: str) -> list[Annotation]:
        """Return the usable annotations of an image; the others are recorded in `images[file_name]`."""
        image = self.images[file_name]
        height, width = self.size(file_name)
        found = []
        for key, row in zip(image.keys, image.rows):
            name = self.categories.get(str(row.get('category_id')))
            if name is None:
                why = f'no category {row.get("category_id")!r}'
                image.leave_out(key, why, set(self.categories.values()))
                continue
            try:
                mask = segmentation_mask(row.get('segmentation'), height, width)
            except InputError as error:
                image.leave_out(key, f'{name}: {error.what}', {name})
                continue
            found.append(Annotation(key, name, mask, row.get('iscrowd') in (1, True, '1')))
        return found


def segmentation_mask(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Return the (H, W) mask of COCO polygons or RLE; raise InputError if it is unusable or empty."""
    if isinstance(segmentation, list):
        mask = polygons_mask(segmentation, height, width)
    elif isinstance(segmentation, dict):
        mask = _rle_mask(segmentation, height, width)
    else:
        raise InputError('no segmentation' if segmentation is None else 'neither polygons nor RLE', where='COCO')
    if not mask.any():
        raise InputError('no pixel of the image is inside', where='COCO')
    return mask


def polygons_mask(polygons: list[Any], height: int, width: int) -> NDArray[np.bool_]:
    """Return the (H, W) union of COCO polygons [x, y, x, y, ...] in pixels, rasterized by pycocotools."""
    with import_extra('engine'):
        from pycocotools import mask as coco
    if not polygons:
        raise InputError('an empty segmentation', where='COCO')
    limit = FAR_OUT * max(height, width)
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise InputError('a polygon needs at least three pairs x, y', where='COCO')
        if not all(isinstance(v, int | float) and math.isfinite(v) and abs(v) <= limit for v in polygon):
            raise InputError('a coordinate is not a number, or is far outside of the image', where='COCO')
    runs = coco.frPyObjects([[float(v) for v in p] for p in polygons], height, width)
    return np.asarray(np.asarray(coco.decode(runs)).any(-1), bool)


def _rle_mask(rle: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask of COCO's RLE, as counts or compressed."""
    size, counts = rle.get('size'), rle.get('counts')
    if size != [height, width] and size != (height, width):
        raise InputError(f'the RLE is of {size}, the image of {[height, width]}', where='COCO')
    if isinstance(counts, str | bytes):
        counts = _counts(counts.encode() if isinstance(counts, str) else counts)
    try:
        return decode_rle({'size': size, 'counts': counts})
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f'a broken RLE ({error})', where='COCO') from error


def _counts(text: bytes) -> list[int]:
    """Return the runs of COCO's compressed RLE.

    A run is stored with 5 bits per character; from the fourth run on, as the difference to the run two before.
    pycocotools reads beyond its memory if such a text is malformed, so the sum of the runs is checked here.
    """
    counts: list[int] = []
    at = 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            if at == len(text) or not 48 <= text[at] < 112 or shift > 60:
                raise InputError('a broken RLE text', where='COCO')
            bits = text[at] - 48
            value |= (bits & 31) << shift
            more = bool(bits & 32)
            at, shift = at + 1, shift + 5
            if not more and bits & 16:
                value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts
