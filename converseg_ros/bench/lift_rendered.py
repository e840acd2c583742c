"""Errors of lifting on rendered scenes, whose meshes are built again from their seeds."""

from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.bench.lift_truth import MIN_OBJECT, MIN_SUPPORT, Tally, judge_box
from converseg_ros.core.depth import in_metres
from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.geometry import OrientedBox
from converseg_ros.datasets.images import read_image16
from converseg_ros.lifting import LiftOptions
from converseg_ros.lifting.truth import level_plane
from converseg_ros.scenes.graph import Scene, View, object_mask

MIN_VISIBLE_SHARE = 0.95  # share of an object that must be visible for a comparison of its box


class _Mesh:
    """Ray casting in a built scene."""

    def __init__(self, built: Any) -> None:
        self.built = built

    def first(
        self, origins: NDArray[np.float64], directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return distance and object of the first surface on each ray; see RayCaster."""
        hits = self.built.caster.cast(origins.astype(np.float32), np.asarray(directions, np.float32))
        label = np.where(hits.face >= 0, self.built.owner[self.built.labels[np.maximum(hits.face, 0)]], 0)
        return hits.t.astype(np.float64), label.astype(np.int64)


def judge_rendered(folder: Path, count: int, progress: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the numbers over `count` supports in rendered scenes, by kind of depth.

    Each scene is built again from its seed to obtain its exact meshes. Scenes of an older version of the generator,
    whose depth does not agree with the mesh, are skipped and counted. progress: a file with one line per scene; scenes
    in it are not evaluated again, so that an interrupted run can be resumed.
    """
    tallies = {'ideal': Tally(), 'camera-like': Tally()}
    changed = 0
    folders = sorted(p.parent for p in folder.rglob('scene.json'))
    if not folders:
        raise InputError('no scenes', where=str(folder), do='render some with `converseg scenes`')
    done: dict[str, Any] = {}
    if progress is not None and progress.exists():
        done = {line['scene']: line['found'] for line in map(json.loads, progress.read_text().splitlines())}
    for path in folders:
        if tallies['ideal'].scenes >= count:
            break
        name = path.relative_to(folder).as_posix()
        if name not in done:
            done[name] = _judge_scene(path)
            if progress is not None:
                with progress.open('a') as file:
                    file.write(json.dumps({'scene': name, 'found': done[name]}) + '\n')
        found = done[name]
        changed += found == 'changed'
        if isinstance(found, dict):
            for kind, tally in tallies.items():
                tally.add(Tally(**found[kind]))
    return {kind: {**tally.numbers(), 'scenes_changed': changed} for kind, tally in tallies.items()}


def _judge_scene(path: Path) -> dict[str, dict[str, Any]] | str:
    """Return the tally of a scene, or why it is skipped: 'no support' or 'changed'."""
    from converseg_ros.scenes.layout.build import build

    scene = Scene.load(path)
    found = next(filter(None, (_support(path, scene, view) for view in scene.views)), None)
    if found is None:
        return 'no support'
    view, support, labels, depth, noisy = found
    mesh = _Mesh(build(scene.seed, scene.split, len(scene.views), scene.room))
    pose = np.array(view.pose)
    fx, fy, cx, cy = view.k
    k = Intrinsics(fx, fy, cx, cy, view.width, view.height)
    if not _agrees(depth, k, pose, mesh):
        return 'changed'
    top, height = _level_part(object_mask(labels, scene, support), depth, k, pose)
    if np.count_nonzero(top) < MIN_SUPPORT:
        return 'no support'
    truth = level_plane(pose, height)
    tallies = {}
    for kind, seen in (('ideal', depth), ('camera-like', noisy)):
        tally = tallies[kind] = Tally()
        frame = Frame(np.zeros((*seen.shape, 3), np.uint8), seen, k, 1, 'camera', gravity=-pose[2, :3])
        tally.add_support(f'{path.name}/{view.name}', frame, top, truth, mesh, pose, support, LiftOptions())
        for thing in scene.objects:
            whole = view.visible.get(str(thing.id), 0.0) >= MIN_VISIBLE_SHARE
            if thing.kind != 'object' or not whole or view.pixels.get(str(thing.id), 0) < MIN_OBJECT:
                continue
            own = np.array(thing.pose)
            solid = OrientedBox(own[:3, 3], own[:3, :3], np.array(thing.size))
            mask = object_mask(labels, scene, thing.id)
            if not (mask[[0, -1]].any() or mask[:, [0, -1]].any()):
                judge_box(tally, frame, mask, pose, solid)
    return {kind: asdict(tally) for kind, tally in tallies.items()}


def _support(
    path: Path, scene: Scene, view: View
) -> tuple[View, int, NDArray[np.uint16], NDArray[np.float32], NDArray[np.float32]] | None:
    """Return the view, the id of its largest surface above the floor, the labels, ideal and camera-like depth."""
    files = [path / f'{view.name}.{kind}.png' for kind in ('labels', 'depth', 'noisy')]
    if not all(file.is_file() for file in files):
        return None
    labels, depth, noisy = (read_image16(file) for file in files)
    surfaces = [o.id for o in scene.objects if o.kind == 'surface' and o.category != 'floor']
    area = {id_: int(np.count_nonzero(object_mask(labels, scene, id_))) for id_ in surfaces}
    best = max(surfaces, key=lambda id_: area[id_], default=0)
    if not best or area[best] < MIN_SUPPORT:
        return None
    return view, best, labels, in_metres(depth), in_metres(noisy)


def _world(depth: NDArray[np.float32], k: Intrinsics, pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the world points (H, W, 3) of a depth image."""
    u, v = np.meshgrid(np.arange(k.width), np.arange(k.height))
    local = np.stack([(u - k.cx) / k.fx * depth, (v - k.cy) / k.fy * depth, depth], -1)
    return local @ pose[:3, :3].T + pose[:3, 3]


def _agrees(depth: NDArray[np.float32], k: Intrinsics, pose: NDArray[np.float64], mesh: _Mesh) -> bool:
    """Return whether depth was rendered from this mesh."""
    rows, columns = (a.ravel() for a in np.mgrid[8 : k.height : 32, 8 : k.width : 32])
    rays = np.stack([(columns - k.cx) / k.fx, (rows - k.cy) / k.fy, np.ones(rows.size)], -1) @ pose[:3, :3].T
    t, _ = mesh.first(np.broadcast_to(pose[:3, 3], rays.shape), rays)
    seen = depth[rows, columns]
    known = (seen > 0) & np.isfinite(t)
    return bool(known.any() and np.mean(np.abs(t - seen)[known] < 0.004) > 0.97)


def _level_part(
    mask: NDArray[np.bool_], depth: NDArray[np.float32], k: Intrinsics, pose: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], float]:
    """Return the top of a piece of furniture, without its sides, and its height, by the mode of the heights."""
    height = _world(depth, k, pose)[..., 2]
    values = height[mask & (depth > 0)]
    counts, edges = np.histogram(values, np.arange(values.min(), values.max() + 0.01, 0.005))
    centre = edges[int(counts.argmax())] + 0.0025
    level = float(np.median(values[np.abs(values - centre) < 0.005]))
    return mask & (np.abs(height - level) < 0.006), level
