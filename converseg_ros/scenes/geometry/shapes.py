"""Procedural solids: boxes, surfaces of revolution, extrusions, tubes and balls, with texture coordinates in metres."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from converseg_ros.scenes.geometry.mesh import Material, Mesh, join, make, rotation, translation

Points = NDArray[np.float64]


def box(x: float, y: float, z: float, material: Material, part: str = '', bottom: float = 0.0) -> Mesh:
    """Return an axis-aligned box centred in x and y, standing on `bottom`."""
    s = np.array([x / 2, y / 2, 1])
    v = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (0, 1)], float) * s
    v[:, 2] = bottom + v[:, 2] * z
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [f for a, b, c, d in quads for f in ((a, b, c), (a, c, d))]
    return make(v, np.array(faces), material=material, part=part)


def label_box(x: float, y: float, z: float, material: Material) -> Mesh:
    """Return a box whose front, back and sides each show the whole texture once (a printed carton)."""
    mesh = box(x, y, z, material)
    low, high = mesh.bounds
    unit = (mesh.vertices - low) / (high - low)
    corners = unit[mesh.faces]
    normal = np.abs(mesh.normals[:, 0])
    u = np.where(normal[:, None, 0] > 0.5, corners[..., 1], corners[..., 0])
    signed = mesh.normals[:, 0]
    away = (signed[:, 1] > 0.5) | (signed[:, 0] < -0.5)  # seen from behind, left and right are swapped
    u = np.where(away[:, None], 1 - u, u)
    v = np.where(normal[:, None, 2] > 0.5, corners[..., 1] * 0.1, corners[..., 2])
    mesh.uv = np.stack([u, v], 2).astype(np.float32)
    return mesh


def turned(
    profile: Sequence[tuple[float, float]], material: Material, part: str = '', segments: int = 32, crease: float = 40.0
) -> Mesh:
    """Return the surface of revolution about z of (radius, height) points; u runs around, v along, in metres."""
    p = np.array(profile, float)
    n = len(p)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    v = np.concatenate([np.c_[ring * r, np.full(segments + 1, z)] for r, z in p])
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(p, axis=0).T))]
    around = angle * p[:, 0].max()
    uvs = np.stack([np.tile(around, n), np.repeat(along, segments + 1)], 1)
    faces = []
    for i in range(n - 1):
        a = i * (segments + 1) + np.arange(segments)
        b = a + segments + 1
        if p[i, 0] > 1e-6:
            faces.append(np.stack([a, a + 1, b + 1], 1))
        if p[i + 1, 0] > 1e-6:
            faces.append(np.stack([a, b + 1, b], 1))
    index = np.concatenate(faces)
    return make(v, index, uv=uvs[index], material=material, part=part, crease=crease)


def tube(path: Points, radius: float | Sequence[float], material: Material, part: str = '', sides: int = 10) -> Mesh:
    """Return a round bar along N x 3 points, closed at its ends."""
    path = np.asarray(path, float)
    radii = np.broadcast_to(np.asarray(radius, float), len(path))
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    side = np.array([0.0, 0.0, 1.0]) if abs(tangent[0, 2]) < 0.9 else np.array([1.0, 0.0, 0.0])
    rings = []
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    for point, t, r in zip(path, tangent, radii):
        side = side - t * (side @ t)
        side /= np.linalg.norm(side)
        other = np.cross(t, side)
        rings.append(point + r * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * other))
    v = np.concatenate([*rings, path[:1], path[-1:]])
    faces: list[list[int]] = []
    n = len(path)
    for i in range(n - 1):
        for j in range(sides):
            a, b = i * sides + j, i * sides + (j + 1) % sides
            faces += [[a, b, b + sides], [a, b + sides, a + sides]]
    for j in range(sides):
        k = (j + 1) % sides
        faces += [[n * sides, k, j], [n * sides + 1, (n - 1) * sides + j, (n - 1) * sides + k]]
    return make(v, np.array(faces), material=material, part=part)


def ball(radius: float, material: Material, squash: float = 1.0) -> Mesh:
    """Return a ball standing on z = 0, its height multiplied by `squash`."""
    a = np.linspace(-np.pi / 2, np.pi / 2, 17)
    return turned(list(zip(radius * np.cos(a), radius * squash * (1 + np.sin(a)))), material, '', 28, 80)


def plate(outline: Points, thickness: float, material: Material, part: str = '', bottom: float = 0.0) -> Mesh:
    """Return a flat plate of a star-shaped or monotone outline (N x 2, counter-clockwise), extruded along z."""
    p = np.asarray(outline, float)
    n = len(p)
    v = np.concatenate([np.c_[p, np.full(n, bottom)], np.c_[p, np.full(n, bottom + thickness)]])
    caps = ear_clip(p)
    faces = [[a, c, b] for a, b, c in caps] + [[a + n, b + n, c + n] for a, b, c in caps]
    for i in range(n):
        j = (i + 1) % n
        faces += [[i, j, j + n], [i, j + n, i + n]]
    return make(v, np.array(faces), material=material, part=part)


def ear_clip(outline: Points) -> list[tuple[int, int, int]]:
    """Return triangles of a simple counter-clockwise polygon (ear clipping, Meisters 1975)."""

    def cross(o: Points, a: Points, b: Points) -> float:
        return float((a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]))

    left = list(range(len(outline)))
    result = []
    while len(left) > 3:
        for k in range(len(left)):
            i, j, m = left[k - 1], left[k], left[(k + 1) % len(left)]
            a, b, c = outline[i], outline[j], outline[m]
            if cross(a, b, c) <= 1e-14:
                continue
            others = [outline[q] for q in left if q not in (i, j, m)]
            if any(cross(a, b, o) >= 0 and cross(b, c, o) >= 0 and cross(c, a, o) >= 0 for o in others):
                continue
            result.append((i, j, m))
            left.pop(k)
            break
        else:  # degenerate remainder: close it as a fan
            result += [(left[0], left[q], left[q + 1]) for q in range(1, len(left) - 1)]
            return result
    result.append((left[0], left[1], left[2]))
    return result


def loop_handle(height: float, reach: float, thickness: float, x: float, z: float, material: Material) -> Mesh:
    """Return a C-shaped handle in the xz plane with both ends at the wall at `x`, centred at height `z`."""
    a = np.linspace(-np.pi / 2, np.pi / 2, 14)
    path = np.c_[x + reach * np.cos(a), np.zeros(14), z + height / 2 * np.sin(a)]
    path[0, 0] = path[-1, 0] = x - thickness * 0.3
    return tube(path, thickness, material, 'handle', 8)


def bar(length: float, radius: float, material: Material, part: str = '', at: float = 0.0) -> Mesh:
    """Return a round bar along x from `at` to `at + length`, lying on z = 0."""
    path = np.c_[np.linspace(at, at + length, 4), np.zeros(4), np.full(4, radius)]
    return tube(path, radius, material, part)


def moved(mesh: Mesh, x: float = 0, y: float = 0, z: float = 0, turn: float = 0, axis: str = 'z') -> Mesh:
    """Return the mesh rotated by degrees about an axis, then translated."""
    return mesh.transformed(translation(x, y, z) @ rotation(axis, turn))


__all__ = [
    'ball', 'bar', 'box', 'join', 'label_box', 'loop_handle', 'moved', 'plate', 'tube', 'turned',
]  # fmt: skip
