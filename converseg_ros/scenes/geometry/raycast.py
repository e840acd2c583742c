"""Visibility by ray casting (Embree through Open3D): depth, labels, unoccluded shares."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import import_extra
from converseg_ros.scenes.geometry import kernels
from converseg_ros.scenes.geometry.mesh import Mesh
from converseg_ros.scenes.graph import View

Array = NDArray[np.float32]
SAMPLE_STRIDE = 3  # visible shares are computed on every third pixel of every third row


@dataclass(slots=True)
class Hits:
    """Hits of rays: distance in units of the direction (inf: none), face (-1: none), barycentric coordinates."""

    t: Array
    face: NDArray[np.int64]
    uv: Array


class RayCaster:
    """Casts rays against one world-space mesh; `labels` is the label id of each face."""

    def __init__(self, mesh: Mesh, labels: NDArray[np.uint16], threads: int = 1) -> None:
        with import_extra('scenes'):
            import open3d

        self.mesh = mesh
        self.labels = labels
        self.threads = threads
        tensor: Any = open3d.core.Tensor  # its stubs lack the constructor from an array alone
        self._tensor = tensor
        self._scene = open3d.t.geometry.RaycastingScene(nthreads=threads)
        self._scene.add_triangles(
            tensor(np.ascontiguousarray(mesh.vertices)),
            tensor(np.ascontiguousarray(mesh.faces.astype(np.uint32))),
        )

    def _rays(self, origins: Array, directions: Array) -> Any:
        rays = np.empty((len(directions), 6), np.float32)
        rays[:, :3] = origins
        rays[:, 3:] = directions
        return self._tensor(rays)

    def cast(self, origins: Array, directions: Array) -> Hits:
        """Return the first hits of N rays (origins broadcast)."""
        found = self._scene.cast_rays(self._rays(origins, directions), nthreads=self.threads)
        t = found['t_hit'].numpy()
        face = found['primitive_ids'].numpy().astype(np.int64)
        face[~np.isfinite(t)] = -1
        return Hits(t, face, found['primitive_uvs'].numpy())

    def blocked(self, rays: Array, far: float) -> NDArray[np.bool_]:
        """Return whether each of N x 6 rays hits anything nearer than `far` (in units of its direction)."""
        found = self._scene.test_occlusions(self._tensor(rays), 0.0, far, nthreads=self.threads)
        return np.asarray(found.numpy(), bool)

    def layers(self, origin: Array, directions: Array) -> tuple[NDArray[np.int64], Array, NDArray[np.uint16]]:
        """Return (ray index, distance, label) of every crossing of every ray from one origin."""
        found = self._scene.list_intersections(self._rays(origin, directions), nthreads=self.threads)
        faces = found['primitive_ids'].numpy().astype(np.int64)
        return found['ray_ids'].numpy().astype(np.int64), found['t_hit'].numpy(), self.labels[faces]


def directions(view: View, step: int = 1) -> Array:
    """Return N x 3 world directions of (every `step`-th) pixel centre, row-major; distance along them is depth (z)."""
    fx, fy, cx, cy = view.k
    u, v = np.meshgrid(np.arange(0, view.width, step), np.arange(0, view.height, step))
    middle = (step - 1) / 2
    local = np.stack([(u + middle - cx) / fx, (v + middle - cy) / fy, np.ones(u.shape)], 2)
    return np.asarray(local.reshape(-1, 3) @ np.array(view.pose)[:3, :3].T, np.float32)


def origin(view: View) -> Array:
    """Return the position of the camera in the world frame, metres."""
    return np.array(view.pose, np.float32)[:3, 3]


def measure(caster: RayCaster, view: View, labels: NDArray[np.uint16], owner: NDArray[np.uint16]) -> None:
    """Set the pixels, visible shares and occluders of the view; `owner` maps a label id to the id of its object."""
    objects = owner[labels]
    counts = np.bincount(objects.reshape(-1))
    view.pixels = {str(i): int(counts[i]) for i in np.nonzero(counts)[0] if i}
    rays, t, crossed = caster.layers(origin(view), directions(view, SAMPLE_STRIDE))
    whole, hidden = kernels.shares(rays, t, owner[crossed], int(owner.max()) + 1)
    seen = whole - hidden.sum(1)
    view.visible = {str(i): round(float(seen[i] / whole[i]), 4) for i in np.nonzero(whole)[0] if i}
    view.occluded_by = {}
    for back, before in np.argwhere((hidden >= 8) & (hidden >= 0.04 * whole[:, None])):
        if str(back) in view.pixels:
            view.occluded_by.setdefault(str(back), []).append(int(before))
