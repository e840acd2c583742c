"""Tables whose geometry is known exactly, and the lifting of regions on them."""

import numpy as np

from converseg_ros.core import Instruction, Role
from converseg_ros.core.geometry import Geometry, look_at
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.lifting.truth import (
    TABLE,
    VGA,
    Solid,
    TruthScene,
)

PUT = Instruction('Where can I set down the knife?', role=Role.AFFORDANCE)
GRASP = Instruction('Pick up the mug', role=Role.AFFORDANCE)
SAFETY = Instruction('the hot plate', role=Role.SAFETY)
PLAIN = Instruction('the box')


def table(*things: Solid, eye=(0.0, -1.0, 1.3), target=(0.0, 0.0, 0.7), size=(1.2, 0.8), roll=0.0, k=VGA) -> TruthScene:
    """Return a table of height 0.7 m with things on it."""
    top = np.eye(4)
    top[2, 3] = 0.68
    floor = np.eye(4)
    floor[2, 3] = -0.05
    solids = [
        Solid('box', 1, np.array([8.0, 8.0, 0.1]), floor),
        Solid('box', TABLE, np.array([*size, 0.04]), top),
        *things,
    ]
    return TruthScene(solids, look_at(np.array(eye), np.array(target), roll), k)


def thing(kind, label, size, x=0.0, y=0.0, yaw=0.0) -> Solid:
    """Return something standing on that table."""
    pose = np.eye(4)
    c, s = np.cos(yaw), np.sin(yaw)
    pose[:2, :2] = [[c, -s], [s, c]]
    pose[:3, 3] = x, y, 0.7 + size[2] / 2
    return Solid(kind, label, np.array(size, float), pose)


def lift(scene: TruthScene, instruction=PUT, mask=None, depth=None, gravity=True, **options) -> Geometry:
    mask = scene.labels == TABLE if mask is None else mask
    return lift_regions(scene.frame(depth, gravity=gravity), [(instruction, mask)], LiftOptions(**options))[0]
