"""Worktops that reflect: their plane from the few cells with depth that lie on them, and their front edge.

A dark or shiny worktop returns depth in few cells. Most of these show its front edge, or things that it reflects, which
appear below it. Up is known, so that only the height of the plane is needed: that at which most of the level cells lie,
or the upper end of the front edge.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.geometry.gravity import MIN_LEVEL_COSINE
from converseg_ros.facts.geometry.planes import ViewGeometry
from converseg_ros.facts.geometry.top_view import TopView, on_plane

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
LEVEL, UPRIGHT = 0.8, 0.5  # cosine with up from which a cell is level, and to which it is upright
BIN = 0.005  # metres of height
MIN_LEVEL = 100  # level cells from which they give the height of a plane
MIN_LEVEL_SHARE = 0.1  # share of the cells with depth, for the same; noise on a wall looks level in a few of them
MIN_AGREEING = 0.6  # share of the level cells that are at one height
MIN_EDGE = 100  # upright cells from which they give the height of a plane
MAX_EDGE = 0.1  # metres between the 5th and the 95th percentile of their heights; the front of a cupboard has more
MIN_UPRIGHT = 0.4  # share of the cells with depth that are upright, for the same
MAX_KNOWN = 0.5  # share of a region with depth up to which it may reflect
BELOW = 0.15  # metres below the plane to which the front edge reaches
GAP, BESIDE = 3, 8  # cells inside and below the lower border of a region in which its front edge is looked for
MIN_DROP = 0.2  # metres from a surface down to another plane, which is not a reflection
RISES = 0.02  # metres above the plane from which something ends the surface
FOOT = 0.06  # metres above the plane up to which the lowest part of a thing is its foot
LINES, MIN_LINE = 60, 15  # hypotheses for a line, and columns that it must explain
MOST_LINES, PARALLEL = 3, 0.9  # lines that are looked for; cosine from which one is no other side of the surface
ON_LINE = 0.015  # metres from a line up to which a column is on it
SMOOTH = 9  # columns over which the upper end of the edge is smoothed


def is_glossy(view: ViewGeometry, region: Mask) -> bool:
    """Return whether a region (h, w) has depth in so few cells that it may be a surface that reflects."""
    return bool(np.count_nonzero(region & view.known) <= MAX_KNOWN * np.count_nonzero(region & _covered(view)))


def glossy_plane(view: ViewGeometry, region: Mask) -> Plane | None:
    """Return the horizontal plane of a region (h, w) with depth in few cells, or None if it cannot be estimated."""
    if not view.up_known or not is_glossy(view, region):
        return None
    cells = region & view.known
    height = (view.points[cells] @ view.up.astype(np.float32)).astype(np.float64)
    cosine = np.abs(view.normals[cells] @ view.up.astype(np.float32))
    level, upright = height[cosine > LEVEL], height[cosine < UPRIGHT]
    found = None
    if level.size >= max(MIN_LEVEL, MIN_LEVEL_SHARE * height.size):
        found = _mode(level, 0.006 + 0.006 * float(np.median(view.points[cells][:, 2])))
    if found is None and upright.size >= max(MIN_EDGE, MIN_UPRIGHT * height.size):
        low, high = np.percentile(upright, [5, 95])
        found = float(np.percentile(upright, 98)) if high - low < MAX_EDGE else None
    if found is None:
        return None
    return Plane(np.asarray(view.up, np.float64), -found, height.size / np.count_nonzero(view.known), BIN)


def _mode(height: Floats, tolerance: float) -> float | None:
    """Return the height at which enough of some heights (N,) in metres are, or None."""
    bins = np.floor((height - height.min()) / BIN).astype(np.intp)
    counts = np.convolve(np.bincount(bins), np.ones(3), 'same')
    peak = height.min() + (int(counts.argmax()) + 0.5) * BIN
    near = np.abs(height - peak) < tolerance
    return float(np.median(height[near])) if np.count_nonzero(near) >= MIN_AGREEING * height.size else None


def below(view: ViewGeometry, plane: Plane) -> Mask:
    """Return (h, w) the cells whose depth is clearly below a plane, where they are seen through it or beside it."""
    with np.errstate(invalid='ignore'):
        height = view.points @ plane.normal.astype(np.float32) + np.float32(plane.d)
        return np.asarray(height < -(0.004 + 0.006 * view.points[..., 2]))


@dataclass(frozen=True, eq=False)
class Front:
    """The front edge of a surface.

    cells: (h, w), those of the region that show it. begin: (N, 3) metres, where the surface begins above it.
    """

    cells: Mask
    begin: Floats


def front_edge(view: ViewGeometry, plane: Plane, region: Mask) -> Front:
    """Return the front edge of the region (h, w) of a surface, at its lower border.

    In each column, the lowest cells with depth are on the edge if they are a little below the plane. The surface begins
    where the point vertically above them in the plane is seen.
    """
    rows, columns = region.shape
    n, row = plane.normal, np.arange(len(region))[:, None]
    last = np.where(region.any(0), rows - 1 - region[::-1].argmax(0), 2 * rows)
    with np.errstate(invalid='ignore'):
        height = view.points @ n.astype(np.float32) + np.float32(plane.d)
        upright = np.abs(view.normals @ n.astype(np.float32)) < LEVEL
        edge = below(view, plane) & (height > -BELOW) & upright & (row >= last - GAP) & (row <= last + BESIDE)
    seen, at = np.flatnonzero(edge.any(0)), edge.argmax(0)
    foot = view.points[at[seen], seen].astype(np.float64)
    begin = foot - (foot @ n + plane.d)[:, None] * n
    own = at[seen] <= last[seen]
    if not own.any():
        return Front(np.zeros_like(region), begin)
    k, seen, ends = view.camera, seen[own], begin[own]
    border = k[1, 1] * ends[:, 1] / ends[:, 2] + k[1, 2]
    border = median_filter(border, min(SMOOTH, len(border)), mode='nearest')
    away = np.abs(np.arange(columns)[:, None] - seen[None]).min(1)
    in_front = row > np.interp(np.arange(columns), seen, border)[None]
    return Front(np.asarray(region & in_front & (away <= SMOOTH)[None]), begin)


def behind_front(view: ViewGeometry, plane: Plane, region: Mask, things: Mask, walls: Mask, front: Front) -> Mask:
    """Return (h, w) the cells outside of the region of a glossy surface that are on it by their place.

    They have no depth or one below the plane, are behind the straight lines of its front edge, which are continued, and
    can be reached from the region without crossing what rises above the plane. things, walls: (h, w), what is not part
    of it.
    """
    lines = _lines(front.begin, plane)
    out = np.zeros_like(region)
    if not lines:
        return out
    level = [p for p in view.planes if p.normal @ plane.normal > MIN_LEVEL_COSINE and p.d > plane.d + MIN_DROP]
    on_floor = np.any([out, *(view.near(p) for p in level)], axis=0)
    others = ~_covered(view) | on_floor | walls | things & ~in_front_of_feet(view, plane, things) | front.cells
    cells, points = on_plane(view, plane, (~view.known | below(view, plane)) & ~others | region)
    inside = np.ones(len(points), bool)
    for normal, offset in lines:
        inside &= points @ normal + offset > 0
    cells[cells] = inside
    points = points[inside]
    if not len(points):
        return out
    with np.errstate(invalid='ignore'):
        height = view.points @ plane.normal.astype(np.float32) + np.float32(plane.d)
        top = TopView.of(view, plane, points)
        free = top.lookup(cells) & ~top.dropped(view.points[height > RISES])
    _, labels = cv2.connectedComponents(free.view(np.uint8))
    reached = np.unique(labels[top.lookup(region) & free])
    cells &= top.back(np.isin(labels, reached[reached > 0]))
    _, labels = cv2.connectedComponents((cells | region).view(np.uint8))
    return np.asarray(cells & ~region & np.isin(labels, np.unique(labels[region])))


def in_front_of_feet(view: ViewGeometry, plane: Plane, things: Mask) -> Mask:
    """Return (h, w) the cells in the regions of things that show the surface in front of them, and their reflections.

    Nothing that stands on a plane reaches below its foot. These cells have no depth, or one below the plane, and the
    next cell of the thing above them in the image is close to the plane. things: (h, w).
    """
    rows = np.arange(len(things))[:, None]
    with np.errstate(invalid='ignore'):
        height = view.points @ plane.normal.astype(np.float32) + np.float32(plane.d)
        rising = things & (height > 0.5 * RISES)
    foot = np.maximum.accumulate(np.where(rising, rows, -1), 0)
    start = np.maximum.accumulate(np.where(things, -1, rows), 0)
    last = len(things)
    rising_again = np.minimum.accumulate(np.where(rising, rows, last)[::-1], 0)[::-1]
    end = np.minimum.accumulate(np.where(things, last, rows)[::-1], 0)[::-1]
    low = np.take_along_axis(np.nan_to_num(height, nan=np.inf), np.maximum(foot, 0), 0) < FOOT
    return np.asarray(things & ~rising & (foot > start) & low & (end <= rising_again) & ~view.near(plane))


def _covered(view: ViewGeometry) -> Mask:
    """Return (h, w) the rectangle of cells that the depth camera sees; it may be less than the colour image."""
    out = np.zeros_like(view.known)
    rows, columns = (np.flatnonzero(view.known.any(axis)) for axis in (1, 0))
    if rows.size:
        out[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return out


def _lines(points: Floats, plane: Plane) -> list[tuple[Floats, float]]:
    """Return straight lines through points (N, 3) in a plane: the normal (3,) away from the camera, offset.

    A point p of the surface is behind a line if its normal . p + offset > 0.
    """
    rng = np.random.default_rng(0)
    found: list[tuple[Floats, float]] = []
    for _ in range(MOST_LINES):
        if len(points) < MIN_LINE:
            break
        first, second = rng.integers(0, len(points), (2, LINES))
        a, b = points[first], points[second]
        normal = np.cross(plane.normal, b - a)
        normal /= np.maximum(np.linalg.norm(normal, axis=1), 1e-9)[:, None]
        offset = -np.einsum('ij,ij->i', normal, a)
        apart = np.linalg.norm(b - a, axis=1) > 2 * ON_LINE
        near = (np.abs(normal @ points.T + offset[:, None]) < ON_LINE) & apart[:, None]
        best = int(near.sum(1).argmax())
        if np.count_nonzero(near[best]) < MIN_LINE:
            break
        centre = points[near[best]].mean(0)
        along = np.linalg.svd(points[near[best]] - centre)[2][0]
        across = np.cross(plane.normal, along)
        across *= np.sign(across @ centre) / np.linalg.norm(across)  # away from the camera, which is at the origin
        if not any(abs(across @ line) > PARALLEL for line, _ in found):  # not the front of the cupboard below
            found.append((across, -float(across @ centre)))
        points = points[~near[best]]
    return found
