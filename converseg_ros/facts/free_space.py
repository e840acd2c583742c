"""Free space: a horizontal support surface without the objects on it, in metres.

The surface is projected onto a grid in its plane, seen from above. A cell is free if the camera saw the bare surface
there. Everything that rises above the plane, with or without a region, blocks the cells below it; hidden cells and
cells without depth are never free. The answer is the whole free part of each surface on which a disc with the size of
the object to set down fits; lifting/placement.py finds the poses in it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.areas import Area
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.planes import ViewGeometry

if TYPE_CHECKING:
    from converseg_ros.facts.table import Facts

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
CELL, MAX_CELLS = 0.01, 400  # metres, and cells along a side
MIN_ROOM = 0.05  # minimum width of a free place in metres, for any object
OBSTACLE = 0.012  # metres above the plane, in addition to depth noise, from which something is an obstacle
MAY_FIT = 0.75  # share of the size from which the object may fit, since its usual size is only typical of it
HEADROOM = 0.6  # metres above a plane up to which something blocks the object to set down
MAX_SPECK = 4  # cells across in the image; smaller holes in depth are camera noise
OUTLINE = 1  # cells in the image around an object that belong to it
OTHER_HALF = 0.2  # size of a part of a surface outside of its region, relative to the part inside
OFF_SURFACE = 0.3  # share of the best surface's degree from which another surface is used as well
NO_PLANE = 'no support surface is seen'
NO_DEPTH = 'depth is missing, so free space is only what no thing covers in the image'


def free_space(facts: 'Facts', on: Degree | None, size: float = 0.0) -> Area:
    """Return the free area of the surfaces `on` (S,), or of any support surface except the floor.

    size: width in metres of the object to set down, which decides which surfaces have room; 0 if it is not given.
    Without depth the result is an estimate: the region of the surface minus objects.
    """
    surfaces = support_surfaces(facts) if on is None else facts.flat & on & carriers(facts)
    best = float(surfaces.p.max(initial=0.0))
    empty = np.zeros(facts.segments.masks.shape[1:], bool)
    if best < 0.1:
        return Area(empty, best, notes=frozenset({NO_PLANE}))
    chosen = np.flatnonzero(surfaces.p >= max(OFF_SURFACE * best, 0.1) if on is not None else surfaces.p >= 0.6 * best)
    if facts.given.free is not None:
        mask = empty.copy()
        for i in chosen:
            mask |= facts.given.free.get(int(i), empty)
        return Area(mask, best)
    if facts.geometry is None:
        return _by_image(facts, chosen, best)
    things = obstacles(facts, chosen)
    planes = sorted({int(facts.plane[i]) for i in chosen} - {-1})
    if not planes:
        return Area(empty, best, False, frozenset({'the surface has no plane that could be measured'}))
    view, found = facts.geometry, []
    for k in planes:
        region = facts.segments.masks[chosen[facts.plane[chosen] == k]].any(0)
        found.append(free_of_plane(view, view.planes[k], region, things))
    notes = frozenset() if best >= 0.5 else frozenset({'it is not certain what is a surface'})
    fitting = [mask for mask, width in found if width >= size]
    if not fitting:
        fitting = [mask for mask, width in found if width >= MAY_FIT * size]
        widest = max(width for _, width in found)
        notes |= (
            {f'the widest free place seen is {widest:.2f} m wide, and {size:.2f} m are needed'} if fitting else set()
        )
    mask = np.any([empty, *fitting], axis=0)
    return Area(mask, best, not notes, notes)


def carriers(facts: 'Facts') -> Degree:
    """Return (S,) degrees of regions that can support objects: surfaces, and other objects with lower degrees."""
    kinds = facts.kinds
    return Degree.known(np.clip(kinds[:, 1] + 0.6 * kinds[:, 0] + 0.3 * kinds[:, 2], 0, 1))


def support_surfaces(facts: 'Facts') -> Degree:
    """Return (S,) degrees of horizontal surfaces that objects are set down on; the floor is not one."""
    if facts.given.free is not None:
        free = facts.given.free
        low = facts.filter('name', 'floor') | facts.filter('name', 'rug')
        return Degree.known([float(bool(free.get(i, np.zeros(1)).any())) for i in range(len(facts))]) & ~low
    level = facts.filter('name', 'surface')
    return facts.flat & level & ~facts.filter('name', 'floor')


def obstacles(facts: 'Facts', surfaces: NDArray[np.intp]) -> Mask:
    """Return (h, w) the cells that objects and people cover, with a thin margin."""
    kinds, masks = facts.kinds, facts.segments.masks
    block = facts.segments.flat & (kinds[:, 0] + kinds[:, 3] > 0.5)
    block[surfaces] = False
    return _grown(np.asarray(masks[block].any(0)), OUTLINE)


def _grown(mask: Mask, cells: int) -> Mask:
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8), iterations=cells)).view(bool)


def _by_image(facts: 'Facts', chosen: NDArray[np.intp], best: float) -> Area:
    mask = facts.segments.masks[chosen].any(0) & ~obstacles(facts, chosen)
    mask = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)).view(bool)
    return Area(mask, min(best, 0.6), False, frozenset({NO_DEPTH}))


def free_of_plane(view: ViewGeometry, plane: Plane, region: Mask, things: Mask) -> tuple[Mask, float]:
    """Return (h, w) the free visible part of a plane, and the diameter in metres of the largest disc that fits into it.

    region: (h, w), the region of the surface; connected bare cells of the plane also count. things: (h, w), known
    objects in front of it or on it.
    """
    bare, above, higher = _classified(view, plane)
    seen = _without_specks(bare & ~things, view.known & ~bare | above | things)
    seen = _connected(seen, region, things)
    if np.count_nonzero(seen) < 20:
        return np.zeros_like(region), 0.0
    top = _TopView.of(view, plane, seen)
    cells = top.lookup(seen)
    blocked = top.dropped(view.points[above | (things & higher)])  # flat objects cover the cells below them anyway
    free = cells & ~blocked
    free = cv2.morphologyEx(free.view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)).view(bool) & ~blocked
    room, widest = with_room(free, top.cell)
    return np.asarray(top.back(room, region.shape) & seen), widest


def with_room(free: Mask, cell: float) -> tuple[Mask, float]:
    """Return the free cells that a disc of diameter MIN_ROOM covers without leaving them, and the largest diameter.

    cell: metres.
    """
    room = (cv2.distanceTransform(np.pad(free, 1).view(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1] + 0.5) * cell
    centres = room >= MIN_ROOM / 2
    if not centres.any():
        return np.zeros_like(free), 0.0
    away = cv2.distanceTransform((~centres).view(np.uint8), cv2.DIST_L2, 5) * cell
    return np.asarray(free & (away < MIN_ROOM / 2 + 0.5 * cell)), 2 * float(room[centres].max())


def _classified(view: ViewGeometry, plane: Plane) -> tuple[Mask, Mask, Mask]:
    """Return (h, w) where the bare plane is visible, where something rises above it, and where something may."""
    n = plane.normal.astype(np.float32)
    z = view.points[..., 2]
    with np.errstate(invalid='ignore'):
        height = view.points @ n + np.float32(plane.d)
        noise = 0.0012 + 0.0019 * (z - 0.4) ** 2
        bare = (np.abs(height) < 0.004 + 0.006 * z) & (np.abs(view.normals @ n) > 0.75)
        smooth = cv2.blur(np.nan_to_num(height), (3, 3))
        above = (height > OBSTACLE + 4 * noise) & (height < HEADROOM)
        bare &= smooth < OBSTACLE + 2 * noise
        higher = (height > 0.5 * OBSTACLE + noise) & (height < HEADROOM)
    return np.asarray(bare), np.asarray(above), np.asarray(higher)


def _without_specks(seen: Mask, other: Mask) -> Mask:
    """Return a mask without specks and with small holes filled, unless something else is seen there.

    Depth cameras lose single measurements everywhere; a larger part without depth stays unknown.
    """
    opened = cv2.morphologyEx(seen.view(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((MAX_SPECK + 1, MAX_SPECK + 1), np.uint8)).view(bool)
    blocked = cv2.morphologyEx(other.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).view(bool)
    return np.asarray(closed & ~blocked)


def _connected(seen: Mask, region: Mask, things: Mask) -> Mask:
    """Return the parts of `seen` that belong to the region.

    A surface that things on it divide in the image is one. Large parts outside of the region are kept too if things
    connect them with it; small ones may be flat things that lie on the surface.
    """
    inside = seen & (_grown(region, 4) | region)
    joined = _mostly_in(seen | things, seen, region)
    _, labels = cv2.connectedComponents((seen & ~inside & joined).view(np.uint8))
    large = np.bincount(labels.ravel()) >= OTHER_HALF * np.count_nonzero(inside)
    large[0] = False
    return np.asarray(inside & _mostly_in(seen, seen, region) | large[labels])


def _mostly_in(connected: Mask, seen: Mask, region: Mask) -> Mask:
    """Return the components of `connected` of whose pixels in `seen` enough are in the region."""
    _, labels = cv2.connectedComponents(connected.view(np.uint8))
    inside = np.bincount(labels[region & seen], minlength=labels.max() + 1)
    whole = np.bincount(labels[seen], minlength=labels.max() + 1)
    keep = (inside > 0.3 * whole) & (inside > 0)
    keep[0] = False
    return np.asarray(keep[labels])


@dataclass(frozen=True, eq=False)
class _TopView:
    """A plane from above: cell (j, i) is at origin + cell (i x + j y), axes (3, 2) = x, y; to_pixel is a homography."""

    shape: tuple[int, int]
    origin: Floats
    axes: Floats
    cell: float
    to_pixel: Floats

    @staticmethod
    def of(view: ViewGeometry, plane: Plane, seen: Mask) -> '_TopView':
        points = view.points[seen & view.known].astype(np.float64)
        first = np.cross(plane.normal, [1.0, 0.0, 0.0])
        x = first / np.linalg.norm(first) if np.linalg.norm(first) > 0.1 else np.array([0.0, 1.0, 0.0])
        axes = np.stack([x, np.cross(plane.normal, x)], 1)
        flat = points @ axes
        low, high = flat.min(0), flat.max(0)
        cell = max(CELL, float((high - low).max()) / MAX_CELLS)
        low -= 2 * cell
        nx, ny = (np.ceil((high - low) / cell).astype(int) + 3).tolist()
        origin = -plane.d * plane.normal + axes @ low
        to_pixel = _pinhole(view) @ np.column_stack([axes[:, 0] * cell, axes[:, 1] * cell, origin])
        return _TopView((ny, nx), origin, axes, cell, to_pixel)

    def lookup(self, image: Mask) -> Mask:
        """Return which cells an image mask (h, w) covers."""
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpPerspective(image.view(np.uint8), self.to_pixel, self.shape[::-1], flags=flags)).view(
            bool
        )

    def back(self, cells: Mask, shape: tuple[int, ...]) -> Mask:
        """Return the image (h, w) of cells."""
        warped = cv2.warpPerspective(cells.view(np.uint8), self.to_pixel, (shape[1], shape[0]), flags=cv2.INTER_NEAREST)
        return np.asarray(warped).view(bool)

    def dropped(self, points: NDArray[np.float32]) -> Mask:
        """Return the cells vertically below points (N, 3)."""
        ij = np.rint(((points - self.origin) @ self.axes) / self.cell)
        inside = ((ij >= 0) & (ij < self.shape[::-1])).all(1)
        out = np.zeros(self.shape, np.uint8)
        i, j = ij[inside].astype(np.intp).T
        out[j, i] = 1
        return np.asarray(cv2.morphologyEx(out, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))).view(bool)


def _pinhole(view: ViewGeometry) -> Floats:
    """Return the camera matrix (3, 3) of the grid, computed from its points."""
    h, w = view.known.shape
    out = np.eye(3)
    for axis, cells in ((0, np.arange(w)), (1, np.arange(h))):
        index = np.broadcast_to(cells if axis == 0 else cells[:, None], (h, w))[view.known].astype(np.float64)
        ratio = (view.points[..., axis][view.known] / view.points[..., 2][view.known]).astype(np.float64)
        slope, start = np.polyfit(ratio, index, 1)
        out[axis, axis], out[axis, 2] = slope, start
    return out
