"""Camera poses: robot-like views of a surface and wider hand-held views, without obstruction."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import look_at
from converseg_ros.scenes.geometry.raycast import RayCaster, directions, origin
from converseg_ros.scenes.graph import View
from converseg_ros.scenes.layout.builder import Surface

WIDTH, HEIGHT = 640, 480


def make_view(name: str, pose: NDArray[np.float64], focal: float, rng: np.random.Generator) -> View:
    """Return a 640 x 480 view with a slightly off-centre principal point."""
    cx, cy = WIDTH / 2 - 0.5 + rng.normal(0, 4), HEIGHT / 2 - 0.5 + rng.normal(0, 4)
    k = [round(float(v), 3) for v in (focal, focal, cx, cy)]
    return View(name, WIDTH, HEIGHT, k, [[round(float(v), 6) for v in row] for row in pose])


def propose(
    surface: Surface,
    points: NDArray[np.float64],
    room: tuple[float, float, float],
    rng: np.random.Generator,
    wide: bool,
    far: float = 0.0,
) -> tuple[NDArray[np.float64], float]:
    """Draw a camera pose and focal length (px) for a surface with objects at N x 3 `points`."""
    w, d, h = room
    shelf = surface.clear < 0.6
    if len(points):
        target = points[rng.integers(len(points))] * 0.6 + points.mean(0) * 0.4
    else:
        target = np.array([*surface.world(0, 0), surface.z])
    target = target + rng.normal(0, 0.05, 3)
    if wide:
        distance, up = float(rng.uniform(1.4, 2.6)), float(rng.uniform(8, 35))
        focal = float(rng.uniform(450, 560))
    else:
        distance, up = float(rng.uniform(0.6, 1.5)), float(rng.uniform(22, 62))
        focal = float(rng.uniform(480, 650))
        target[2] = surface.z + 0.05 * rng.random()
    distance += far
    if shelf:
        up = float(rng.uniform(-2, 22))
        distance = max(distance, 0.8)
    around = np.radians(rng.normal(0, 32)) + surface.yaw
    up = np.radians(up)
    eye = target + distance * np.array([np.sin(around) * np.cos(up), -np.cos(around) * np.cos(up), np.sin(up)])
    eye = np.clip(eye, [-w / 2 + 0.15, -d / 2 + 0.15, 0.25], [w / 2 - 0.15, d / 2 - 0.15, h - 0.2])
    return look_at(eye, target, float(rng.normal(0, np.radians(2.5)))), focal


def choose(
    surface: Surface,
    caster: RayCaster,
    owner: NDArray[np.uint16],
    wanted: NDArray[np.uint16],
    points: NDArray[np.float64],
    room: tuple[float, float, float],
    rng: np.random.Generator,
    name: str,
    wide: bool,
    far: float = 0.0,
) -> View:
    """Return the first proposed view that is free and shows enough of the `wanted` objects, else the best one."""
    best: tuple[float, View] | None = None
    for _ in range(14):
        pose, focal = propose(surface, points, room, rng, wide, far)
        view = make_view(name, pose, focal, rng)
        hits = caster.cast(origin(view), directions(view, 16))
        near = np.where(np.isfinite(hits.t), hits.t, 9.0)
        ids, counts = np.unique(owner[caster.labels[hits.face[hits.face >= 0]]], return_counts=True)
        shown = np.isin(ids, wanted)
        share = float(counts[shown].sum()) / len(near)
        score = int((counts[shown] >= 2).sum()) + 10 * min(share, 0.3) - 20 * float((near < 0.36).mean())
        blocked = float(np.quantile(near, 0.02)) < 0.36
        if not blocked and share > (0.04 if wide else 0.08) and (counts[shown] >= 2).sum() >= min(4, len(wanted)):
            return view
        if best is None or score - 5 * blocked > best[0]:
            best = (score - 5 * blocked, view)
    assert best is not None
    return best[1]
