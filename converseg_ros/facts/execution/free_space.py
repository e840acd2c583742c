"""Free space: a horizontal support surface without the objects on it, in metres.

The surface is projected onto a grid in its plane, seen from above. A cell is free if the camera saw the bare surface
there. Everything that rises above the plane, with or without a region, blocks the cells below it; hidden cells are
never free. The answer is the whole free part of each surface on which the object to set down fits;
lifting/placement.py finds the poses in it.

A cell of the surface's region without depth may be free: a glossy worktop and the border of many depth images have
none. If enough of the region is seen to lie in the plane, these cells are part of the answer, which is then undecided
and says so. They are never part of the answer to a safety instruction.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution import supports
from converseg_ros.facts.execution.areas import Area
from converseg_ros.facts.geometry.extent import look_alike
from converseg_ros.facts.geometry.glossy import behind_front, front_edge, glossy_plane, is_glossy
from converseg_ros.facts.geometry.planes import ViewGeometry
from converseg_ros.facts.geometry.top_view import TopView, best_place, on_plane, radii

if TYPE_CHECKING:
    from converseg_ros.facts.table import Facts

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
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
OUTLINE = 1  # cells in the image around an object that belong to it
OTHER_HALF = 0.2  # size of a part of a surface outside of its region, relative to the part inside
MIN_KNOWN = 0.15  # share of a surface with depth from which its plane holds for the rest of it
MIN_ON_PLANE = 0.6  # share of its cells with depth that lie in the plane, for the same
MIN_MISSING = 0.05  # share of an answer without depth; less is left out
NO_PLANE = 'no support surface is seen'
MAX_BY_IMAGE = 0.6  # probability of free space that depth does not show
NO_DEPTH = 'depth is missing, so free space is only what no thing covers in the image'
NOT_MEASURED = 'the plane of the surface cannot be measured, so free space is only what no thing covers in the image'
PART_MISSING = 'depth is missing on a part of the surface, where it is not known whether it is free'
ESTIMATED = 'the plane of the surface is estimated from few measurements'
GUESSED = 'depth is missing on a part of the surface, which is free if nothing stands there'


def free_space(
    facts: 'Facts', on: Degree | None, sides: tuple[float, float] = (0.0, 0.0), *, safe: bool = False
) -> Area:
    """Return the free area of the surfaces `on` (S,), or of any support surface except the floor.

    sides: metres of the place that the object to set down covers (top_view.best_place), which decides which surfaces
    have room; 0 if they are not given. safe: only what is seen to be free; without depth that is nothing. Otherwise the
    result without depth is an estimate: the region of the surface minus objects. Less probable surfaces are used if the
    best ones have no room, but not for safety and not for large objects.
    """
    surfaces = supports.support_surfaces(facts) if on is None else facts.flat & on
    best = float(surfaces.p.max(initial=0.0))
    empty = np.zeros(facts.segments.masks.shape[1:], bool)
    first = None
    for chosen in supports.in_order(surfaces, facts.outline * (1.0 if on is None else supports.carriers(facts))):
        area = _on(facts, surfaces, chosen, sides, safe)
        if safe or facts.exact or area.mask.any() or sides[1] > supports.MAX_ROOM:
            return area
        first = first or area
    return first or Area(empty, best, notes=frozenset({NO_PLANE}))


def _on(facts: 'Facts', surfaces: Degree, chosen: NDArray[np.intp], sides: tuple[float, float], safe: bool) -> Area:
    """Return the free area of the chosen ones of some surfaces (S,)."""
    best = float(surfaces.p[chosen].max())
    empty = np.zeros(facts.segments.masks.shape[1:], bool)
    if facts.given.free is not None:
        mask = empty.copy()
        for i in chosen:
            mask |= facts.given.free.get(int(i), empty)
        return Area(mask, best, measured=True)
    if facts.geometry is not None and (facts.plane[chosen] >= 0).any():
        return _by_planes(facts, facts.geometry, surfaces, chosen, sides, safe)
    if facts.geometry is not None and not safe:
        area = _by_estimated_planes(facts, facts.geometry, surfaces, chosen, sides)
        if area.mask.any():
            return area
    note = NO_DEPTH if facts.geometry is None else NOT_MEASURED
    mask = empty if safe else _by_image(facts, surfaces, chosen)
    return Area(mask, min(best, MAX_BY_IMAGE), False, frozenset({note}))


def _by_planes(
    facts: 'Facts',
    view: ViewGeometry,
    surfaces: Degree,
    chosen: NDArray[np.intp],
    sides: tuple[float, float],
    safe: bool,
) -> Area:
    """Return the free area of the planes of the chosen ones of some surfaces."""
    best = float(surfaces.p[chosen].max())
    found = []
    for k in sorted({int(facts.plane[i]) for i in chosen} - {-1}):
        region = np.asarray(facts.segments.masks[chosen[facts.plane[chosen] == k]].any(0))
        whole, things = _whole_surface(facts, view, view.planes[k], surfaces, chosen, region, safe)
        found.append(free_of_plane(view, view.planes[k], whole, things, sides, safe=safe))
    fitting = [part for part in found if part.fits >= FITS]
    sure = bool(fitting)
    notes = set() if best >= 0.5 else {'it is not certain what is a surface'}
    if not sure:
        widest = max(part.widest for part in found)
        notes.add(
            f'the widest free place seen is {widest:.2f} m wide, and {sides[0]:.2f} x {sides[1]:.2f} m are needed'
        )
    if not fitting and not safe:
        fitting = [part for part in found if part.may_fit]
        if not fitting:
            return Area(np.zeros(view.known.shape, bool), best, notes=frozenset(notes))
    if any(part.missing for part in fitting or found):
        notes.add(GUESSED if any(part.guessed for part in fitting) else PART_MISSING)
    mask = np.any([np.zeros(view.known.shape, bool), *(part.mask for part in fitting)], axis=0)
    return Area(mask, best, not notes, frozenset(notes), measured=bool(mask.any()))


def _by_estimated_planes(
    facts: 'Facts', view: ViewGeometry, surfaces: Degree, chosen: NDArray[np.intp], sides: tuple[float, float]
) -> Area:
    """Return the free area of the chosen ones of some surfaces whose planes are estimated from few cells."""
    mask, notes = np.zeros(view.known.shape, bool), {ESTIMATED}
    for i in chosen:
        region = facts.segments.masks[i]
        plane = glossy_plane(view, region)
        if plane is None:
            continue
        whole, things = _whole_surface(facts, view, plane, surfaces, chosen, region, False)
        part = free_of_plane(view, plane, whole, things, sides, estimated=True)
        mask |= part.mask
    best = float(surfaces.p[chosen].max())
    return Area(mask, min(best, MAX_BY_IMAGE), False, frozenset(notes))


def _whole_surface(
    facts: 'Facts',
    view: ViewGeometry,
    plane: Plane,
    surfaces: Degree,
    chosen: NDArray[np.intp],
    region: Mask,
    safe: bool,
) -> tuple[Mask, Mask]:
    """Return the region (h, w) of a surface with what else belongs to it, and the things (h, w) on or before it."""
    if safe:
        return region, obstacles(facts, chosen, np.zeros_like(region))
    added = _look_alike(facts, surfaces, region) & (~view.known | view.near(plane))
    things = obstacles(facts, chosen, added)
    if is_glossy(view, region):
        walls = facts.segments.masks[facts.segments.flat & (facts.kinds[:, 2] > 0.5)].any(0)
        more = behind_front(view, plane, region, things, walls, front_edge(view, plane, region))
        added, things = added | more, things & ~more
    return region | added, things


def obstacles(facts: 'Facts', surfaces: NDArray[np.intp], surface: Mask) -> Mask:
    """Return (h, w) the cells that objects and people cover, with a thin margin, except cells of the surface (h, w)."""
    kinds, masks = facts.kinds, facts.segments.masks
    block = facts.segments.flat & (kinds[:, 0] + kinds[:, 3] > 0.5)
    block[surfaces] = False
    return _grown(np.asarray(masks[block].any(0) & ~surface), OUTLINE)


def _grown(mask: Mask, cells: int) -> Mask:
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8), iterations=cells)).view(bool)


def _look_alike(facts: 'Facts', surfaces: Degree, region: Mask) -> Mask:
    """Return (h, w) the cells that look like a region of one of some surfaces; none without an image."""
    if facts.image is None:
        return np.zeros_like(region)
    flat = facts.segments.flat
    degrees = surfaces.p * supports.carriers(facts)
    degrees /= max(float(degrees.max()), 1e-6)
    things = facts.kinds[:, 0] > 0.5
    return look_alike(facts.image, region, facts.segments.masks[flat], degrees[flat], things[flat])


def _by_image(facts: 'Facts', surfaces: Degree, chosen: NDArray[np.intp]) -> Mask:
    region = np.asarray(facts.segments.masks[chosen].any(0))
    added = _look_alike(facts, surfaces, region)
    mask = ((region | added) & ~obstacles(facts, chosen, added)).view(np.uint8)
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))).view(bool)


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
    guessed = missing and (estimated or _continues(view, plane, region & ~mirrored, things))
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
        bare |= level & border & _grown(bare, EDGE)
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
