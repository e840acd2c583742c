"""The furniture libraries of Sweet Home 3D as packaged by Debian: catalogue, models and attribution.

Every library is CC0 or CC-BY; `attribution()` lists name, creator and licence of each model from the catalogue.
"""

from dataclasses import dataclass
from functools import lru_cache
import os
from pathlib import Path
import re
import urllib.parse
import zipfile

from converseg_ros.core.errors import ConversegError
from converseg_ros.scenes.geometry.mesh import Mesh
from converseg_ros.scenes.geometry.obj import read_obj_once

PACKAGE = 'sweethome3d-furniture'
LICENCES = {
    'BlendSwap-CC-0': 'CC0 (public domain)',
    'BlendSwap-CC-BY': 'CC-BY 3.0',
    'KatorLegaz': 'CC-BY 3.0 US',
    'Reallusion': 'CC-BY 3.0 US',
    'Scopia': 'CC-BY 3.0',
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue; sizes in metres."""

    key: str  # LIBRARY/FOLDER
    name: str
    creator: str
    library: str
    path: Path
    size: tuple[float, float, float]  # width, depth, height
    top: float  # height of the surface for objects on top; negative = none
    rotation: tuple[float, ...]  # 9 numbers in the axes of the file, or empty

    @property
    def licence(self) -> str:
        """Return the licence of the library of the entry."""
        return LICENCES[self.library]


def furniture_dir() -> Path:
    """Return the folder of the .sh3f libraries (env CONVERSEG_FURNITURE, else that of the Debian package)."""
    return Path(os.environ.get('CONVERSEG_FURNITURE', '/usr/share/sweethome3d/furniture'))


def cache_dir() -> Path:
    """Return the folder for unpacked models and downloads (env CONVERSEG_CACHE, else ~/.cache/converseg)."""
    return Path(os.environ.get('CONVERSEG_CACHE', Path.home() / '.cache' / 'converseg'))


def available() -> bool:
    """Return whether all furniture libraries are installed."""
    return all((furniture_dir() / f'{name}.sh3f').is_file() for name in LICENCES)


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """Return the catalogue by key; raise ConversegError with the install command if it is not installed."""
    if not available():
        raise ConversegError(
            'the furniture models are not installed', where=str(furniture_dir()), do=f'run: sudo apt install {PACKAGE}'
        )
    result: dict[str, Entry] = {}
    for library in LICENCES:
        folder = _unpacked(library)
        table: dict[int, dict[str, str]] = {}
        for line in (folder / 'PluginFurnitureCatalog.properties').read_text(encoding='latin1').splitlines():
            found = re.match(r'^(\w+)#(\d+)=(.*)$', line.strip())
            if found:
                table.setdefault(int(found[2]), {})[found[1]] = found[3].strip().encode().decode('unicode_escape')
        for row in table.values():
            model = folder / urllib.parse.unquote(row.get('model', '').lstrip('/'))
            if not model.is_file() or model.suffix.lower() != '.obj':
                continue
            key = f'{library}/{model.parent.name}'
            result[key] = Entry(
                key,
                row['name'],
                row.get('creator', ''),
                library,
                model,
                (float(row['width']) / 100, float(row['depth']) / 100, float(row['height']) / 100),
                float(row.get('dropOnTopElevation', '-100')) / 100,
                tuple(float(w) for w in row.get('modelRotation', '').split()),
            )
    return result


def _unpacked(library: str) -> Path:
    """Unpack a library into the cache once and return its folder."""
    archive = furniture_dir() / f'{library}.sh3f'
    folder = cache_dir() / 'furniture' / library
    done = folder / '.complete'
    stamp = str(archive.stat().st_size)
    if not (done.is_file() and done.read_text() == stamp):
        folder.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive) as content:
            content.extractall(folder)
        done.write_text(stamp)
    return folder


def load(entry: Entry) -> Mesh:
    """Return the entry's mesh in metres, z up, seated, with the real size of the catalogue."""
    import numpy as np

    mesh = read_obj_once(entry.path, cache_dir() / 'meshes')
    pose = np.eye(4)
    if entry.rotation:
        pose[:3, :3] = np.array(entry.rotation).reshape(3, 3)
    upright = np.eye(4)
    upright[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # y up to z up; the front (+z) then faces -y
    mesh = mesh.transformed(upright @ pose)
    low, high = mesh.bounds
    mesh = mesh.scaled(tuple(np.asarray(entry.size) / np.maximum(high - low, 1e-6)))
    return mesh.seated()


def attribution() -> str:
    """Return a Markdown table of every model: name, creator, licence."""
    lines = [
        '# Object models',
        '',
        'Rendered scenes show models of the Sweet Home 3D furniture libraries (Debian: `sweethome3d-furniture`).',
        'Made from their catalogue by `converseg scenes attribution`.',
        '',
        '| model | name | creator | licence |',
        '|---|---|---|---|',
    ]
    for entry in sorted(entries().values(), key=lambda e: e.key):
        lines.append(f'| {entry.key} | {entry.name} | {entry.creator or "Emmanuel Puybaret"} | {entry.licence} |')
    return '\n'.join(lines) + '\n'
