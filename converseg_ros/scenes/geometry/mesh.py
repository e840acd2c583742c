"""Triangle meshes with materials and parts.

Metres, z up; a model stands on z = 0, is centred in x and y, and its front faces -y.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(slots=True)
class Material:
    """A surface: linear RGB in 0..1 (multiplied with the texture), texture by name or path, and reflection."""

    color: tuple[float, float, float] = (0.7, 0.7, 0.7)
    texture: str = ''  # '' = none; a file path, or 'KIND:VARIANT:...' of scenes.textures
    alpha: float = 1.0  # 1 = opaque
    roughness: float = 0.6
    metallic: float = 0.0
    emission: float = 0.0
    name: str = ''
    tintable: bool = True  # may be recoloured


@dataclass(slots=True)
class Mesh:
    """Triangles with per-corner texture coordinates and normals, per-face material and part index (0 = the body)."""

    vertices: Array  # V x 3
    faces: NDArray[np.int32]  # F x 3
    uv: Array  # F x 3 x 2
    normals: Array  # F x 3 x 3
    material: NDArray[np.int16]  # F
    part: NDArray[np.int16]  # F
    materials: list[Material] = field(default_factory=lambda: [Material()])
    parts: list[str] = field(default_factory=lambda: [''])  # part index -> name; 0 is ''

    @property
    def bounds(self) -> tuple[Array, Array]:
        """Return the lowest and highest corner in metres."""
        return self.vertices.min(0), self.vertices.max(0)

    def transformed(self, pose: NDArray[np.floating]) -> 'Mesh':
        """Return the mesh transformed by a 4x4 pose (rotation, translation; uniform or axis scale is allowed)."""
        linear = np.asarray(pose[:3, :3], np.float32)
        vertices = self.vertices @ linear.T + np.asarray(pose[:3, 3], np.float32)
        normals = self.normals.reshape(-1, 3) @ np.linalg.inv(linear).astype(np.float32)
        x, y, z = normals.T
        normals /= np.maximum(np.sqrt(x * x + y * y + z * z), 1e-9)[:, None]
        return replace(self, vertices=vertices, normals=normals.reshape(self.normals.shape))

    def scaled(self, factor: float | tuple[float, float, float]) -> 'Mesh':
        """Return the mesh scaled about its origin."""
        pose = np.eye(4)
        pose[:3, :3] = np.diag(np.broadcast_to(np.asarray(factor, float), 3))
        return self.transformed(pose)

    def seated(self) -> 'Mesh':
        """Return the mesh centred in x and y and standing on z = 0."""
        low, high = self.bounds
        pose = np.eye(4)
        pose[:3, 3] = [-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]]
        return self.transformed(pose)

    def with_materials(self, materials: list[Material]) -> 'Mesh':
        """Return the mesh with other materials (the same number)."""
        return replace(self, materials=materials)

    def areas(self) -> Array:
        """Return the area of each face in square metres."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2, np.float32)


def corner_normals(vertices: Array, faces: NDArray[np.int32], crease: float = 40.0) -> Array:
    """Return F x 3 x 3 normals, smooth over edges flatter than `crease` degrees (area-weighted vertex normals)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    flat = np.cross(b - a, c - a)
    unit = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    _, welded = np.unique(np.round(vertices, 5), axis=0, return_inverse=True)
    corner = welded.reshape(-1)[faces]
    total = np.zeros((int(corner.max()) + 1, 3), np.float64)
    for i in range(3):
        np.add.at(total, corner[:, i], flat)
    smooth = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    result = smooth[corner]
    sharp = np.einsum('fij,fj->fi', result, unit) < np.cos(np.radians(crease))
    return np.asarray(np.where(sharp[..., None], unit[:, None, :], result).astype(np.float32))


def make(
    vertices: NDArray[np.floating],
    faces: NDArray[np.integer],
    *,
    uv: NDArray[np.floating] | None = None,
    material: Material | None = None,
    part: str = '',
    crease: float = 40.0,
) -> Mesh:
    """Create a mesh of one material; without `uv` the texture is projected along the dominant axis, 1 unit/metre."""
    points = np.asarray(vertices, np.float32)
    index = np.asarray(faces, np.int32)
    if uv is None:
        uv = box_uv(points, index)
    count = len(index)
    return Mesh(
        points,
        index,
        np.asarray(uv, np.float32),
        corner_normals(points, index, crease),
        np.zeros(count, np.int16),
        np.full(count, 1 if part else 0, np.int16),
        [material or Material()],
        ['', part] if part else [''],
    )


def box_uv(vertices: Array, faces: NDArray[np.int32]) -> Array:
    """Return F x 3 x 2 texture coordinates in metres; each face is projected along its dominant axis."""
    corners = vertices[faces]
    normal = np.abs(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    axis = normal.argmax(1)
    pick = np.array([[1, 2], [0, 2], [0, 1]])[axis]
    return np.take_along_axis(corners, pick[:, None, :].repeat(3, 1), axis=2).astype(np.float32)


def join(meshes: list[Mesh]) -> Mesh:
    """Return one mesh of several; parts with the same name become one part."""
    names = ['']
    materials: list[Material] = []
    vertices, faces, uv, normals, material, part = [], [], [], [], [], []
    offset = 0
    for mesh in meshes:
        index = np.zeros(len(mesh.parts), np.int16)
        for i, name in enumerate(mesh.parts):
            if name not in names:
                names.append(name)
            index[i] = names.index(name)
        vertices.append(mesh.vertices)
        faces.append(mesh.faces + offset)
        uv.append(mesh.uv)
        normals.append(mesh.normals)
        material.append(mesh.material + len(materials))
        part.append(index[mesh.part])
        materials += mesh.materials
        offset += len(mesh.vertices)
    cat = np.concatenate
    return Mesh(
        cat(vertices),
        cat(faces).astype(np.int32),
        cat(uv),
        cat(normals),
        cat(material).astype(np.int16),
        cat(part),
        materials,
        names,
    )


def rotation(axis: str, degrees: float) -> NDArray[np.float64]:
    """Return the 4x4 rotation about 'x', 'y' or 'z' (right-handed)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    pose = np.eye(4)
    pose[i, i] = pose[j, j] = c
    pose[i, j], pose[j, i] = -s, s
    return pose


def translation(x: float, y: float, z: float) -> NDArray[np.float64]:
    """Return the 4x4 translation, metres."""
    pose = np.eye(4)
    pose[:3, 3] = [x, y, z]
    return pose
