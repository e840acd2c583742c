"""Read Wavefront OBJ and MTL files into meshes, with a cache."""

from dataclasses import asdict
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.scenes.geometry.array_cache import kept
from converseg_ros.scenes.geometry.mesh import Material, Mesh, corner_normals

ARRAYS = ('vertices', 'faces', 'uv', 'normals', 'material', 'part')
CACHE_FORMAT = 1  # version of the format of cached meshes


def read_obj_once(path: Path, folder: Path) -> Mesh:
    """Return `read_obj(path)`, cached in `folder` as NumPy arrays, because parsing takes most of the time of a scene.

    The file is read again if its size or time has changed, or if the cached mesh cannot be read.
    """

    def read() -> dict[str, NDArray[Any]]:
        mesh = read_obj(path)
        materials = np.array(json.dumps([asdict(m) for m in mesh.materials]))
        return {'materials': materials, **{name: getattr(mesh, name) for name in ARRAYS}}

    seen = path.stat()
    key = hashlib.sha256(f'{CACHE_FORMAT} {path.resolve()} {seen.st_size} {seen.st_mtime_ns}'.encode()).hexdigest()[:24]
    arrays = kept(folder / f'{key}.npz', read)
    materials = [Material(**{**m, 'color': tuple(m['color'])}) for m in json.loads(str(arrays['materials']))]
    vertices, faces, uv, normals, material, part = (arrays[name] for name in ARRAYS)
    return Mesh(vertices, faces, uv, normals, material, part, materials)


def read_obj(path: Path) -> Mesh:
    """Return the mesh of an OBJ file in its own axes and units; raise InputError if it has no triangles.

    Polygons become triangle fans; missing textures are removed (they would be magenta); missing normals are computed.
    """
    points: list[list[float]] = []
    coordinates: list[list[float]] = []
    normals: list[list[float]] = []
    corners: list[tuple[int, int, int]] = []  # three per face: vertex, uv, normal (-1 = none)
    face_material: list[int] = []
    names: list[str] = []
    current = 0
    materials: dict[str, Material] = {}
    for line in path.read_text(encoding='latin1').splitlines():
        words = line.split()
        if not words:
            continue
        key = words[0]
        if key == 'v':
            points.append([float(w) for w in words[1:4]])
        elif key == 'vt':
            coordinates.append([float(w) for w in words[1:3]])
        elif key == 'vn':
            normals.append([float(w) for w in words[1:4]])
        elif key == 'usemtl':
            name = line.split(None, 1)[1].strip() if len(words) > 1 else ''
            if name not in names:
                names.append(name)
            current = names.index(name)
        elif key == 'mtllib' and len(words) > 1:
            materials |= read_mtl(path.parent / line.split(None, 1)[1].strip())
        elif key == 'f':
            face = []
            for word in words[1:]:
                ids = [int(w) if w else 0 for w in word.split('/')] + [0, 0]
                counts = (len(points), len(coordinates), len(normals))
                face.append(tuple(i - 1 if i > 0 else n + i if i < 0 else -1 for i, n in zip(ids, counts)))
            for i in range(1, len(face) - 1):
                corners += [face[0], face[i], face[i + 1]]  # type: ignore[list-item]
                face_material.append(current)
    if not corners:
        raise InputError('no triangles', where=str(path))
    index = np.array(corners, np.int32).reshape(-1, 3, 3)
    vertices = np.array(points, np.float32)
    faces = index[..., 0]
    uv = np.zeros((len(faces), 3, 2), np.float32)
    if coordinates:
        table = np.array(coordinates, np.float32)
        uv = np.where((index[..., 1] >= 0)[..., None], table[np.clip(index[..., 1], 0, len(table) - 1)], 0)
    smooth = corner_normals(vertices, faces)
    if normals:
        table = np.array(normals, np.float32)
        given = table[np.clip(index[..., 2], 0, len(table) - 1)]
        length = np.linalg.norm(given, axis=2, keepdims=True)
        smooth = np.where((index[..., 2:3] >= 0) & (length > 0.1), given / np.maximum(length, 1e-6), smooth)
    return Mesh(
        vertices,
        faces,
        uv.astype(np.float32),
        smooth.astype(np.float32),
        np.array(face_material, np.int16),
        np.zeros(len(faces), np.int16),
        [materials.get(n, Material(name=n)) for n in names] or [Material()],
    )


def read_mtl(path: Path) -> dict[str, Material]:
    """Return the materials of an MTL file by name; {} if the file does not exist."""
    result: dict[str, Material] = {}
    if not path.is_file():
        return result
    current = Material()
    for line in path.read_text(encoding='latin1').splitlines():
        words = line.split()
        if len(words) < 2:
            continue
        key = words[0]
        if key == 'newmtl':
            name = line.split(None, 1)[1].strip()
            current = result[name] = Material(name=name)
        elif key == 'Kd':
            r, g, b = (float(w) for w in words[1:4])
            current.color = (r**2.2, g**2.2, b**2.2)  # stored as display values
        elif key == 'd':
            current.alpha = float(words[-1])
        elif key == 'Ns':
            current.roughness = float(np.clip((2 / (2 + float(words[1]))) ** 0.25, 0.08, 0.9))  # Blinn-Phong to GGX
        elif key == 'map_Kd':
            current.texture = _find_texture(path.parent, line.split(None, 1)[1].strip())
            current.tintable = not current.texture
    for material in result.values():
        if material.texture and max(material.color) < 0.05:
            material.color = (0.8, 0.8, 0.8)  # a black factor on a texture, from exporters that mean "texture only"
    return result


def _find_texture(folder: Path, text: str) -> str:
    """Return the path of a texture, found by name independent of folder and case; '' if missing."""
    name = text.replace('\\', '/').split('/')[-1]
    for candidate in (text, name, name.split()[-1]):
        if (folder / candidate).is_file():
            return str(folder / candidate)
    for file in folder.iterdir():
        if file.name.lower() in (name.lower(), name.split()[-1].lower()):
            return str(file)
    return ''
