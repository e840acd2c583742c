"""Free space: a horizontal support surface without the objects on it, in metres.

The surface is projected onto a grid in its plane, seen from above. A cell is free if the camera saw the bare surface
there. Everything that rises above the plane, with or without a region, blocks the cells below it; hidden cells are
never free. The answer is the whole free part of each surface on which the object to set down fits;
lifting/placement.py finds the poses in it.

A cell of the surface's region without depth may be free: a glossy worktop and the border of many depth images have
none. If enough of the region is seen to lie in the plane, these cells are part of the answer, which is then undecided
and says so. They are never part of the answer to a safety instruction. The plane of a worktop that reflects is
estimated from few cells, and what is seen below it, behind its front edge, is a reflection (geometry/glossy.py).
"""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.geometry import Plane
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution import supports
from converseg_ros.facts.execution.areas import Area
from converseg_ros.facts.execution.bearing import bearing
from converseg_ros.facts.execution.free_part import FITS, free_of_plane, grown
from converseg_ros.facts.geometry.extent import look_alike
from converseg_ros.facts.geometry.glossy import behind_front, front_edge, glossy_plane, is_glossy
from converseg_ros.facts.geometry.planes import ViewGeometry

if TYPE_CHECKING:
    from converseg_ros.facts.table import Facts

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
OUTLINE = 1  # cells in the image around an object that belong to it
NO_PLANE = 'no support surface is seen'
MAX_BY_IMAGE = 0.6  # probability of free space that depth does not show
NO_DEPTH = 'depth is missing, so free space is only what no thing covers in the image'
NOT_MEASURED = 'the plane of the surface cannot be measured, so free space is only what no thing covers in the image'
PART_MISSING = 'depth is missing on a part of the surface, where it is not known whether it is free'
ESTIMATED = 'the plane of the surface is estimated from few measurements'
GUESSED = 'depth is missing on a part of the surface, which is free if nothing stands there'


def free_space(
    facts: 'Facts',
    on: Degree | None,
    sides: tuple[float, float] = (0.0, 0.0),
    *,
    safe: bool = False,
    raised: bool = True,
) -> Area:
    """Return the free area of the surfaces `on` (S,), or of any support surface except the floor.

    sides: metres of the place that the object to set down covers (top_view.best_place), which decides which surfaces
    have room; 0 if they are not given. safe: only what is seen to be free; without depth that is nothing. Otherwise the
    result without depth is an estimate: the region of the surface minus objects. Less probable surfaces are used if the
    best ones have no room, but not for safety and not for large objects. raised: whether they are tables rather than
    the floor or the ground; in colour alone, what stands on a region then tells how probably it is one.
    """
    surfaces = supports.support_surfaces(facts) if on is None else facts.flat & on
    best = float(surfaces.p.max(initial=0.0))
    empty = np.zeros(facts.segments.masks.shape[1:], bool)
    first = None
    weights = facts.outline * (1.0 if on is None else supports.carriers(facts))
    if raised and facts.geometry is None and not safe and not facts.exact:
        weights = weights * bearing(facts)
    for chosen in supports.in_order(surfaces, weights):
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
    mask = np.zeros(view.known.shape, bool)
    for i in chosen:
        region = facts.segments.masks[i]
        plane = glossy_plane(view, region)
        if plane is None:
            continue
        whole, things = _whole_surface(facts, view, plane, surfaces, chosen, region, False)
        part = free_of_plane(view, plane, whole, things, sides, estimated=True)
        mask |= part.mask
    best = float(surfaces.p[chosen].max())
    return Area(mask, min(best, MAX_BY_IMAGE), False, frozenset({ESTIMATED}))


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
        walls = np.asarray(facts.segments.masks[facts.segments.flat & (facts.kinds[:, 2] > 0.5)].any(0))
        # of this region only: where the added cells reach lower, free_of_plane finds another front edge of the whole
        more = behind_front(view, plane, region, things, walls, front_edge(view, plane, region))
        added, things = added | more, things & ~more
    return region | added, things


def obstacles(facts: 'Facts', surfaces: NDArray[np.intp], surface: Mask) -> Mask:
    """Return (h, w) the cells that objects and people cover, with a thin margin, except cells of the surface (h, w)."""
    kinds, masks = facts.kinds, facts.segments.masks
    block = facts.segments.flat & (kinds[:, 0] + kinds[:, 3] > 0.5)
    block[surfaces] = False
    return grown(np.asarray(masks[block].any(0) & ~surface), OUTLINE)


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
