"""Photo-realistic colour by Blender's Cycles in a separate process, with JSON jobs; depth and labels by ray casting.

The job contains exactly the triangles of the ray casting, so that colour and labels agree exactly. bpy is GPL: it is
started in its own interpreter (env CONVERSEG_BPY_PYTHON, else `.venv-bpy`) and never imported here.
"""

import atexit
import hashlib
import json
import os
from pathlib import Path
import subprocess
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import ConversegError
from converseg_ros.core.image_files import write_image
from converseg_ros.scenes.geometry.mesh import Mesh
from converseg_ros.scenes.geometry.raycast import directions, origin
from converseg_ros.scenes.graph import View
from converseg_ros.scenes.layout.build import Built
from converseg_ros.scenes.layout.light import develop
from converseg_ros.scenes.models import textures
from converseg_ros.scenes.models.catalogue import cache_dir
from converseg_ros.scenes.render.raycast_renderer import Picture, Renderer

SAMPLES = 4
_process: subprocess.Popen[str] | None = None


def interpreter() -> Path | None:
    """Return the Python with bpy, or None: env CONVERSEG_BPY_PYTHON, ./.venv-bpy, or the cache's .venv-bpy."""
    named = os.environ.get('CONVERSEG_BPY_PYTHON')
    places = (
        [Path(named)]
        if named
        else [Path('.venv-bpy/bin/python'), cache_dir() / '.venv-bpy/bin/python', Path('/opt/bpy/bin/python')]
    )
    return next((p for p in places if p.is_file()), None)


def _worker() -> subprocess.Popen[str]:
    """Return the running Blender process, started if needed."""
    global _process
    if _process is None or _process.poll() is not None:
        python = interpreter()
        if python is None:
            raise ConversegError(
                'Cycles needs the bpy environment', where='CONVERSEG_BPY_PYTHON', do='run: converseg scenes setup'
            )
        log = open(os.environ.get('CONVERSEG_BPY_LOG', os.devnull), 'a')  # noqa: SIM115 (lives as long as the process)
        environment = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'LD_LIBRARY_PATH')}
        _process = subprocess.Popen(
            [str(python), '-P', str(Path(__file__).with_name('cycles_job.py'))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        atexit.register(stop)
    return _process


def stop() -> None:
    """End the Blender process."""
    global _process
    if _process is not None and _process.poll() is None:
        _process.terminate()
        _process.wait(10)
    _process = None


def texture_file(texture: str) -> str:
    """Return an image file of a texture; procedural ones are written to the cache once."""
    if texture.split(':')[0] not in textures.KINDS:
        return texture
    kind, variant = texture.split(':')[:2]
    path = cache_dir() / 'textures' / f'{kind}_{variant}_{textures.SIZE}.png'
    if not path.is_file():
        write_image(path, textures.load(texture)[0][0][::-1])
    return str(path)


def _arrays(mesh: Mesh, chosen: NDArray[np.bool_], prefix: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of some faces, with scaled texture coordinates and normals on the front side."""
    faces = mesh.faces[chosen]
    used, index = np.unique(faces, return_inverse=True)
    material = mesh.material[chosen]
    scale = np.array([1 / textures.metres(m.texture) if m.texture else 1 for m in mesh.materials], np.float32)[material]
    corners = mesh.vertices[faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = mesh.normals[chosen]
    wrong = np.einsum('fij,fj->fi', normals, flat) < 0
    return {
        f'{prefix}_vertices': mesh.vertices[used].astype(np.float32),
        f'{prefix}_faces': index.reshape(faces.shape).astype(np.int32),
        f'{prefix}_uv': (mesh.uv[chosen] * scale[:, None, None]).astype(np.float32),
        f'{prefix}_normals': np.where(wrong[..., None], -normals, normals).astype(np.float32),
        f'{prefix}_material': material,
    }


def render(built: Built, views: list[View], threads: int = 1, samples: int = SAMPLES) -> list[Picture]:
    """Render views of a built scene; raise ConversegError if Blender fails."""
    light = built.lighting
    mesh = built.mesh
    category = {o.id: o.category for o in built.scene.objects if o.kind == 'structure'}
    owner = built.owner[built.labels]
    walls = np.isin(owner, [i for i, c in category.items() if c in ('wall', 'ceiling', 'window', 'door')])
    floor = np.isin(owner, [i for i, c in category.items() if c == 'floor'])
    images = sorted((cache_dir() / 'hdri').glob('*.exr'))
    materials = []
    for m in mesh.materials:
        cutout = bool(m.texture) and textures.load(m.texture)[1] is not None
        materials.append(
            {
                'color': list(m.color),
                'texture': texture_file(m.texture) if m.texture else '',
                'cutout': cutout,
                'alpha': m.alpha,
                'roughness': m.roughness,
                'metallic': m.metallic,
                'emission': m.emission,
            }
        )
    pictures = []
    with tempfile.TemporaryDirectory(prefix='converseg_cycles_') as folder:
        geometry = os.path.join(folder, 'geometry.npz')
        groups = {'room': walls, 'floor': floor, 'things': ~walls & ~floor}
        arrays: dict[str, Any] = {}
        for name, chosen in groups.items():
            arrays |= _arrays(mesh, chosen, name)
        np.savez(geometry, **arrays)
        job = {
            'geometry': geometry,
            'materials': materials,
            'samples': samples,
            'threads': threads,
            'seed': light.seed,
            'ambient': [1.6 * v for v in light.base],
            'hdri': str(images[light.hdri % len(images)]) if images else '',
            'turn': (light.hdri >> 8) % 628 / 100,
            'lamps': [{'position': v.position, 'radius': v.radius, 'color': v.color} for v in light.lamps],
            'views': [
                {
                    'width': v.width,
                    'height': v.height,
                    'k': v.k,
                    'pose': v.pose,
                    'file': os.path.join(folder, f'{v.name}.npy'),
                }
                for v in views
            ],
        }
        path = os.path.join(folder, 'job.json')
        Path(path).write_text(json.dumps(job))
        process = _worker()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(path + '\n')
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError as error:
            answer = f'failed {error}'
        if not answer.startswith('done'):
            stop()
            raise ConversegError(
                f'Cycles failed: {answer.strip() or "the process ended"}',
                where=str(interpreter()),
                do='see CONVERSEG_BPY_LOG',
            )
        exact = Renderer(built.caster, light)
        for view, row in zip(views, job['views']):  # type: ignore[call-overload]
            radiance = np.load(row['file'])
            hits = exact.first(origin(view)[None], directions(view))
            hit = hits.face >= 0
            shape = (view.height, view.width)
            clear = hit & (exact.alpha[mesh.material[hits.face]] < 0.9)
            seed = int(hashlib.sha256(view.name.encode()).hexdigest()[:8], 16)
            color = develop(radiance, light, np.random.default_rng([light.seed, seed]))
            labels = np.where(hit, built.labels[hits.face], 0).astype(np.uint16)
            depth = np.where(hit, hits.t, 0).astype(np.float32)
            pictures.append(Picture(color, depth.reshape(shape), labels.reshape(shape), clear.reshape(shape)))
    return pictures
