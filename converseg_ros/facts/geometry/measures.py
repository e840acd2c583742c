"""Measurements of regions: position and size in the image, and in metres if there is depth.

Metric values are in the upright frame of the view: x to the right, y forward (level), z up. The origin is at the
position of the camera, at the height of the largest horizontal plane, so that z is the height above that plane; without
such a plane z is relative to the camera. Only the visible side is measured.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.mask import mask_box
from converseg_ros.facts.geometry.planes import ViewGeometry

Floats = NDArray[np.float64]
SAMPLES = 256  # sampled points of a region
MIN_POINTS, MIN_VALID = 12, 0.25  # points and share of valid depth below which a region has no metric size
# metres, and share of the distance, of a gap in depth behind which there is another object
GAP = (0.02, 0.01)
FOREGROUND = 0.4  # minimum share of the points of a region in front of such a gap
TAIL = 0.015  # share of points at either end of an extent that may be outliers
OUTLINE = 1.2  # grid cells by which an outline may be off
RELATIVE = 0.04  # share of an extent that the region may miss
CUT_OFF = 4.0  # factor on the sigma of a region at the edge of the image


@dataclass(frozen=True, eq=False)
class Measures:
    """Measurements of S regions on a grid of h x w cells; NaN is unknown.

    Attributes:
        box: (S, 4) x0 y0 x1 y1 in cells.
        centroid: (S, 2) x, y.
        area: (S,) cells.
        cut: (S,) bool, whether the region reaches the edge of the image.
        centre: (S, 3) metres in the upright frame.
        extent: (S, 3) along the upright axes.
        length, width: (S,) horizontal extents along and across the long axis.
        long_axis: (S, 3) unit vector of the largest extent.
        elongation: (S,) ratio of the largest to the second largest spread.
        low, high: (S,) heights of bottom and top.
        distance: (S,) metres from the camera.
        sigma: (S,) metres, standard deviation of an extent or height.
        valid: (S,) share of cells with depth.
        based: whether z is a height above a plane.
    """

    grid: tuple[int, int]
    box: Floats
    centroid: Floats
    area: Floats
    cut: NDArray[np.bool_]
    centre: Floats
    extent: Floats
    length: Floats
    width: Floats
    long_axis: Floats
    elongation: Floats
    low: Floats
    high: Floats
    distance: Floats
    sigma: Floats
    valid: Floats
    based: bool = False

    def __post_init__(self) -> None:
        """Validate that all arrays have one row per region."""
        count = len(self.area)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray) and len(value) != count:
                raise InputError(f'{name} has {len(value)} rows, not {count}', where='measures')

    @property
    def metric(self) -> NDArray[np.bool_]:
        """Return (S,) whether a region has a size in metres."""
        return np.asarray(np.isfinite(self.distance))

    @property
    def side(self) -> Floats:
        """Return (S,) the larger side of the box in cells."""
        return np.asarray(np.maximum(self.box[:, 2] - self.box[:, 0], self.box[:, 3] - self.box[:, 1]))

    @property
    def volume(self) -> Floats:
        """Return (S,) cubic metres of the upright box along the long axis; thin objects count as 3 mm thick."""
        return np.asarray(np.prod(np.maximum([self.length, self.width, self.high - self.low], 0.003), axis=0))


def image_measures(masks: NDArray[np.bool_]) -> dict[str, Any]:
    """Return box, centroid, area and cut of (S, h, w) masks."""
    count, h, w = masks.shape
    columns, rows = np.zeros((count, w), np.int32), np.zeros((count, h), np.int32)
    for i, mask in enumerate(masks):
        x0, y0, x1, y1 = mask_box(mask)
        if x1:
            inside = np.ascontiguousarray(mask[y0:y1, x0:x1]).view(np.uint8)
            columns[i, x0:x1] = cv2.reduce(inside, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
            rows[i, y0:y1] = cv2.reduce(inside, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]
    area = rows.sum(1).astype(np.float64)
    some = np.maximum(area, 1)
    centroid = np.stack([columns @ np.arange(w) / some, rows @ np.arange(h) / some], 1)
    box = np.zeros((count, 4))
    for k, sums in ((0, columns), (1, rows)):
        hit = sums > 0
        box[:, k] = hit.argmax(1)
        box[:, k + 2] = np.where(hit.any(1), hit.shape[1] - hit[:, ::-1].argmax(1), 0)
    cut = (box[:, 0] < 1) | (box[:, 1] < 1) | (box[:, 2] > w - 1) | (box[:, 3] > h - 1)
    return {'box': box, 'centroid': centroid, 'area': area, 'cut': cut & (area > 0)}


def measure(masks: NDArray[np.bool_], geometry: ViewGeometry | None) -> Measures:
    """Return the measurements of (S, h, w) masks; `geometry` has the same grid, or is None for RGB alone."""
    count, h, w = masks.shape
    image = image_measures(masks)
    nan = np.full(count, np.nan)
    if geometry is None:
        three = np.full((count, 3), np.nan)
        return Measures((h, w), **image, centre=three, extent=three, length=nan, width=nan, long_axis=three,
                        elongation=nan, low=nan, high=nan, distance=nan, sigma=nan, valid=np.zeros(count))  # fmt: skip
    if geometry.known.shape != (h, w):
        raise InputError(f'masks are {h}x{w}, the geometry is {geometry.known.shape}', where='measures')
    points, number, valid = _sampled(masks, geometry)
    upright = points @ geometry.upright.T
    based = geometry.base is not None
    if geometry.base is not None:
        upright[..., 2] = points @ geometry.base.normal + geometry.base.d
    good = (number >= MIN_POINTS) & (valid >= MIN_VALID)
    upright[~good] = np.nan
    number = np.where(good, number, 0)
    low, high = _range(upright, number)
    with np.errstate(invalid='ignore'):
        mean = np.nansum(upright, 1) / np.maximum(number, 1)[:, None]
    spread = np.nan_to_num(upright - mean[:, None])
    scatter = np.einsum('snk,snl->skl', spread, spread) / np.maximum(number, 1)[:, None, None]
    flat_axes = np.linalg.eigh(scatter[:, :2, :2])[1]
    across = np.einsum('snk,skl->snl', upright[..., :2], flat_axes)
    sides = np.subtract(*_range(across, number)[::-1])
    values, axes = np.linalg.eigh(scatter)
    middle = _median(points, number)
    extent = high - low
    sigma = _sigma(middle[:, 2], np.nan_to_num(extent).max(1, initial=0.0), geometry)
    sigma = np.where(image['cut'], CUT_OFF * sigma, sigma)
    gone = ~good[:, None]
    return Measures(
        (h, w),
        **image,
        centre=np.where(gone, np.nan, (low + high) / 2),
        extent=np.where(gone, np.nan, extent),
        length=np.where(good, sides[:, 1], np.nan),
        width=np.where(good, sides[:, 0], np.nan),
        long_axis=np.where(gone, np.nan, axes[:, :, 2]),
        elongation=np.where(good, np.sqrt(values[:, 2] / np.maximum(values[:, 1], 1e-8)), np.nan),
        low=np.where(good, low[:, 2], np.nan),
        high=np.where(good, high[:, 2], np.nan),
        distance=np.where(good, np.linalg.norm(middle, axis=1), np.nan),
        sigma=np.where(good, sigma, np.nan),
        valid=valid,
        based=based,
    )


def _sampled(masks: NDArray[np.bool_], geometry: ViewGeometry) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Return (S, SAMPLES, 3) points inside of each mask, NaN-padded, their numbers, and the valid share.

    Cells at the outline are skipped if enough others remain, because depth cameras mix near and far there.
    """
    columns, flat = masks.shape[2], geometry.points.reshape(-1, 3)
    out = np.full((len(masks), SAMPLES, 3), np.nan)
    number, valid = np.zeros(len(masks), np.intp), np.zeros(len(masks))
    window = np.ones((3, 3), np.uint8)
    for i, mask in enumerate(masks):
        x0, y0, x1, y1 = mask_box(mask)
        x0, y0 = max(x0 - 1, 0), max(y0 - 1, 0)  # a margin of one cell, so that the outline is inside
        part = np.s_[y0 : y1 + 1, x0 : x1 + 1]
        inside, known = np.ascontiguousarray(mask[part]), geometry.known[part]
        measured = inside & known
        seen = int(np.count_nonzero(measured))
        valid[i] = seen / max(int(np.count_nonzero(inside)), 1)
        inner = np.flatnonzero(cv2.erode(inside.view(np.uint8), window, borderValue=1).view(bool) & known)
        chosen = inner if inner.size >= max(MIN_POINTS, 0.3 * seen) else np.flatnonzero(measured)
        if not chosen.size:
            continue
        rows, x = np.divmod(chosen, inside.shape[1])
        chosen = (rows + y0) * columns + x + x0
        chosen = _without_background(chosen, flat[chosen, 2])
        if chosen.size > SAMPLES:
            chosen = chosen[np.linspace(0, chosen.size - 1, SAMPLES).astype(np.intp)]
        out[i, : chosen.size] = flat[chosen]
        number[i] = chosen.size
    return out, number, valid


def _without_background(cells: NDArray[np.intp], z: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the cells in front of a gap in depth, or behind it if most of them are there.

    Depth that is not exactly registered to colour shows the background at one side of an object; objects themselves are
    continuous in depth, except for small parts.
    """
    ordered = np.sort(z)
    gaps = np.diff(ordered)
    first, end = 0, cells.size  # of those that remain, in the order of depth
    while end - first > MIN_POINTS:
        last = first + int(gaps[first : end - 1].argmax())
        if gaps[last] < GAP[0] + GAP[1] * ordered[last]:
            break
        if last + 1 - first >= FOREGROUND * (end - first):
            end = last + 1
        else:
            first = last + 1
    return cells if end - first == cells.size else cells[np.argsort(z)[first:end]]


def _range(values: Floats, number: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the TAIL and 1 - TAIL quantiles (S, K) of (S, N, K) values; the first `number` of each row are valid."""
    ordered = np.sort(values, 1)  # NaN last
    last = np.maximum(number - 1, 0)
    rows = np.arange(len(values))
    low, high = np.rint(last * TAIL).astype(np.intp), np.rint(last * (1 - TAIL)).astype(np.intp)
    return ordered[rows, low], ordered[rows, high]


def _median(values: Floats, number: NDArray[np.intp]) -> Floats:
    return np.asarray(np.sort(values, 1)[np.arange(len(values)), np.maximum(number - 1, 0) // 2])


def _sigma(z: Floats, extent: Floats, geometry: ViewGeometry) -> Floats:
    """Return metres of uncertainty: outline, depth noise (Nguyen, Izadi, Lovell 2012) and missing parts of segments."""
    p = geometry.points[::8]
    with np.errstate(invalid='ignore', divide='ignore'):
        step = np.nanmedian(np.abs(np.diff(p[..., 0] / p[..., 2], axis=1)))  # metres per cell at a distance of 1 m
    noise = 0.0012 + 0.0019 * (z - 0.4) ** 2
    return np.asarray(np.sqrt((OUTLINE * step * z) ** 2 + noise**2 + (RELATIVE * extent) ** 2))
