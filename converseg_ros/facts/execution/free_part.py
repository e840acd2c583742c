"""The free part of one plane: its bare cells, and cells without depth that probably belong to it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.geometry.glossy import front_edge, is_glossy
from converseg_ros.facts.geometry.planes import ViewGeometry
from converseg_ros.facts.geometry.top_view import TopView, best_place, on_plane, radii

Mask = NDArray[np.bool_]
MIN_ROOM = 0.05  # minimum width of a free place in metres, for any object
OBSTACLE = 0.012  # metres above the plane, in addition to depth noise, from which something is an obstacle
MAY_FIT = 0.75  # share of its usual sides from which an object may fit, since they are only typical of it
# share of an object's place that is seen: it fits; it may fit if the rest is outside of the image, or has no depth
FITS, PARTLY_SEEN, MEASURED = 0.98, 0.5, 0.15
# metres above a plane up to which something blocks the object to set down, for safety and otherwise: the floor below
# the seat of a chair may be free
SAFE_HEADROOM, HEADROOM = 0.6, 0.3
EDGE = 3  # cells beside the bare plane in which normals may be wrong
MAX_SPECK = 4  # cells across in the image; smaller holes in depth are camera noise
OTHER_HALF = 0.2  # size of a part of a surface outside of its region, relative to the part inside
MIN_KNOWN = 0.15  # share of a surface with depth from which its plane holds for the rest of it
MIN_ON_PLANE = 0.6  # share of its cells with depth that lie in the plane, for the same
MIN_MISSING = 0.05  # share of an answer without depth; less is left out


def grown(mask: Mask, cells: int) -> Mask:
    """Return a mask (h, w) grown by some cells."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8), iterations=cells)).view(bool)


@dataclass(frozen=True, eq=False)
class FreePart:
    """The free part of one plane.

    mask: (h, w). widest: diameter in metres of the largest disc that fits into it. fits: share of the object's place
    that is seen to be free, in the best place whose rest is not seen; 0 if there is none. may_fit: whether an object of
    MAY_FIT of the size has a place of which enough is seen. missing: whether a part of the surface has no depth;
    guessed: whether the mask contains it.
    """

    mask: Mask
    widest: float = 0.0
    fits: float = 0.0
    may_fit: bool = False
    missing: bool = False
    guessed: bool = False


def free_of_plane(
    view: ViewGeometry,
    plane: Plane,
    region: Mask,
    things: Mask,
    sides: tuple[float, float] = (0.0, 0.0),
    *,
    safe: bool = False,
    estimated: bool = False,
) -> FreePart:
    """Return the free part of a plane.

    region: (h, w), the region of the surface; connected bare cells of the plane also count. things: (h, w), known
    objects in front of it or on it. sides: metres of the object to set down. safe: leave out all cells without depth.
    estimated: whether the plane itself is only estimated, so that no cell needs to be seen to lie in it;
    it is then not determined whether the object fits.
    """
    if not safe:
        region = region & ~front_edge(view, plane, region).cells
    border, headroom = (np.zeros_like(region), SAFE_HEADROOM) if safe else (region, HEADROOM)
    bare, above, higher = _classified(view, plane, border, headroom)
    seen = _without_specks(bare & ~things, view.known & ~bare | above | things)
    seen = _connected(seen, region, things) & (view.known if safe else True)
    if np.count_nonzero(seen) < 20 and not estimated:
        return FreePart(np.zeros_like(region))
    mirrored = np.zeros_like(region)
    if not safe and is_glossy(view, region):
        mirrored = region & ~above & ~seen
    unseen, points = on_plane(view, plane, region & (~view.known | mirrored) & ~seen & ~things)
    known = view.points[seen & view.known].astype(np.float64)
    top = TopView.of(view, plane, np.concatenate([known, points]), max(sides))
    blocked = top.dropped(view.points[above | (things & higher)])  # flat objects cover the cells below them anyway
    free, maybe = (_closed(top.lookup(cells) & ~blocked) & ~blocked for cells in (seen, seen | unseen))
    room, widest = with_room(free, top.cell)
    mask = top.back(room) & seen
    more = top.back(with_room(maybe, top.cell)[0]) & unseen
    missing = bool(np.count_nonzero(more) > MIN_MISSING * np.count_nonzero(mask | more))
    if estimated:
        return FreePart(mask | more if missing else mask, widest, missing=missing, guessed=missing)
    if safe:
        return FreePart(mask, widest, best_place(free, free, sides, top.cell), missing=missing)
    open_ = maybe | top.outside() & ~blocked
    fits = best_place(free, open_, sides, top.cell)
    tight = (MAY_FIT * sides[0], MAY_FIT * sides[1])
    may_fit = (
        fits >= PARTLY_SEEN
        or best_place(free, open_, tight, top.cell) >= PARTLY_SEEN
        or best_place(free, maybe, tight, top.cell) >= MEASURED
    )
    guessed = missing and _continues(view, plane, region & ~mirrored, things)
    return FreePart(mask | more if guessed else mask, widest, fits, may_fit, missing, guessed)


def _continues(view: ViewGeometry, plane: Plane, region: Mask, things: Mask) -> bool:
    """Return whether enough of a region is known to lie in a plane, so that its cells without depth probably do too."""
    near = view.near(plane)
    rest = region & (~things | near)  # things on the surface are not in its plane
    known = np.count_nonzero(rest & view.known)
    enough = known >= MIN_KNOWN * np.count_nonzero(rest)
    return bool(known and enough and np.count_nonzero(near & rest) >= MIN_ON_PLANE * known)


def _closed(cells: Mask) -> Mask:
    return np.asarray(cv2.morphologyEx(cells.view(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))).view(bool)


def with_room(free: Mask, cell: float) -> tuple[Mask, float]:
    """Return the free cells that a disc of diameter MIN_ROOM covers without leaving them, and the largest diameter.

    free: (h, w) cells of a plane. cell: side of a cell in metres. The diameter is in metres, 0 without such a cell.
    """
    room = radii(free) * cell
    centres = room >= MIN_ROOM / 2
    if not centres.any():
        return np.zeros_like(free), 0.0
    away = cv2.distanceTransform((~centres).view(np.uint8), cv2.DIST_L2, 5) * cell
    return np.asarray(free & (away < MIN_ROOM / 2 + 0.5 * cell)), 2 * float(room[centres].max())


def _classified(view: ViewGeometry, plane: Plane, border: Mask, headroom: float) -> tuple[Mask, Mask, Mask]:
    """Return (h, w) where the bare plane is visible, where something rises above it, and where something may.

    border: (h, w) where the normals may be wrong beside the bare plane, since those at the border of a surface mix it
    with what is behind it. headroom: metres up to which something is above the plane.
    """
    n = plane.normal.astype(np.float32)
    z = view.points[..., 2]
    with np.errstate(invalid='ignore'):
        height = view.points @ n + np.float32(plane.d)
        noise = 0.0012 + 0.0019 * (z - 0.4) ** 2
        level = np.abs(height) < 0.004 + 0.006 * z
        bare = level & (np.abs(view.normals @ n) > 0.75)
        bare |= level & border & grown(bare, EDGE)
        smooth = cv2.blur(np.nan_to_num(height), (3, 3))
        above = (height > OBSTACLE + 4 * noise) & (height < headroom)
        bare &= smooth < OBSTACLE + 2 * noise
        higher = (height > 0.5 * OBSTACLE + noise) & (height < headroom)
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
    inside = seen & (grown(region, 4) | region)
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
