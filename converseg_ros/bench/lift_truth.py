"""Errors of lifting on scenes with exact geometry: planes, placements, boxes and grasps."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import OrientedBox, Plane
from converseg_ros.core.instruction import Instruction, Role
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.lifting.truth import (
    TABLE,
    RayCaster,
    TruthScene,
    box_iou,
    placement_faults,
    plane_error,
    random_scene,
)

PUT = Instruction('where can I set it down', role=Role.AFFORDANCE)
GRASP = Instruction('what can I pick up', role=Role.AFFORDANCE)
MARGIN = 0.01  # metres around the footprint that must also be free
MIN_SUPPORT, MIN_OBJECT = 3000, 600  # pixels


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
        judge_box(tally, frame, mask, scene.camera, solid.box, round_all_over=solid.kind == 'sphere')


def judge_box(
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
