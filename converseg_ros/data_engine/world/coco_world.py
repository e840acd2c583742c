# ruff: noqa: E501 - tables read best in rows
"""Worlds from COCO annotations: instances (polygons, RLE) and panoptic PNGs."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import parsing
from converseg_ros.data_engine.world.world import SURFACES, Entity, World
from converseg_ros.datasets.coco import Annotated, CocoFiles, CocoInstances
from converseg_ros.datasets.images import read_rgb
from converseg_ros.knowledge import class_of

# Properties and kinds of many objects outside COCO's classes: headphones are electric, a paper towel burns.
OPEN_TAGS = frozenset(
    {
        'light_weight', 'flammable', 'electric', 'graspable', 'fragile', 'wearable', 'container', 'contain_small', 'lights',
        'openable', 'soft', 'transparent', 'electronics', 'clothing', 'accessory', 'small thing', 'linen', 'tool',
        'cleaning tool', 'stationery', 'utensil', 'bathroom item', 'appliance', 'toy', 'light', 'storage', 'electrical fitting',
        'hang', 'carry', 'wipe', 'write_on', 'stick', 'plant', 'alive', 'needs_water', 'cutting tool', 'listen', 'readable',
        'reading material', 'heavy', 'shock', 'cleans', 'gets_hot', 'hot', 'holds_liquid', 'dish', 'play',
    }
)  # fmt: skip
# More than 80 classes have these, so they are open if stuff is not labelled.
OPEN_STUFF_TAGS = frozenset(
    {
        'supports', 'walk_on', 'furniture', 'serve', 'reflects', 'plumbing', 'swim', 'ground', 'water', 'flooring',
        'food', 'fruit', 'vegetable', 'edible', 'sweet',
    }
)  # fmt: skip
# Stuff in small pieces, or without clear borders: annotators use another class or omit it.
LOOSE_STUFF = frozenset(
    {
        'banner', 'blanket', 'cabinet', 'cardboard', 'counter', 'curtain', 'door', 'flower', 'food', 'fruit', 'light', 'mirror',
        'net', 'paper', 'pillow', 'rug', 'shelf', 'table', 'towel', 'window', 'window blind', 'stairs', 'roof', 'rock', 'dirt',
    }
)  # fmt: skip
VOID = 0.05  # share of unlabelled pixels above which stuff is labelled only partially
SCREENS = frozenset({'TV', 'laptop', 'cell phone', 'mirror'})
MIN_SHARE_AT_EDGE = 0.003  # share of the image below which an object at the edge of the image is not recognisable
MANY = 6  # of one class: annotators omit some members of a crowd
CLUTTER = 9  # of one kind
SCRAP = 0.02  # share of the image below which stuff is often a remainder of something else
MIN_NOTICEABLE_SHARE = 0.0008  # share of the image below which an object is easily overlooked
FLAT_CLASSES = frozenset({'table', 'dining table', 'counter', 'shelf', 'desk', 'bed', 'couch', 'bench', 'rug'})


class CocoLabels:
    """The annotations of a set of images: instances, panoptic, or both."""

    def __init__(self, files: CocoFiles) -> None:
        self.files = files
        self._instances = CocoInstances(files.instances, files.images) if files.instances else None
        self._panoptic: dict[str, tuple[Annotated, dict[str, Any]]] = {}
        self._categories: dict[str, tuple[str, bool]] = {}  # panoptic: id -> name, whether it is an object
        if files.panoptic:
            self._read_panoptic(files.panoptic)

    def _read_panoptic(self, path: Path) -> None:
        with parsing('COCO annotations', path):
            data = json.loads(path.read_text(encoding='utf-8-sig'))
            images = {str(i['id']): i for i in data['images']}
            self._categories = {str(c['id']): (c['name'], bool(c.get('isthing', 1))) for c in data['categories']}
            for annotation in data['annotations']:
                name = str(images[str(annotation['image_id'])]['file_name'])
                self._panoptic[name] = Annotated(name, rows=list(annotation['segments_info'])), annotation

    def __iter__(self) -> Iterator[str]:
        """Yield the file names of the annotated images."""
        yield from sorted({*self._panoptic, *(self._instances or ())})

    def annotation(self, file_name: str) -> dict[str, Any]:
        """Return the annotations, for the content key of the image."""
        if file_name in self._panoptic:
            return self._panoptic[file_name][1]
        assert self._instances is not None
        return {'instances': self._instances.images[file_name].rows}

    def problems(self, file_name: str) -> list[str]:
        """Return the errors in an image's annotations, as far as they have been read."""
        if file_name in self._panoptic:
            return self._panoptic[file_name][0].problems
        return self._instances.images[file_name].problems if self._instances else []

    def world(self, file_name: str, key: str) -> World:
        """Return the world of one image; raise InputError if its annotations cannot be read."""
        if file_name in self._panoptic:
            return self._panoptic_world(file_name, key)
        assert self._instances is not None
        found = self._instances.annotations(file_name)
        height, width = self._instances.size(file_name)
        entities = {a.key: _entity(a.key, a.category, a.mask, True, a.crowd) for a in found}
        vocabulary = frozenset(class_of(n).name for n in self._instances.categories.values())
        return _related(
            World(
                key,
                width,
                height,
                entities,
                vocabulary=vocabulary,
                unsure=_unsure(entities, height * width),
                doubtful=frozenset(class_of(n).name for n in self._instances.images[file_name].doubtful),
                open_tags=OPEN_TAGS | OPEN_STUFF_TAGS,
            )
        )

    def _panoptic_world(self, file_name: str, key: str) -> World:
        image, annotation = self._panoptic[file_name]
        assert self.files.panoptic is not None
        folder = self.files.panoptic.with_suffix('')
        rgb = read_rgb(folder / annotation['file_name']).astype(np.int64)
        ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
        entities = {}
        for number, segment in enumerate(image.rows):
            own = segment.get('id') if isinstance(segment, dict) else None
            known = self._categories.get(str(segment.get('category_id'))) if own is not None else None
            if known is None:
                image.leave_out(f's{number}', 'no id or no known category', {n for n, _ in self._categories.values()})
                continue
            mask = ids == own
            entities[f'a{own}'] = _entity(f'a{own}', known[0], mask, known[1], segment.get('iscrowd') in (1, True))
            if not mask.any():
                image.leave_out(f'a{own}', f'{known[0]}: no pixel has this id', {known[0]})
        void = 1 - sum(e.area for e in entities.values()) / ids.size > VOID
        names = {class_of(n).name: is_thing for n, is_thing in self._categories.values()}
        vocabulary = frozenset(n for n, is_thing in names.items() if is_thing or not (void or n in LOOSE_STUFF))
        return _related(
            World(
                key,
                ids.shape[1],
                ids.shape[0],
                entities,
                vocabulary=vocabulary,
                facts=frozenset({'stuff'}),
                unsure=_unsure(entities, ids.size) | {n for n, is_thing in names.items() if void and not is_thing},
                doubtful=frozenset(class_of(n).name for n in image.doubtful),
                open_tags=OPEN_TAGS | OPEN_STUFF_TAGS if void else OPEN_TAGS,
            )
        )


def _unsure(entities: dict[str, Entity], pixels: int) -> frozenset[str]:
    """Return the categories of which some instances are likely to be unlabelled: many, or several with tiny ones."""
    areas: dict[str, list[int]] = defaultdict(list)
    for e in entities.values():
        if e.kind in ('object', 'agent') and e.area:
            areas[e.category].append(e.area)
    out = {
        c
        for c, rows in areas.items()
        if len(rows) >= MANY or (len(rows) >= 2 and min(rows) < MIN_NOTICEABLE_SHARE * pixels)
    }
    kinds = Counter(k for e in entities.values() if e.area for k in e.thing.kinds)
    out |= {e.category for e in entities.values() if any(kinds[k] >= CLUTTER for k in e.thing.kinds)}
    stuff = [e for e in entities.values() if e.kind not in ('object', 'agent')]
    return frozenset(out | {e.category for e in stuff if e.area < SCRAP * pixels})


def _entity(key: str, name: str, mask: NDArray[np.bool_], is_thing: bool, crowd: bool) -> Entity:
    known = class_of(name)
    kind = 'agent' if 'agent' in known.kinds or known.name == 'person' else 'object' if is_thing else 'stuff'
    if not is_thing and known.name in SURFACES:
        kind = 'surface'
    return Entity(key, known.name, mask, kind=kind, tags=known.tags, maybe=known.doubtful, crowd=crowd)


def _related(world: World) -> World:
    """Add relations that the annotations support: contact of masks, and support by a flat object in the image plane."""
    import cv2

    things = [e for e in world.nameable if not world.faint(e) and not e.crowd]
    kernel = np.ones((5, 5), np.uint8)
    grown = {e.key: cv2.dilate(e.mask.view(np.uint8), kernel).view(bool) for e in things}
    contacts: dict[str, set[str]] = defaultdict(set)
    for i, a in enumerate(things):
        for b in things[i + 1 :]:
            if a.box.x0 > b.box.x1 + 3 or b.box.x0 > a.box.x1 + 3 or a.box.y0 > b.box.y1 + 3 or b.box.y0 > a.box.y1 + 3:
                continue
            if np.count_nonzero(grown[a.key] & b.mask) >= 12:
                contacts[a.key].add(b.key)
                contacts[b.key].add(a.key)
    entities = dict(world.entities)
    for e in things:
        flats = [world.entities[k] for k in contacts[e.key] if world.entities[k].category in FLAT_CLASSES]
        support = ''
        if (
            e.category not in FLAT_CLASSES
            and e.kind != 'stuff'
            and 'vehicle' not in e.thing.kinds
            and 'furniture' not in e.thing.kinds
        ):
            for flat in flats:
                if _stands_on(e, flat):
                    support = flat.key if not support else '?'
        entities[e.key] = replace(e, contacts=frozenset(contacts[e.key]), support='' if support == '?' else support)
    return replace(world, entities={k: _doubted(e, world) for k, e in entities.items()})


def _doubted(e: Entity, world: World) -> Entity:
    """Return an object with the doubts that its surroundings raise about the properties of its class."""
    doubts: set[str] = set()
    screens = [s.box for s in world.nameable if s.category in SCREENS and s.key != e.key]
    x0, y0, x1, y1 = e.box
    if any(s.x0 <= x0 + 3 and s.y0 <= y0 + 3 and s.x1 >= x1 - 3 and s.y1 >= y1 - 3 for s in screens):
        doubts |= {'moves', 'alive'}  # it may be a picture of it
    if e.category == 'bottle' and any(o.category in ('sink', 'toilet') for o in world.nameable):
        doubts |= {'drink', 'pours'}  # it is often soap
    visible = 0.0 if world.cut_off(e) and e.area < MIN_SHARE_AT_EDGE * world.width * world.height else e.visible
    return replace(e, maybe=e.maybe | doubts, tags=e.tags - doubts, visible=visible)


def _stands_on(e: Entity, flat: Entity) -> bool:
    """Return whether the lowest pixels of `e` meet `flat` on its upper face, in the image plane."""
    band = max(3, (e.box.y1 - e.box.y0) // 12)
    foot = np.zeros_like(e.mask)
    foot[max(0, e.box.y1 - band) : e.box.y1 + 4, e.box.x0 : e.box.x1] = True
    columns = e.mask[max(0, e.box.y1 - band) : e.box.y1].any(0)
    under = (flat.mask & foot)[:, columns].any(0)
    wide = under.size > 0 and under.mean() >= 0.6
    return bool(wide and e.area < 0.7 * flat.area and e.box.y1 <= flat.box.y1 and e.cy < flat.box.y1 - 2)
