"""Errors of lifting on scenes with exact geometry: planes, placements, boxes and grasps."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame, Intrinsics
from converseg_ros.core.geometry import OrientedBox, Plane
from converseg_ros.core.instruction import Instruction, Role
from converseg_ros.datasets.images import read_image16
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.lifting.truth import (
    TABLE,
    RayCaster,
    TruthScene,
    box_iou,
    level_plane,
    placement_faults,
    plane_error,
    random_scene,
)
from converseg_ros.scenes.graph import Scene, View, object_mask

PUT = Instruction('where can I set it down', role=Role.AFFORDANCE)
GRASP = Instruction('what can I pick up', role=Role.AFFORDANCE)
MARGIN = 0.01  # metres around the footprint that must also be free
MIN_SUPPORT, MIN_OBJECT = 3000, 600  # pixels
WHOLE = 0.95  # share of an object that must be visible for a comparison of its box


@dataclass(slots=True)
class Tally:
    """Errors over one or more scenes."""

    degrees: list[float] = field(default_factory=list)
    millimetres: list[float] = field(default_factory=list)
    placements: int = 0
    good: int = 0
    scenes: int = 0
    scenes_placed: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    faulty: list[str] = field(default_factory=list)
    boxes: list[float] = field(default_factory=list)
    axis_degrees: list[float] = field(default_factory=list)

    def add(self, other: 'Tally') -> None:
        """Add another tally."""
        for f in fields(self):
            mine, theirs = getattr(self, f.name), getattr(other, f.name)
            if isinstance(mine, dict):
                for fault, count in theirs.items():
                    mine[fault] = mine.get(fault, 0) + count
            else:
                setattr(self, f.name, mine + theirs)

    def add_support(
        self,
        name: str,
        frame: Frame,
        mask: NDArray[np.bool_],
        truth: Plane,
        caster: RayCaster,
        camera: NDArray[np.float64],
        support: int,
        options: LiftOptions,
    ) -> None:
        """Evaluate the plane and the placements of one support."""
        geometry = lift_regions(frame, [(PUT, mask)], options)[0]
        self.scenes += 1
        self.scenes_placed += bool(geometry.placements)
        if geometry.plane is None or geometry.centroid is None:
            self.degrees.append(90.0)
            self.millimetres.append(1000.0)
            self.faulty.append(f'{name}: {geometry.reason or "no plane"}')
            return
        degrees, metres = plane_error(geometry.plane, truth, geometry.centroid)
        self.degrees.append(degrees)
        self.millimetres.append(1000 * metres)
        if degrees > 1 or metres > 0.005:
            self.faulty.append(f'{name}: plane off by {degrees:.2f} degrees, {1000 * metres:.1f} mm')
        for placement in geometry.placements:
            faults = placement_faults(placement, caster, camera, support, footprint=options.footprint, margin=MARGIN)
            self.placements += 1
            self.good += not faults
            for fault in faults:
                self.faults[fault] = self.faults.get(fault, 0) + 1
                self.faulty.append(f'{name}: {fault}')

    def numbers(self) -> dict[str, Any]:
        """Return the summary as JSON data."""
        out: dict[str, Any] = {'scenes': self.scenes, 'scenes_with_placement': self.scenes_placed}
        for name, values in (('plane_degrees', self.degrees), ('plane_mm', self.millimetres)):
            for label, share in (('median', 50), ('p95', 95), ('max', 100)):
                out[f'{name}_{label}'] = round(float(np.percentile(values, share)), 4) if values else None
        out['plane_within_1_degree_5_mm'] = round(
            float(np.mean((np.array(self.degrees) <= 1) & (np.array(self.millimetres) <= 5))) if self.degrees else 0.0,
            4,
        )
        out |= {
            'placements': self.placements,
            'placements_good': round(self.good / self.placements, 4) if self.placements else 0.0,
            'faults': self.faults,
            'faulty': self.faulty[:20],
        }
        if self.boxes:
            out['box_iou_median'] = round(float(np.median(self.boxes)), 3)
        if self.axis_degrees:
            out['axis_degrees_median'] = round(float(np.median(self.axis_degrees)), 2)
        return out


def _kinds(depth: NDArray[np.float32], seed: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield ideal depth and camera-like depth."""
    from converseg_ros.scenes.render.depth_camera import observe

    yield 'ideal', depth
    yield 'camera-like', observe(depth, np.random.default_rng(seed))


def judge_analytic(count: int) -> dict[str, dict[str, Any]]:
    """Return the numbers over `count` analytic tables, by kind of depth.

    In every other scene the mask also covers the objects on the table, like an inaccurate mask.
    """
    tallies = {'ideal': Tally(), 'camera-like': Tally()}
    options = LiftOptions()
    seed = -1
    while tallies['ideal'].scenes < count:
        seed += 1
        scene = random_scene(seed)
        mask = scene.labels == TABLE if seed % 2 else scene.labels >= TABLE
        if np.count_nonzero(scene.labels == TABLE) < MIN_SUPPORT:
            continue
        for kind, depth in _kinds(scene.depth, seed):
            tally, frame = tallies[kind], scene.frame(depth)
            tally.add_support(f'seed {seed}', frame, mask, scene.table, scene, scene.camera, TABLE, options)
            _judge_objects(tally, scene, frame)
    return {kind: tally.numbers() for kind, tally in tallies.items()}


def _judge_objects(tally: Tally, scene: TruthScene, frame: Frame) -> None:
    """Compare upright boxes and principal axes of completely visible objects with the true solids."""
    whole = scene.labels.copy()
    whole[1:-1, 1:-1] = 0
    cut = set(np.unique(whole).tolist())
    for solid in scene.solids[2:]:
        mask = scene.labels == solid.label
        if solid.label in cut or np.count_nonzero(mask) < MIN_OBJECT:
            continue
        _judge_box(tally, frame, mask, scene.camera, solid.box, round_all_over=solid.kind == 'sphere')


def _judge_box(
    tally: Tally,
    frame: Frame,
    mask: NDArray[np.bool_],
    camera: NDArray[np.float64],
    truth: OrientedBox,
    *,
    round_all_over: bool = False,
) -> None:
    """Compare the upright box and the principal axis of one object with its true box in the world."""
    geometry = lift_regions(frame, [(GRASP, mask)], LiftOptions(box='upright'))[0]
    if geometry.box is None or geometry.principal_axis is None:
        return
    box, world = geometry.box, camera[:3, :3]
    moved = OrientedBox(world @ box.center + camera[:3, 3], world @ box.rotation, box.size)
    tally.boxes.append(box_iou(moved, truth, 2000))
    longest = int(np.argmax(truth.size))
    if not round_all_over and float(truth.size[longest]) > 1.6 * float(np.sort(truth.size)[1]):
        cosine = abs(float(world @ geometry.principal_axis @ truth.rotation[:, longest]))
        tally.axis_degrees.append(float(np.rad2deg(np.arccos(np.clip(cosine, 0, 1)))))


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
    mesh = _Mesh(build(scene.seed, scene.split, len(scene.views)))
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
            whole = view.visible.get(str(thing.id), 0.0) >= WHOLE
            if thing.kind != 'object' or not whole or view.pixels.get(str(thing.id), 0) < MIN_OBJECT:
                continue
            own = np.array(thing.pose)
            solid = OrientedBox(own[:3, 3], own[:3, :3], np.array(thing.size))
            mask = object_mask(labels, scene, thing.id)
            if not (mask[[0, -1]].any() or mask[:, [0, -1]].any()):
                _judge_box(tally, frame, mask, pose, solid)
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
    metres = (image.astype(np.float32) / np.float32(1000) for image in (depth, noisy))
    return view, best, labels, next(metres), next(metres)


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
