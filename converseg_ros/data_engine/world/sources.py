"""Sources of images: rendered scenes, COCO folders, or plain folders of photographs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
import hashlib
import json
from pathlib import Path
from typing import Any

from converseg_ros.core.errors import InputError
from converseg_ros.core.item import Split
from converseg_ros.core.splits import clock_of, picture_name, split_of
from converseg_ros.data_engine.world.coco_world import CocoLabels
from converseg_ros.data_engine.world.scene_world import scene_world
from converseg_ros.data_engine.world.world import World
from converseg_ros.datasets.coco import CocoFiles, find_coco
from converseg_ros.scenes.graph import Scene

PHOTOS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


@dataclass(frozen=True, slots=True)
class Shot:
    """One image to generate pairs for.

    key: hash of its content and labels. world: reads its world, or None; its argument may be the image (H, W, 3) if it
    has been read already. origin: the files of its labels. problems: labels that could not be used, once they have been
    read.
    """

    key: str
    path: Path
    image_id: str
    room: str
    split: Split
    kind: str  # scene, coco or photo
    seed: int | None = None
    world: Callable[..., World] | None = None
    origin: str = ''
    problems: Callable[[], list[str]] = list


def content_key(path: Path, *more: bytes) -> str:
    """Return a key of the bytes of a file and of all else that determines its items; InputError if unreadable."""
    try:
        digest = hashlib.sha256(path.read_bytes())
    except OSError as error:
        raise InputError(f'cannot be read ({error.strerror or error})', where=str(path)) from error
    for extra in more:
        digest.update(b'\0' + extra)
    return digest.hexdigest()[:24]


def kind_of(folder: Path) -> str:
    """Return the kind of a source folder: coco, scene or photo; raise InputError if it has no images."""
    if not folder.is_dir():
        raise InputError('no such folder', where=str(folder))
    if find_coco(folder):
        return 'coco'
    if any(folder.rglob('scene.json')):
        return 'scene'
    if any(p.suffix.lower() in PHOTOS for p in folder.rglob('*')):
        return 'photo'
    raise InputError('no images, no scenes and no COCO annotations', where=str(folder), do='name another folder')


def read_source(folder: Path) -> Iterator[Shot]:
    """Yield the shots of a folder in a fixed order; raise InputError if it has no images."""
    if not folder.is_dir():
        raise InputError('no such folder', where=str(folder))
    annotated = find_coco(folder)
    if annotated:
        for files in annotated:
            yield from _coco(files)
        return
    scenes = sorted(p.parent for p in folder.rglob('scene.json'))
    if scenes:
        for scene_folder in scenes:
            yield from _scene(scene_folder)
        return
    photos = sorted(p for p in folder.rglob('*') if p.suffix.lower() in PHOTOS and p.is_file())
    if not photos:
        raise InputError('no images, no scenes and no COCO annotations', where=str(folder), do='name another folder')
    for path in photos:
        name = path.relative_to(folder).as_posix()
        room = f'{path.parent.name}/{clock}' if (clock := clock_of(name)) else name  # a minute of a bag
        yield Shot(content_key(path), path, name, room, split_of(clock or picture_name(name)), 'photo')


def _coco(files: CocoFiles) -> Iterator[Shot]:
    labels = CocoLabels(files)
    origin = ', '.join(str(p) for p in (files.instances, files.panoptic) if p)
    for name in labels:
        path = files.images / name
        extra = json.dumps(labels.annotation(name), sort_keys=True).encode()
        key = content_key(path, extra)
        own = f'{files.prefix}{name}'
        world, problems = _without_image(partial(labels.world, name, key)), partial(labels.problems, name)
        split = split_of(picture_name(name))
        yield Shot(key, path, own, own, split, 'coco', world=world, origin=origin, problems=problems)


def _without_image(world: Callable[[], World]) -> Callable[..., World]:
    return lambda rgb=None: world()


def _scene(folder: Path) -> Iterator[Shot]:
    scene = Scene.load(folder)
    graph = (folder / 'scene.json').read_bytes()
    split: Any = scene.split
    for view in scene.views:
        path = folder / f'{view.name}.png'
        if not path.is_file():
            continue  # it is still being rendered
        labels = folder / f'{view.name}.labels.png'
        key = content_key(path, graph, labels.read_bytes() if labels.is_file() else b'')
        world = partial(scene_world, scene, view, folder, key)
        yield Shot(key, path, f'{scene.id}/{view.name}', scene.id, split, 'scene', scene.seed, world)
