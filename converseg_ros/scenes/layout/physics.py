"""Rigid-body physics with MuJoCo: settling objects in containers and piles, small pushes, removal of supports."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import import_extra
from converseg_ros.scenes.geometry.mesh import Mesh
from converseg_ros.scenes.layout.builder import Thing

Pose = NDArray[np.float64]


def _hull_points(mesh: Mesh, limit: int = 40) -> NDArray[np.float32]:
    """Return extreme vertices of a mesh: in `limit` directions, and of its lowest and highest slices."""
    i = np.arange(limit) + 0.5
    z = 1 - 2 * i / limit
    a = np.pi * (1 + 5**0.5) * i
    directions = np.stack([np.sqrt(1 - z * z) * np.cos(a), np.sqrt(1 - z * z) * np.sin(a), z], 1)
    step = max(1, len(mesh.vertices) // 4000)
    points = mesh.vertices[::step]
    found = [points[(points @ directions.T).argmax(0)]]
    low, high = mesh.bounds
    ring = 2 * np.pi * np.arange(16) / 16
    around = np.stack([np.cos(ring), np.sin(ring), 0 * ring], 1)
    for end in (low[2], high[2]):
        slice_ = mesh.vertices[np.abs(mesh.vertices[:, 2] - end) < 0.02 * (high[2] - low[2]) + 0.0005]
        found.append(slice_[(slice_ @ around.T).argmax(0)])
    return np.unique(np.concatenate(found), axis=0)


def _quaternion(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    import mujoco

    q = np.zeros(4)
    mujoco.mju_mat2Quat(q, np.asarray(matrix[:3, :3], float).reshape(-1))
    return q


def _vessel_geoms(radius: float, floor: float, rim: float, square: bool) -> list[dict[str, list[float]]]:
    """Return boxes (pos, size, quat) that approximate the bottom and wall of a vessel, in its own axes."""
    geoms: list[dict[str, list[float]]] = [
        {'pos': [0, 0, floor - 0.01], 'size': [radius * 1.1, radius * 1.1, 0.01], 'quat': [1, 0, 0, 0]}
    ]
    n = 4 if square else 12
    wide = radius * np.tan(np.pi / n) * 1.05
    for k in range(n):
        a = 2 * np.pi * k / n
        lean = 0.0 if square else np.arctan2(radius * 0.3, rim) * 0.6
        r = radius + 0.008 - (0 if square else radius * 0.12)
        c, s = np.cos(a / 2), np.sin(a / 2)
        d, e = np.cos(lean / 2), np.sin(lean / 2)
        geoms.append(
            {
                'pos': [r * np.cos(a), r * np.sin(a), rim / 2],
                'size': [0.008, float(wide), rim / 2 + 0.01],
                'quat': [c * d, -s * e, c * e, s * d],
            }
        )
    return geoms


def _collider(body: Any, thing: Thing, spec: Any, name: str) -> None:
    """Add a convex collision shape to a body: a ball if the object is one, else the hull of extreme points."""
    import mujoco

    low, high = thing.shape.mesh.bounds
    size = high - low
    mass = max(thing.node.mass, 0.005)
    common = {'mass': mass, 'friction': [0.7, 0.01, 0.002], 'condim': 4}
    if thing.node.category in ('ball', 'apple', 'orange', 'lemon', 'tomato') and size.max() < 1.4 * size.min():
        r = float(size.mean() / 2)
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[r, 0, 0], pos=((low + high) / 2).tolist(), **common)
        return
    points = _hull_points(thing.shape.mesh)
    flat = points.max(0) - points.min(0)
    if len(points) < 8 or flat.min() < 0.004:
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=np.maximum(size / 2, 0.002).tolist(),
            pos=((low + high) / 2).tolist(),
            **common,
        )
        return
    spec.add_mesh(name=name, uservert=points.astype(float).reshape(-1).tolist())
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, **common)


def simulate(
    fixed: list[tuple[Pose, list[dict[str, list[float]]]]],
    movers: list[Thing],
    seconds: float,
    pushes: dict[int, NDArray[np.float64]] | None = None,
) -> list[Pose]:
    """Simulate `movers` from their poses for some seconds among fixed boxes; return their poses.

    `pushes` gives movers (by index) an initial velocity of their centre of mass in m/s, as if pushed near the top.
    """
    with import_extra('scenes'):
        import mujoco

    spec = mujoco.MjSpec()
    spec.option.timestep = 0.004
    spec.option.impratio = 5
    for pose, geoms in fixed:
        body = spec.worldbody.add_body(pos=pose[:3, 3].tolist(), quat=_quaternion(pose).tolist())
        for g in geoms:
            body.add_geom(
                type=mujoco.mjtGeom.mjGEOM_BOX,
                pos=g['pos'],
                size=g['size'],
                quat=g['quat'],
                friction=[0.7, 0.01, 0.002],
            )
    for i, thing in enumerate(movers):
        body = spec.worldbody.add_body(
            name=f'm{i}', pos=thing.pose[:3, 3].tolist(), quat=_quaternion(thing.pose).tolist()
        )
        body.add_freejoint()
        _collider(body, thing, spec, f'mesh{i}')
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    for i, velocity in (pushes or {}).items():
        address = model.body(f'm{i}').dofadr[0]
        high = movers[i].shape.mesh.bounds[1][2] - movers[i].shape.mesh.bounds[0][2]
        data.qvel[address : address + 3] = velocity
        spin = np.cross([0, 0, 1], velocity) / max(float(high) / 2, 0.01)
        data.qvel[address + 3 : address + 6] = thing_axes(movers[i].pose).T @ spin
    for _ in range(int(seconds / spec.option.timestep)):
        mujoco.mj_step(model, data)
    result = []
    for i in range(len(movers)):
        pose = np.eye(4)
        pose[:3, :3] = data.body(f'm{i}').xmat.reshape(3, 3)
        pose[:3, 3] = data.body(f'm{i}').xpos
        result.append(pose)
    return result


def thing_axes(pose: Pose) -> NDArray[np.float64]:
    """Return the rotation part of a pose."""
    return np.asarray(pose[:3, :3], float)


def settle(host: Thing, inside: list[Thing], seconds: float = 1.2) -> list[Pose]:
    """Drop objects into a vessel; return their poses at rest."""
    assert host.shape.hollow is not None
    radius, floor, rim = host.shape.hollow
    geoms = _vessel_geoms(radius, floor, rim, host.node.category == 'open box')
    return simulate([(host.pose, geoms)], inside, seconds)
