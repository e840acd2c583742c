"""Image neighbourhoods of the regions of the flat cut, and the depths at their borders."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.facts.geometry.planes import ViewGeometry

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
MIN_FOOT = 3  # cells of a support that must be visible below an object
RIM = 2  # width in cells of the ring around an outline
MEETS = (0.008, 0.012)  # metres, and share of the distance, by which depths may differ in contact
APART = (0.005, 0.006)  # the same, for one object in front of the other


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Counts for every pair of regions, (S, S) each with [i, j]; zero for regions outside of the flat cut.

    below: share of i's lower rim that is above j. beside: share of the ring around i that is in j. covered: share of i
    within the convex hull of j. ring: cells of j in the ring around i that have depth. meets, nearer, farther: how many
    of those have the depth of the adjacent cells of i, less, or more. foot: mean height in metres of the cells of j
    below i's lower rim, in the upright frame, and seat: their mean cosine with up; NaN if there are none with depth.
    """

    below: Floats
    beside: Floats
    covered: Floats
    ring: Floats
    meets: Floats
    nearer: Floats
    farther: Floats
    foot: Floats
    seat: Floats


def neighbours(masks: Mask, flat: Mask, geometry: ViewGeometry | None) -> Neighbours:
    """Return the neighbours of (S, h, w) masks; those that are not `flat` have none."""
    count, h, w = masks.shape
    label = np.zeros((h, w), np.intp)  # 1 + index of the flat region
    sizes = [np.count_nonzero(mask) for mask in masks]
    for i in sorted(np.flatnonzero(flat), key=lambda k: -sizes[k]):  # where regions overlap, the smaller one is used
        label[masks[i]] = i + 1
    z = None if geometry is None else np.where(geometry.known, geometry.points[..., 2], 0).astype(np.float32)
    tables = {name: np.zeros((count, count)) for name in Neighbours.__annotations__}
    heights = None if geometry is None else _heights(geometry)
    upward = None if geometry is None else np.asarray(geometry.normals @ geometry.up.astype(np.float32))
    tables['foot'][:] = tables['seat'][:] = np.nan
    areas = np.maximum(np.bincount(label.ravel(), minlength=count + 1)[1:], 1)
    for i in np.flatnonzero(flat):
        window = _window(masks[i], RIM + 1)
        if window is None:
            continue
        mask, around = np.ascontiguousarray(masks[i][window]), label[window]
        grown = cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8), iterations=RIM).view(bool)
        ring = grown & ~mask
        under = np.zeros_like(mask)
        under[RIM:] = mask[:-RIM]
        under &= ~mask
        for name, cells in (('below', under), ('beside', ring)):
            number = np.bincount(around[cells], minlength=count + 1)
            tables[name][i] = number[1:] / max(int(np.count_nonzero(cells)), 1)
        hull = _hull(mask)
        tables['covered'][:, i] = np.bincount(around[hull], minlength=count + 1)[1:] / areas
        if z is not None:
            _compare(tables, int(i), mask, ring, around, z[window], count)
        if heights is not None and upward is not None:
            tables['foot'][i] = _means(heights[window], under, around, count)
            tables['seat'][i] = _means(upward[window], under, around, count)
    for name in ('below', 'beside', 'covered'):
        np.fill_diagonal(tables[name], 0)
    return Neighbours(**tables)


def _means(values: NDArray[np.float32], cells: Mask, around: NDArray[np.intp], count: int) -> Floats:
    """Return (S,) the mean of the known values in the cells of each region, NaN if there are fewer than MIN_FOOT."""
    known = cells & np.isfinite(values)
    number = np.bincount(around[known], minlength=count + 1)[1:]
    total = np.bincount(around[known], values[known], minlength=count + 1)[1:]
    return np.where(number >= MIN_FOOT, total / np.maximum(number, 1), np.nan)


def _heights(geometry: ViewGeometry) -> NDArray[np.float32]:
    """Return (h, w) heights as in Measures: above the largest horizontal plane, or above the camera without one."""
    if geometry.base is not None:
        return geometry.height
    return np.asarray(geometry.points @ geometry.up.astype(np.float32))


def _window(mask: Mask, margin: int) -> tuple[slice, slice] | None:
    """Return the rows and columns of a mask's box, grown by a margin; None for an empty mask."""
    x, y, w, h = cv2.boundingRect(mask.view(np.uint8))
    if not w:
        return None
    return slice(max(y - margin, 0), y + h + margin), slice(max(x - margin, 0), x + w + margin)


def _hull(mask: Mask) -> Mask:
    edges, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    out = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(out, cv2.convexHull(np.concatenate(edges)), 1)
    return out.view(bool)


def _compare(
    tables: dict[str, Floats],
    i: int,
    mask: Mask,
    ring: Mask,
    around: NDArray[np.intp],
    z: NDArray[np.float32],
    count: int,
) -> None:
    """Count, for each region in the ring around region i, cells by their depth relative to the adjacent cells of i."""
    own = mask & (z > 0)
    cells = ring & (z > 0) & (around > 0)
    if not own.any() or not cells.any():
        return
    wide = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
    far = np.asarray(cv2.dilate(np.where(own, z, 0).astype(np.float32), wide))[cells]
    near = np.asarray(cv2.erode(np.where(own, z, 1e6).astype(np.float32), wide))[cells]
    there, whose = z[cells], around[cells]
    seen = near < 1e5
    margin, apart = MEETS[0] + MEETS[1] * there, APART[0] + APART[1] * there
    nearer, farther = there < near - apart, there > far + apart
    for name, hit in (
        ('ring', seen),
        ('meets', seen & (there > near - margin) & (there < far + margin)),
        ('nearer', seen & nearer),
        ('farther', seen & farther),
    ):
        tables[name][i] = np.bincount(whose[hit], minlength=count + 1)[1:]
