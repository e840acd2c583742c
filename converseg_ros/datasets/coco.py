"""COCO annotations as COCO, Roboflow and CVAT write them: masks by pycocotools, and what is unusable is said.

An annotation that cannot be used (no segmentation, a broken one, one outside of the image, an unknown category) is
left out and reported, and its class is doubtful in that image: nothing may be said to be absent or complete of it.
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

from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.mask import decode_rle

FAR_OUT = 4  # image sizes beyond the edge at which a coordinate is taken for broken


@dataclass(frozen=True, slots=True)
class CocoFiles:
    """The files of one annotated set. prefix: of its image names, where a folder holds several sets."""

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
    """One image's annotations as they were written: rows and what was found wrong while the file was read."""

    file_name: str
    width: int = 0  # 0 where the file does not say
    height: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # of the rows
    doubtful: set[str] = field(default_factory=set)  # categories with an unusable annotation
    problems: list[str] = field(default_factory=list)

    def leave_out(self, key: str, why: str, categories: set[str]) -> None:
        """Note that an annotation is unusable, and which categories it may have been of."""
        problem = f'annotation {key}: {why}'
        if problem not in self.problems:
            self.problems.append(problem)
        self.doubtful |= categories


def find_coco(folder: Path) -> list[CocoFiles]:
    """Return the annotated sets of a folder: our layout, or as COCO, Roboflow and CVAT ship them; [] for none.

    Ours: images/ beside instances.json and panoptic.json. COCO: annotations/instances_NAME.json and
    annotations/panoptic_NAME.json with images in NAME/ or images/NAME/. Roboflow: NAME/_annotations.coco.json among
    the images. CVAT: annotations/instances_NAME.json with images in images/, or images/NAME/.
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
        """Read the file; raise InputError where it is not COCO's format as a whole."""
        self.path, self.folder = path, images
        self.images: dict[str, Annotated] = {}
        try:
            data = json.loads(path.read_text(encoding='utf-8-sig'))
            self.categories = {str(c['id']): str(c['name']) for c in data['categories']}
            by_id = {str(row['id']): self._image(row) for row in data['images']}
            rows = list(data['annotations'])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f'not COCO annotations ({error!r})', where=str(path)) from error
        self.unplaced = 0  # annotations of no image
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
        """Return the entry of an image row; one for all the rows that name the same file."""
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
        """Return (height, width) of an image: as annotated, otherwise of the image file."""
        image = self.images[file_name]
        if not image.width:
            from converseg_ros.datasets.images import read_rgb

            image.height, image.width = read_rgb(self.folder / file_name).shape[:2]
        return image.height, image.width

    def annotations(self, file_name: str) -> list[Annotation]:
        """Return the usable annotations of an image; the others are noted in `images[file_name]`."""
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
    """Return the (H, W) mask of COCO's polygons or run-length code; raise InputError where it is unusable or empty."""
    if isinstance(segmentation, list):
        mask = polygons_mask(segmentation, height, width)
    elif isinstance(segmentation, dict):
        mask = _rle_mask(segmentation, height, width)
    else:
        raise InputError('no segmentation' if segmentation is None else 'neither polygons nor RLE', where='COCO')
    if not mask.any():
        raise InputError('no pixel of the image is in it', where='COCO')
    return mask


def polygons_mask(polygons: list[Any], height: int, width: int) -> NDArray[np.bool_]:
    """Return the (H, W) union of COCO polygons [x, y, x, y, ...] in pixels, drawn by pycocotools."""
    try:
        from pycocotools import mask as coco
    except ImportError as error:
        raise ConversegError('COCO polygons need pycocotools', do="pip install 'converseg_ros[engine]'") from error
    if not polygons:
        raise InputError('an empty segmentation', where='COCO')
    limit = FAR_OUT * max(height, width)
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise InputError('a polygon needs at least three pairs x, y', where='COCO')
        if not all(isinstance(v, int | float) and math.isfinite(v) and abs(v) <= limit for v in polygon):
            raise InputError('a coordinate is no number of this image', where='COCO')
    runs = coco.frPyObjects([[float(v) for v in p] for p in polygons], height, width)
    return np.asarray(np.asarray(coco.decode(runs)).any(-1), bool)


def _rle_mask(rle: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask of COCO's run-length code, as counts or in its compressed form."""
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
    """Return the runs of COCO's compressed RLE: 5 bits a character, from the fourth run on differences to two before.

    pycocotools reads beyond its memory where such a text is broken; here the runs are checked by their sum.
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
