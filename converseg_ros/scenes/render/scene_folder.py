"""Scene folders: build, render, write; one folder per scene, written atomically."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
import os
from pathlib import Path
import shutil
import time
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.image_files import write_image
from converseg_ros.scenes.geometry.raycast import measure
from converseg_ros.scenes.graph import View
from converseg_ros.scenes.layout.build import Built, build, scene_id
from converseg_ros.scenes.render import depth_camera
from converseg_ros.scenes.render.raycast_renderer import Picture, Renderer


def render_scene(seed: int, split: str, views: int, out: Path, renderer: str = 'raster', room: str = '') -> Path:
    """Render one scene into `out/SPLIT_SEED` unless that folder exists; return the folder."""
    folder = out / scene_id(seed, split)
    if (folder / 'scene.json').is_file():
        return folder
    built = build(seed, split, views, room)
    temporary = out / f'.{folder.name}.{os.getpid()}'
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        for view, picture in zip(built.scene.views, pictures(built, built.scene.views, renderer)):
            write_view(temporary, built, view, picture, renderer)
        built.scene.save(temporary)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def pictures(built: Built, views: list[View], renderer: str) -> list[Picture]:
    """Return the images of views of a built scene by a renderer: raster or cycles."""
    if renderer == 'cycles':
        from converseg_ros.scenes.render import cycles

        return cycles.render(built, views)
    if renderer != 'raster':
        raise InputError(f'unknown renderer {renderer!r}', do='choose raster or cycles')
    camera = Renderer(built.caster, built.lighting)
    return [camera.render(view) for view in views]


def write_view(folder: Path, built: Built, view: View, picture: Picture, renderer: str) -> None:
    """Write the four images of a view and set its measurements."""
    view.renderer = renderer
    measure(built.caster, view, picture.labels, built.owner)
    noise = np.random.default_rng([built.lighting.seed, crc32(view.name.encode())])
    noisy = depth_camera.observe(picture.depth, noise, clear=picture.clear)
    _png(folder / f'{view.name}.png', picture.color, noisy=True)
    _png(folder / f'{view.name}.depth.png', millimetres(picture.depth))
    _png(folder / f'{view.name}.noisy.png', millimetres(noisy), noisy=True)
    _png(folder / f'{view.name}.labels.png', picture.labels)


def millimetres(depth: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Return depth in metres as 16-bit millimetres, 0 where unknown or beyond 65.5 m."""
    mm = np.rint(depth * 1000)
    return np.where(np.isfinite(mm) & (mm < 65535), mm, 0).astype(np.uint16)


def _png(path: Path, image: NDArray[np.generic], *, noisy: bool = False) -> None:
    """Write a lossless image; for noise, run-length encoding is faster and smaller."""
    import cv2

    strategy = cv2.IMWRITE_PNG_STRATEGY_RLE if noisy else cv2.IMWRITE_PNG_STRATEGY_FILTERED
    write_image(path, image, options=[cv2.IMWRITE_PNG_COMPRESSION, 2, cv2.IMWRITE_PNG_STRATEGY, strategy])


def render_many(
    seeds: list[int],
    split: str,
    views: int,
    out: Path,
    renderer: str,
    workers: int,
    room: str = '',
    progress: Callable[[int, int, float], None] | None = None,
) -> int:
    """Render scenes in parallel, skipping existing ones; return how many were rendered.

    Failures are reported at the end.
    """
    out.mkdir(parents=True, exist_ok=True)
    todo = [s for s in seeds if not (out / scene_id(s, split) / 'scene.json').is_file()]
    for stale in out.glob(f'.{split}_*'):
        shutil.rmtree(stale, ignore_errors=True)
    start = time.monotonic()
    failures: list[str] = []
    if workers <= 1:
        for i, seed in enumerate(todo):
            render_scene(seed, split, views, out, renderer, room)
            if progress:
                progress(i + 1, len(todo), time.monotonic() - start)
        return len(todo)
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as executor:
        jobs = {executor.submit(render_scene, s, split, views, out, renderer, room): s for s in todo}
        for i, job in enumerate(as_completed(jobs)):
            error = job.exception()
            if error is not None:
                failures.append(f'seed {jobs[job]}: {error}')
            if progress:
                progress(i + 1, len(todo), time.monotonic() - start)
    if failures:
        raise InputError(f'{len(failures)} scenes failed ({failures[0]})', where=str(out), do='run the command again')
    return len(todo)
