"""Textures: procedural wood, stone, tile, fabric, print etc. (seeded), and image files; with mip levels."""

from functools import lru_cache
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.datasets.images import read_rgba
from converseg_ros.scenes.geometry.array_cache import kept
from converseg_ros.scenes.models import colors
from converseg_ros.scenes.models.catalogue import cache_dir
from converseg_ros.scenes.models.colors import to_display, to_linear

Array = NDArray[np.float32]
KINDS = ('wood', 'stone', 'tile', 'fabric', 'plaster', 'carpet', 'metal', 'checker', 'print', 'concrete')
SIZE = 512
METRES = {  # the side of the square of one repetition, in metres
    'wood': 1.2, 'stone': 1.0, 'tile': 0.9, 'fabric': 0.3, 'plaster': 1.5, 'carpet': 0.8, 'metal': 0.8,
    'checker': 0.5, 'print': 1.0, 'concrete': 2.0,
}  # fmt: skip
WOODS = [(196, 154, 108), (160, 110, 66), (120, 78, 46), (214, 178, 134), (92, 60, 40), (180, 128, 80), (222, 198, 164)]
STONES = [(200, 198, 192), (120, 118, 116), (60, 60, 64), (226, 222, 214), (150, 136, 120), (84, 92, 96)]
WALLS = [(232, 228, 218), (222, 224, 226), (200, 208, 204), (214, 200, 178), (178, 192, 206), (226, 210, 200),
         (190, 200, 178), (240, 238, 232), (168, 172, 178), (206, 186, 166)]  # fmt: skip


def noise(rng: np.random.Generator, cells: tuple[int, int], octaves: int = 5, size: int = SIZE) -> Array:
    """Return size x size tileable value noise in 0..1, `cells` periods (rows, columns) in the first octave."""
    import cv2

    total = np.zeros((size, size), np.float32)
    weight = 1.0
    for octave in range(octaves):
        rows, cols = (min(c * 2**octave, size) for c in cells)
        grid = rng.random((rows, cols), np.float32)
        grid = np.pad(grid, 2, mode='wrap')
        big = cv2.resize(grid, (size * (cols + 4) // cols, size * (rows + 4) // rows), interpolation=cv2.INTER_CUBIC)
        y, x = 2 * size // rows, 2 * size // cols
        total += weight * big[y : y + size, x : x + size]
        weight *= 0.55
    low, high = np.percentile(total, [1, 99])
    return np.asarray(np.clip((total - low) / (high - low + 1e-6), 0, 1))


def _mix(a: Array, b: Array, t: Array) -> Array:
    return a + (b - a) * t[..., None]


def _around(color: tuple[int, int, int], rng: np.random.Generator, spread: float = 12) -> Array:
    return np.asarray(
        np.clip(np.array(color) + rng.normal(0, spread) + rng.normal(0, spread / 3, 3), 8, 248), np.float32
    )


def procedural(kind: str, variant: int) -> Array:
    """Return a SIZE x SIZE x 3 display-valued (0..255) tileable texture, a pure function of kind and variant."""
    rng = np.random.default_rng([KINDS.index(kind), variant, 7919])
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32) / SIZE
    if kind == 'wood':
        base = _around(WOODS[rng.integers(len(WOODS))], rng)
        boards = int(rng.choice([1, 3, 4, 6, 8]))
        grain = noise(rng, (int(rng.integers(24, 64)), 3), 4)
        wave = noise(rng, (4, 2), 3)
        row = np.floor(y * boards).astype(int) % boards
        shift = rng.random(boards)[row].astype(np.float32)
        roll = ((np.arange(SIZE)[None, :] + (shift * SIZE).astype(int)) % SIZE).astype(int)
        grain = grain[np.arange(SIZE)[:, None], roll]
        rings = 0.5 + 0.5 * np.sin(2 * np.pi * (y * boards * rng.integers(3, 9) + 2.5 * wave + shift * 7))
        color = _mix(base * 0.68, base * 1.12, 0.65 * grain + 0.35 * rings)
        color *= (0.88 + 0.24 * rng.random(boards)[row])[..., None]
        if boards > 1:
            gap = np.abs((y * boards) % 1 - 0.5) > 0.5 - 0.006 * boards
            color[gap] *= 0.55
    elif kind == 'stone':
        base = _around(STONES[rng.integers(len(STONES))], rng)
        other = _around(STONES[rng.integers(len(STONES))], rng)
        cloud = noise(rng, (3, 3), 6)
        if rng.random() < 0.5:  # granite: speckles
            speck = noise(rng, (96, 96), 2)
            color = _mix(base, other, np.clip(3 * (speck - 0.6), 0, 1)) * (0.85 + 0.3 * cloud[..., None])
        else:  # marble: veins
            vein = np.exp(-40 * np.abs(noise(rng, (3, 4), 5) - 0.5))
            color = _mix(base * (0.9 + 0.15 * cloud[..., None]), other * 0.6, 0.7 * vein)
    elif kind in ('tile', 'checker'):
        count = int(rng.choice([2, 3, 4, 6, 9] if kind == 'tile' else [2, 4, 8]))
        base = _around(([*WALLS, *STONES, (60, 110, 130), (150, 70, 50)])[rng.integers(len(WALLS) + 8)], rng)
        rows = count * int(rng.choice([1, 2])) if kind == 'tile' else count
        shift = (np.floor(y * rows) % 2) * (0.5 if rows != count else 0)
        u, v = (x * count + shift) % 1, (y * rows) % 1
        cell = (np.floor(x * count + shift) % count + np.floor(y * rows) * 17).astype(int)
        tone = 0.92 + 0.14 * rng.random(1000)[cell % 1000]
        color = (
            np.broadcast_to(base, (SIZE, SIZE, 3)) * tone[..., None] * (0.95 + 0.1 * noise(rng, (8, 8), 4)[..., None])
        )
        if kind == 'tile':
            w = 0.006 * max(count, 2)
            joint = (np.abs(u - 0.5) > 0.5 - w) | (np.abs(v - 0.5) > 0.5 - w * rows / count)
            color[joint] = _around((150, 148, 142), rng)
        else:
            second = _around(([*WALLS, (40, 40, 44), (170, 50, 46), (60, 90, 140)])[rng.integers(len(WALLS) + 3)], rng)
            odd = (np.floor(x * count) + np.floor(y * count)) % 2 > 0
            color = np.where(odd[..., None], second * tone[..., None], color)
    elif kind in ('fabric', 'carpet'):
        palette = [
            (90, 100, 120),
            (170, 150, 130),
            (120, 60, 60),
            (70, 90, 80),
            (200, 190, 176),
            (60, 60, 70),
            (150, 120, 150),
        ]
        base = _around(palette[rng.integers(len(palette))], rng, 18)
        count = int(rng.choice([64, 96, 128]))
        weave = 0.5 + 0.25 * np.sin(2 * np.pi * x * count) + 0.25 * np.sin(2 * np.pi * y * count)
        fluff = noise(rng, (64, 64), 3)
        color = base * (0.72 + 0.2 * weave + 0.3 * fluff)[..., None]
        if rng.random() < 0.5:
            second = _around(palette[rng.integers(len(palette))], rng, 18)
            stripes = np.sin(2 * np.pi * (x if rng.random() < 0.5 else y) * rng.integers(2, 9)) > rng.uniform(-0.5, 0.8)
            color = np.where(stripes[..., None], color, second * (0.72 + 0.5 * fluff)[..., None])
    elif kind == 'metal':
        base = _around((176, 178, 180), rng)
        color = base * (0.86 + 0.22 * noise(rng, (128, 2), 3))[..., None]
    elif kind == 'concrete':
        base = _around((150, 148, 144), rng, 20)
        color = base * (0.75 + 0.35 * noise(rng, (4, 4), 7))[..., None]
    elif kind == 'print':
        color = _printed(rng)
    else:
        base = _around(WALLS[rng.integers(len(WALLS))], rng, 8)
        color = base * (0.93 + 0.1 * noise(rng, (16, 16), 5))[..., None]
        if rng.random() < 0.15:  # wallpaper stripes
            color = color * np.where(np.sin(2 * np.pi * x * rng.integers(6, 20)) > 0, 1.0, 0.9)[..., None]
    return np.clip(color, 2, 252).astype(np.float32)


def _printed(rng: np.random.Generator) -> Array:
    """Return a package-like print: background, bands, a disc or panel and lines of artificial text."""
    import cv2

    from converseg_ros.scenes.models.colors import PAINTS

    names = list(PAINTS)
    ground = str(rng.choice(['red', 'blue', 'green', 'yellow', 'white', 'orange', 'purple', 'pink', 'black', 'brown']))

    def pick(exclude: str) -> tuple[float, float, float]:
        term = str(rng.choice([n for n in names if n != exclude]))
        r, g, b = PAINTS[term][rng.integers(len(PAINTS[term]))]
        return float(r), float(g), float(b)

    image = np.empty((SIZE, SIZE, 3), np.uint8)
    image[:] = PAINTS[ground][rng.integers(len(PAINTS[ground]))]
    ink = (245.0, 245.0, 240.0) if ground not in ('white', 'yellow') else (30.0, 30.0, 34.0)
    if rng.random() < 0.5:
        top = int(rng.uniform(0.72, 0.85) * SIZE)
        cv2.rectangle(image, (0, top), (SIZE, SIZE), pick(ground), -1)
    if rng.random() < 0.7:
        centre = (int(rng.uniform(0.35, 0.65) * SIZE), int(rng.uniform(0.25, 0.4) * SIZE))
        if rng.random() < 0.5:
            cv2.ellipse(
                image, centre, (int(rng.uniform(60, 120)), int(rng.uniform(40, 90))), 0, 0, 360, pick(ground), -1
            )
        else:
            for _ in range(int(rng.integers(4, 9))):
                shift = rng.normal(0, 45, 2).astype(int)
                cv2.circle(
                    image, (centre[0] + shift[0], centre[1] + shift[1]), int(rng.uniform(15, 34)), pick(ground), -1
                )
    letters = 'ABCDEFGHIKLMNOPRSTUVY'
    word = ''.join(rng.choice(list(letters), int(rng.integers(3, 7))))
    scale = 60 / len(word) * 0.11 * SIZE / 64
    flipped = np.ascontiguousarray(image[::-1])  # v points up in texture space
    cv2.putText(flipped, word, (24, 150), cv2.FONT_HERSHEY_DUPLEX, scale * 0.55, ink, 9, cv2.LINE_AA)
    for line in range(int(rng.integers(1, 5))):
        cv2.line(flipped, (40, 200 + 22 * line), (int(rng.uniform(200, 470)), 200 + 22 * line), ink, 5, cv2.LINE_AA)
    return flipped[::-1].astype(np.float32)


@lru_cache(maxsize=256)
def load(texture: str) -> tuple[tuple[NDArray[np.uint8], ...], NDArray[np.uint8] | None]:
    """Return (mip levels of display RGB, level i half of i - 1; cut-out mask or None) of a texture name or file."""
    if texture.split(':')[0] in KINDS:
        kind, variant = texture.split(':')[:2]
        key = f'{kind} {variant}'
    else:
        file = Path(texture)
        key = f'{file.resolve()} {file.stat().st_size} {file.stat().st_mtime_ns}' if file.is_file() else ''
    name = hashlib.sha256(_source() + key.encode()).hexdigest()[:24]
    arrays = kept(cache_dir() / 'texels' / f'{name}.npz', lambda: _levels(texture))
    texels, at = arrays['texels'], 0
    levels = []
    for height, width in arrays['sizes']:
        levels.append(texels[at : at + 3 * height * width].reshape(height, width, 3))
        at += 3 * height * width
    return tuple(levels), arrays.get('mask')


@lru_cache(maxsize=1)
def _source() -> bytes:
    """Return the source code of textures as part of the cache key."""
    return Path(__file__).read_bytes() + Path(colors.__file__).read_bytes()


def _levels(texture: str) -> dict[str, NDArray[Any]]:
    """Return the texels of all levels in a row, their sizes (rows, columns), and the cut-out mask if there is one."""
    import cv2

    result: dict[str, NDArray[Any]] = {}
    if texture.split(':')[0] in KINDS:
        kind, variant = texture.split(':')[:2]
        display = procedural(kind, int(variant))
    else:
        try:
            image = read_rgba(Path(texture))
        except InputError:  # some models name files that do not exist
            image = np.tile(np.array([180, 180, 180, 255], np.uint8), (4, 4, 1))
        if (image[..., 3] < 128).mean() > 0.02:
            result['mask'] = (image[::-1, :, 3] >= 128).astype(np.uint8)
        display = image[::-1, :, :3].astype(np.float32)  # row 0 at v = 0
        longest = max(display.shape[:2])
        if longest > 512:
            factor = 512 / longest
            display = np.asarray(
                cv2.resize(display, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.float32
            )
    level = to_linear(display)
    levels = [np.rint(display).astype(np.uint8)]
    while min(level.shape[:2]) > 4:
        half = (level.shape[1] // 2, level.shape[0] // 2)
        level = np.asarray(cv2.resize(level, half, interpolation=cv2.INTER_AREA), np.float32)
        levels.append(np.rint(to_display(level)).astype(np.uint8))
    result['texels'] = np.concatenate([x.reshape(-1) for x in levels])
    result['sizes'] = np.array([x.shape[:2] for x in levels])
    return result


@lru_cache(maxsize=1024)
def mean(texture: str) -> Array:
    """Return the mean linear RGB of a texture."""
    return np.asarray(to_linear(load(texture)[0][-1].astype(np.float32)).mean((0, 1)), np.float32)


def metres(texture: str) -> float:
    """Return the side of one repetition in units of the texture coordinates of the mesh (1 for image files)."""
    parts = texture.split(':')
    if parts[0] in KINDS:
        return float(parts[2]) if len(parts) > 2 else METRES[parts[0]]
    return 1.0
