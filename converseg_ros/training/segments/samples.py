"""Views for the boundary network: labelled images cropped, mirrored, degraded, and converted to target maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.files import atomic_path
from converseg_ros.core.segments import KINDS
from converseg_ros.datasets.regions import LabelledView, read_labelled
from converseg_ros.facts.geometry.planes import view_geometry
from converseg_ros.network.segments.boundary import VOTE
from converseg_ros.network.segments.geometry import geometry_channels, network_input

ROWS, COLUMNS = 480, 640  # of the image; maps have half of it
Rng = np.random.Generator
MAX_ZOOM = 2.0  # of a view, relative to the image at 640x480
IGNORED = 255  # an unknown kind
OBJECT, AGENT = KINDS.index('object'), KINDS.index('agent')


@dataclass(frozen=True, slots=True)
class Stored:
    """A labelled view in the cache: rgb (480, 640, 3), labels (480, 640), geometry (8, 240, 320) or None.

    kind: (480, 640) uint8, IGNORED if unknown. has_parts and complete: see LabelledView.
    """

    rgb: NDArray[np.uint8]
    whole: NDArray[np.int32]
    parts: NDArray[np.int32]
    kind: NDArray[np.uint8]
    geometry: NDArray[np.float32] | None
    has_parts: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """Input and targets of one view; maps have half the size of the image, those at stride 4 a quarter.

    boundary, part_boundary, part: 0..1. weight, part_weight: weight of the boundary of a cell. kind: uint8 at stride 4.
    vote: (2, h, w), offset to the visible centre of the cell's object. voting: which cells belong to an object.
    """

    rgb: NDArray[np.uint8]
    geometry: NDArray[np.float32]
    boundary: NDArray[np.float32]
    weight: NDArray[np.float32]
    part_boundary: NDArray[np.float32]
    part: NDArray[np.float32]
    part_weight: NDArray[np.float32]
    kind: NDArray[np.uint8]
    vote: NDArray[np.float32]
    voting: NDArray[np.bool_]


def store(folder: Path, name: str, cache: Path) -> Path:
    """Return the cache file of a labelled view; create it if it does not exist."""
    path = cache / f'{folder.name}-{name.replace("/", "-")}.npz'
    if not path.is_file():
        stored = prepare(read_labelled(folder, name))
        geometry = np.zeros(0, np.float16) if stored.geometry is None else stored.geometry.astype(np.float16)
        cache.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary, temporary.open('wb') as file:
            np.savez(
                file,
                rgb=stored.rgb,
                whole=stored.whole.astype(np.uint16),
                parts=stored.parts.astype(np.uint16),
                kind=stored.kind,
                geometry=geometry,
                flags=np.array([stored.has_parts, stored.complete]),
            )
    return path


def load(path: Path) -> Stored:
    """Read a cache file."""
    with np.load(path) as data:
        geometry = data['geometry'].astype(np.float32)
        has_parts, complete = (bool(f) for f in data['flags'])
        return Stored(
            data['rgb'],
            data['whole'].astype(np.int32),
            data['parts'].astype(np.int32),
            data['kind'],
            geometry if geometry.size else None,
            has_parts,
            complete,
        )


def prepare(labelled: LabelledView) -> Stored:
    """Return a labelled view at 640x480 with its geometry."""
    size = (COLUMNS, ROWS)
    rgb = cv2.resize(labelled.view.rgb, size, interpolation=cv2.INTER_AREA)
    ids = np.union1d(labelled.whole, labelled.parts)
    numbers = {0: 0} | {id_: i for i, id_ in enumerate(ids[ids > 0], 1)}
    whole, parts = (
        cv2.resize(_renumber(m, numbers), size, interpolation=cv2.INTER_NEAREST).astype(np.int32)
        for m in (labelled.whole, labelled.parts)
    )
    kinds = np.full(max(numbers.values()) + 1, IGNORED, np.uint8)
    for id_, kind in labelled.kinds.items():
        if id_ in numbers and kind >= 0:
            kinds[numbers[id_]] = kind
    view = view_geometry(labelled.view, ROWS // 2, COLUMNS // 2)
    geometry = None if view is None else geometry_channels(view)
    return Stored(np.asarray(rgb), whole, parts, kinds[whole], geometry, labelled.has_parts, labelled.complete)


def plain(stored: Stored) -> Sample:
    """Return a stored image without augmentation, for validation."""
    return _targets(stored)


def draw(stored: Stored, rng: Rng, *, size: tuple[int, int] = (ROWS, COLUMNS), drop_depth: float = 0.35) -> Sample:
    """Return the sample of a random view of a stored image, see `varied`."""
    return _targets(varied(stored, rng, size=size, drop_depth=drop_depth))


def varied(stored: Stored, rng: Rng, *, size: tuple[int, int] = (ROWS, COLUMNS), drop_depth: float = 0.35) -> Stored:
    """Return a random view of a stored image at `size` (rows, columns): cropped, mirrored and degraded."""
    if stored.geometry is not None:
        withheld = rng.random() < drop_depth
        stored = replace(stored, geometry=None if withheld else _worsen_geometry(stored.geometry, rng))
    zoom = size[0] / ROWS  # the complete image
    if rng.random() < 0.75:
        zoom = float(np.exp(rng.uniform(np.log(zoom), np.log(MAX_ZOOM))))
    height, width = (min(int(n / zoom) // 2 * 2, most) for n, most in zip(size, (ROWS, COLUMNS)))
    y, x = (int(rng.integers(0, (n - m) // 2 + 1)) * 2 for n, m in ((ROWS, height), (COLUMNS, width)))
    stored = _cut(stored, np.s_[y : y + height, x : x + width], size)
    if rng.random() < 0.5:
        stored = _mirrored(stored)
    return replace(stored, rgb=worsen(stored.rgb, rng))


def _cut(stored: Stored, window: tuple[slice, slice], size: tuple[int, int]) -> Stored:
    """Return a rectangle with even corners of a view, resized to `size`."""
    whole, half = (size[1], size[0]), (size[1] // 2, size[0] // 2)
    rows, columns = (slice(s.start // 2, s.stop // 2) for s in window)
    geometry = stored.geometry
    if geometry is not None:
        geometry = np.stack([_resized(c[rows, columns], half, cv2.INTER_LINEAR) for c in geometry])
    shrinks = window[0].stop - window[0].start > size[0]
    return replace(
        stored,
        rgb=_resized(stored.rgb[window], whole, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR),
        whole=_resized(stored.whole[window], whole, cv2.INTER_NEAREST),
        parts=_resized(stored.parts[window], whole, cv2.INTER_NEAREST),
        kind=_resized(stored.kind[window], whole, cv2.INTER_NEAREST),
        geometry=geometry,
    )


def _mirrored(stored: Stored) -> Stored:
    """Return a mirrored view."""
    geometry = stored.geometry
    if geometry is not None:
        geometry = np.ascontiguousarray(geometry[..., ::-1])
        geometry[0] *= -1  # the x component of the normal
    return replace(
        stored,
        rgb=np.ascontiguousarray(stored.rgb[:, ::-1]),
        whole=np.ascontiguousarray(stored.whole[:, ::-1]),
        parts=np.ascontiguousarray(stored.parts[:, ::-1]),
        kind=np.ascontiguousarray(stored.kind[:, ::-1]),
        geometry=geometry,
    )


def _targets(stored: Stored) -> Sample:
    """Return the target maps of a view."""
    whole, kind = stored.whole, stored.kind
    boundary = outlines(whole)
    weight = 1 + 3 * boundary
    if not stored.complete or not whole.all():
        # unlabelled regions may have hidden outlines; those of labelled objects, and their interior, are certain
        inside = _half(np.asarray(cv2.erode((whole > 0).astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8))
        weight = np.where((inside > 0.5) | (boundary > 0), weight, 0.0 if stored.complete else 0.02)
    thing = (kind == OBJECT) | (kind == AGENT)
    part_boundary = part = part_weight = np.zeros_like(boundary)
    if stored.has_parts:
        part_boundary = outlines(np.where(whole > 0, stored.parts, 0)) * (boundary == 0)
        part = _half((stored.parts != whole).astype(np.uint8))
        part_weight = np.maximum(_half(thing.astype(np.uint8)), 0.2) * (1 + 5 * part_boundary)
    small = np.asarray(whole[2::4, 2::4])
    voting = thing[2::4, 2::4] & (small > 0)
    return Sample(
        stored.rgb,
        network_input(stored.geometry, *boundary.shape),
        boundary,
        weight.astype(np.float32),
        part_boundary.astype(np.float32),
        part,
        part_weight.astype(np.float32),
        kind[2::4, 2::4],
        _votes(small, voting),
        voting,
    )


def outlines(labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return (H/2, W/2), 1 where a 2x2 cell contains or touches two labels of an (H, W) label image, else 0."""
    edge = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    rows, columns = len(edge) // 2, len(edge[0]) // 2
    return np.asarray(edge.reshape(rows, 2, columns, 2).any((1, 3)), np.float32)


def _votes(labels: NDArray[np.int32], voting: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return (2, h, w): offset from each voting cell at stride 4 to the centre of its label, in units of VOTE cells."""
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32) * 2  # in cells of the working grid
    ids, index = np.unique(labels, return_inverse=True)
    index = index.reshape(labels.shape)
    count = np.bincount(index.ravel(), minlength=len(ids))
    centre = [np.bincount(index.ravel(), c.ravel(), len(ids)) / count for c in (x, y)]
    vote = np.stack([centre[0][index] - x, centre[1][index] - y]) / VOTE
    return np.where(voting, vote, 0).astype(np.float32)


def _half(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the means of 2x2 cells."""
    means = image.reshape(image.shape[0] // 2, 2, image.shape[1] // 2, 2).mean((1, 3), dtype=np.float32)
    return np.asarray(means, np.float32)


def _resized(image: NDArray[Any], size: tuple[int, int], how: int) -> NDArray[Any]:
    """Return an image at another size (width, height)."""
    return np.asarray(cv2.resize(image, size, interpolation=how), image.dtype)


def _renumber(labels: NDArray[np.int32], numbers: Mapping[Any, int]) -> NDArray[np.uint16]:
    """Return labels as consecutive numbers."""
    ids, index = np.unique(labels, return_inverse=True)
    return np.array([numbers[i] for i in ids], np.uint16)[index].reshape(labels.shape)


def _worsen_geometry(geometry: NDArray[np.float32], rng: Rng) -> NDArray[np.float32]:
    """Return geometry channels with the errors of a worse camera, a wrong plane and larger holes."""
    out = geometry.copy()
    shape = out.shape[1:]
    known = out[5] > 0
    if rng.random() < 0.5:
        noise = cv2.resize(rng.normal(0, 0.1, (60, 80, 3)).astype(np.float32), (shape[1], shape[0]))
        out[:3] += noise.transpose(2, 0, 1) * float(rng.uniform(0, 1.5)) * known
    if rng.random() < 0.4:  # holes in blobs
        blobs = cv2.resize(rng.random((12, 16)).astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
        out[:7] *= blobs < rng.uniform(0.75, 1.0)
    if rng.random() < 0.25:  # no level plane was found, or another one
        out[6] = 0 if rng.random() < 0.5 else np.clip(out[6] + float(rng.normal(0, 0.5)), -1, 2) * known
    return out


def worsen(rgb: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """Return an image with random exposure, colour cast, gamma, saturation, blur, noise and compression."""
    image: NDArray[Any] = rgb.astype(np.float32)
    if rng.random() < 0.8:
        image *= rng.uniform(0.75, 1.25, 3).astype(np.float32)
    if rng.random() < 0.7:
        image = 255 * np.clip(image / 255, 0, 1) ** float(rng.uniform(0.6, 1.7))
    if rng.random() < 0.3:
        grey = image.mean(2, keepdims=True)
        image = grey + (image - grey) * float(rng.uniform(0, 1.6))
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.6:
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        image = image + noise * np.float32(rng.uniform(2, 12))
    out = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        _, data = cv2.imencode('.jpg', out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(out)


def mixture(sources: Sequence[tuple[list[Path], float]], rng: Rng) -> Path:
    """Draw a cache file: the source by its weight, the file uniformly."""
    weights = np.array([weight for _, weight in sources])
    files = sources[int(rng.choice(len(sources), p=weights / weights.sum()))][0]
    return files[int(rng.integers(len(files)))]
