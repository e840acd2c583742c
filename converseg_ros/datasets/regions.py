"""Images with labelled regions: rendered rooms, COCO folders and data sets of the data engine, as label images.

The boundary network is trained on them, and `bench segments` evaluates on them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError, parsing
from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.item import Split
from converseg_ros.core.mask import decode_rle
from converseg_ros.core.segments import KINDS
from converseg_ros.datasets.images import read_depth, read_image16, read_rgb
from converseg_ros.datasets.polygons import rasterize

Labels = NDArray[np.int32]
LABELS = 'regions.jsonl'  # of the data engine: one line for each image
UNKNOWN_KIND = -1
# The kinds (`KINDS`) of COCO's classes. A class of heaps or coverings instead of objects has no kind.
AGENTS = frozenset(['person', 'bird', 'cat', 'dog', 'horse', 'sheep', 'cow', 'elephant', 'bear', 'zebra', 'giraffe'])
SURFACES = frozenset(
    [
        'dining table',
        'bed',
        'counter',
        'floor-wood',
        'floor-other-merged',
        'table-merged',
        'shelf',
        'road',
        'pavement-merged',
        'platform',
        'playingfield',
        'sand',
        'snow',
        'grass-merged',
        'dirt-merged',
        'gravel',
        'rug-merged',
        'stairs',
    ]
)
NO_KIND = frozenset(
    [
        'banner',
        'blanket',
        'cardboard',
        'flower',
        'fruit',
        'light',
        'net',
        'pillow',
        'towel',
        'paper-merged',
        'food-other-merged',
        'tent',
        'rock-merged',
    ]
)


@dataclass(frozen=True, slots=True)
class LabelledView:
    """One view with its regions.

    Attributes:
        name: unique in its folder.
        whole: (H, W) ids of objects, surfaces and structures, 0 where nothing is labelled.
        parts: (H, W), `whole` with the pixels of named parts replaced by the ids of the parts.
        kinds: the index in KINDS of each id of `whole`, or UNKNOWN_KIND.
        has_parts: whether parts are labelled.
        complete: whether everything is labelled; otherwise an unlabelled pixel may belong to any region.
        names: the category of each id of `whole`; empty for photographs without panoptic labels.
    """

    name: str
    view: Frame
    whole: Labels
    parts: Labels
    kinds: dict[int, int]
    has_parts: bool
    complete: bool
    names: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate that labels and image have the same size."""
        if self.whole.shape != self.view.rgb.shape[:2] or self.parts.shape != self.whole.shape:
            raise InputError(f'labels {self.whole.shape}, image {self.view.rgb.shape}', where=self.name)

    def regions(self, *, least: int = 120) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield (group, mask) of each region of at least `least` pixels: a kind of KINDS, 'unknown', or 'part'."""
        for id_, kind in self.kinds.items():
            mask = self.whole == id_
            if np.count_nonzero(mask) >= least:
                yield ('unknown' if kind == UNKNOWN_KIND else KINDS[kind]), mask
        if self.has_parts:
            wholes = set(self.kinds)
            for id_ in np.unique(self.parts):
                mask = self.parts == id_
                if id_ and int(id_) not in wholes and np.count_nonzero(mask) >= least:
                    yield 'part', mask


def labelled_names(folder: Path) -> list[str]:
    """Return the names of the labelled views of a folder.

    They are rooms (`ROOM/VIEW`), COCO's file names, or paths of images relative to a data set of the engine.
    """
    if not folder.is_dir():
        raise InputError('no such folder', where=str(folder))
    if (folder / LABELS).is_file():
        return sorted(_judged(folder))
    if (folder / 'panoptic.json').is_file() or (folder / 'instances.json').is_file():
        return sorted({*_coco(folder, 'panoptic'), *_coco(folder, 'instances')})
    names = []
    for path in sorted(folder.glob('*/scene.json')):
        names += [f'{path.parent.name}/{v["name"]}' for v in _scene(path)['views']]
    if not names:
        raise InputError('no rooms and no COCO annotations', where=str(folder), do='render rooms, see docs/scenes.md')
    return names


def read_labelled(folder: Path, name: str) -> LabelledView:
    """Read one view of `labelled_names`, with the noisy depth of a room; raise InputError if it cannot be read."""
    if (folder / LABELS).is_file():
        return _read_judged(folder, name)
    if (folder / 'panoptic.json').is_file() and name in _coco(folder, 'panoptic'):
        return _read_panoptic(folder, name)
    if (folder / 'instances.json').is_file():
        return _read_instances(folder, name)
    return _read_room(folder, name)


def own_splits(folder: Path) -> Callable[[str], Split]:
    """Return the split of each view of a data set of the engine; raise InputError for another folder."""
    if not (folder / LABELS).is_file():
        raise InputError(f'no {LABELS}', where=str(folder), do='choose another split rule, or run the engine again')
    rows = _judged(folder)
    return lambda name: rows[name]['split']


def _read_judged(folder: Path, name: str) -> LabelledView:
    """Read the regions that a judge accepted; parts are left out, and smaller regions are in front."""
    rgb = read_rgb(folder / name)
    whole = np.zeros(rgb.shape[:2], np.int32)
    kinds: dict[int, int] = {}
    names: dict[int, str] = {}
    masks = [(decode_rle(r['rle']), r) for r in _judged(folder)[name]['regions'] if r['kind'] != 'part']
    for index, (mask, row) in enumerate(sorted(masks, key=lambda pair: -np.count_nonzero(pair[0])), 1):
        if mask.shape != whole.shape:
            raise InputError(f'a mask is {mask.shape}, the image {whole.shape}', where=f'{folder}: {name}')
        whole[mask] = index
        names[index] = row['category']
        kinds[index] = KINDS.index(row['kind']) if row['kind'] in KINDS else UNKNOWN_KIND
    return LabelledView(name, Frame(rgb), whole, whole, kinds, False, False, names)


def _judged(folder: Path) -> dict[str, Any]:
    """Return the rows of a data set of the engine by image; cached."""
    path = folder / LABELS
    if path not in _read:
        with parsing('the regions of a data set', path):
            rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
            for row in rows:
                if not {'image', 'split', 'regions'} <= row.keys():
                    raise ValueError('an image needs image, split and regions')
                if any(not {'category', 'kind', 'rle'} <= region.keys() for region in row['regions']):
                    raise ValueError('a region needs category, kind and rle')
            _read[path] = {row['image']: row for row in rows}
    found: dict[str, Any] = _read[path]
    return found


def _read_room(folder: Path, name: str) -> LabelledView:
    room, _, view_name = name.partition('/')
    data = _scene(folder / room / 'scene.json')
    view = next((v for v in data['views'] if v['name'] == view_name), None)
    if view is None:
        raise InputError('no such view', where=f'{folder}: {name}')
    stem = folder / room / view_name
    parts = read_image16(stem.with_suffix('.labels.png')).astype(np.int32)
    owner, kinds = np.zeros(65536, np.int32), {}
    for thing in data['objects']:
        owner[[thing['id'], *thing['parts'].values()]] = thing['id']
        kinds[thing['id']] = KINDS.index(thing['kind'])
    fx, fy, cx, cy = view['k']
    k = Intrinsics(fx, fy, cx, cy, view['width'], view['height'])
    frame = Frame(read_rgb(stem.with_suffix('.png')), read_depth(stem.with_suffix('.noisy.png')), k)
    whole = owner[parts]
    seen = {int(i) for i in np.unique(whole)} - {0}
    names = {thing['id']: str(thing['category']) for thing in data['objects'] if thing['id'] in seen}
    return LabelledView(name, frame, whole, parts, {i: kinds[i] for i in sorted(seen)}, True, True, names)


def _read_panoptic(folder: Path, name: str) -> LabelledView:
    annotation, names = _coco(folder, 'panoptic')[name]
    painted = read_rgb(folder / 'panoptic' / annotation['file_name']).astype(np.int32)
    ids = painted[..., 0] + 256 * painted[..., 1] + 65536 * painted[..., 2]
    whole, kinds, called = np.zeros(ids.shape, np.int32), {}, {}
    for index, segment in enumerate(annotation['segments_info'], 1):
        if segment.get('iscrowd'):
            continue
        whole[ids == segment['id']] = index
        called[index] = names[segment['category_id']][0]
        kinds[index] = _kind(*names[segment['category_id']])
    return LabelledView(name, Frame(read_rgb(folder / 'images' / name)), whole, whole, kinds, False, True, called)


def _read_instances(folder: Path, name: str) -> LabelledView:
    rows, names = _coco(folder, 'instances')[name]
    rgb = read_rgb(folder / 'images' / name)
    height, width = rgb.shape[0], rgb.shape[1]
    whole, kinds = np.zeros((height, width), np.int32), {}
    for index, row in enumerate(sorted(rows, key=lambda r: -r['area']), 1):  # smaller regions are in front
        if row.get('iscrowd') or not isinstance(row['segmentation'], list):
            continue
        outlines = [(np.reshape(p, (-1, 2)) - 0.5).tolist() for p in row['segmentation'] if len(p) >= 6]
        whole[rasterize(outlines, (), height, width)] = index
        kinds[index] = _kind(*names[row['category_id']])
    return LabelledView(name, Frame(rgb), whole, whole, kinds, False, False)


def _kind(name: str, is_thing: bool) -> int:
    if name in AGENTS or name == 'hand':
        return KINDS.index('agent')
    if name in SURFACES:
        return KINDS.index('surface')
    if name in NO_KIND:
        return UNKNOWN_KIND
    return KINDS.index('object' if is_thing else 'structure')


_read: dict[Path, Any] = {}


def _coco(folder: Path, kind: str) -> dict[str, tuple[Any, dict[int, tuple[str, bool]]]]:
    """Return the annotation (panoptic) or annotations (instances) of each image, and the categories; cached."""
    path = folder / f'{kind}.json'
    if not path.is_file():
        return {}
    if path not in _read:
        with parsing('COCO annotations', path):
            data = json.loads(path.read_text())
            names = {c['id']: (c['name'], bool(c.get('isthing', 1))) for c in data['categories']}
            file_names = {i['id']: i['file_name'] for i in data['images']}
            if kind == 'panoptic':
                _read[path] = {file_names[a['image_id']]: (a, names) for a in data['annotations']}
            else:
                rows: dict[str, list[Any]] = defaultdict(list)
                for annotation in data['annotations']:
                    rows[file_names[annotation['image_id']]].append(annotation)
                _read[path] = {name: (rows[name], names) for name in file_names.values()}
    found: dict[str, tuple[Any, dict[int, tuple[str, bool]]]] = _read[path]
    return found


def _scene(path: Path) -> dict[str, Any]:
    with parsing('a scene', path, 'render it again'):
        data = json.loads(path.read_text())
        if not {'views', 'objects'} <= data.keys():
            raise ValueError('no views or objects')
    found: dict[str, Any] = data
    return found
