"""Names of surfaces from geometry: their plane and height are more informative than a crop of their texture."""

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.measures import Measures
from converseg_ros.facts.geometry.planes import ViewGeometry, find_planes, level_cosines
from converseg_ros.facts.predicates.relations import ramp
from converseg_ros.knowledge import thing

Floats = NDArray[np.float64]
BY_CLASS = 0.6  # maximum degree of a material that follows from the class alone
TABLES = frozenset({
    'table', 'desk', 'counter', 'countertop', 'worktop', 'workbench', 'work surface', 'table top', 'tabletop',
    'dining table', 'coffee table', 'kitchen counter', 'kitchen table', 'work table', 'bench top', 'kitchen island',
    'side table', 'work bench',
})  # fmt: skip
FURNITURE = frozenset({'furniture', 'piece of furniture'})
FLOORS = frozenset({'floor', 'ground', 'carpet', 'flooring', 'pavement'})
WALLS = frozenset({'wall', 'tiles', 'backsplash'})
CEILINGS = frozenset({'ceiling'})
SHELVES = frozenset({'shelf', 'shelves', 'shelf board'})
SURFACES = frozenset({'surface', 'support surface', 'work area', 'flat surface'})
# Kinds of what surrounds objects. A surface or a wall may be called by a name of these, not by that of an object.
BACKGROUND = frozenset({'ground', 'water', 'surface', 'building part', 'flooring', 'furniture', 'plant'})
LEVEL_COSINES = (0.85, 0.96)  # of a plane with up: below it is not horizontal, above it certainly is
NEARLY_LEVEL = 0.8  # cosine of a cell's normal with up from which it may lie in a level plane
# metres below a camera from which a single plane may be a floor, and from which it certainly is
FLOOR_BELOW = (0.9, 1.3)
MIN_FLOOR_DROP = 0.3  # metres that a floor is below a table
USUAL_TABLE = 0.75  # metres over the floor, of tables whose usual height is not known
# |ln| of the height over the floor relative to the usual one, up to which it is usual, and from which it is strange
HEIGHT_RATIOS = (0.25, 0.5)
STRANGE_HEIGHT = 0.2  # factor of a table of strange height; the seat of a chair has .6 of the height of a table
# rows relative to the image, of the centre, lower end and upper end of a floor
LOW_CENTRE, LOW_END, WALL_START = (0.45, 0.65), (0.7, 0.9), (0.0, 0.3)
UNSEEN_FLOOR = 0.4  # probability that a surface without depth, which does not look like a structure, is the floor
UNSEEN_PLANE = 0.6  # probability that a surface without a known plane is horizontal
SURFACE_KIND = 0.3  # probability of a surface from which a region has a plane
# probability of a wall, and of a wall or a surface, from which a region in a level plane counts as a surface
MIN_WALL_PROBABILITY, MIN_EITHER = 0.5, 0.7
# share of its points in a plane for a region to lie in it; the top may be a small part of an object
IN_PLANE, IN_TOP = 0.5, 0.15
# share of the view, and cells with depth, from which a region may have a plane of its own
MIN_REGION, MIN_CELLS = 0.01, 150


def planes_of(masks: NDArray[np.bool_], kinds: NDArray[np.floating], geometry: ViewGeometry | None) -> NDArray[np.intp]:
    """Return (S,) the index in `geometry` of the plane of each surface, -1 for objects and unknown planes."""
    out = np.full(len(masks), -1, np.intp)
    if geometry is None or not geometry.planes:
        return out
    level = np.array([float(p.normal @ geometry.up > LEVEL_COSINES[1]) for p in geometry.planes])
    near = [geometry.near(p) for p in geometry.planes]
    for i in np.flatnonzero(_may_be_level(kinds)):
        cells = masks[i] & geometry.known
        count = np.count_nonzero(cells)
        if not count:
            continue
        shares = np.array([np.count_nonzero(n & cells) for n in near]) / count
        top = shares * level
        if top.max() > (IN_TOP if kinds[i, 1] > SURFACE_KIND else IN_PLANE):
            out[i] = int(top.argmax())
        elif shares.max() > IN_PLANE and kinds[i, 1] > SURFACE_KIND:
            out[i] = int(shares.argmax())
    return out


def with_planes_of_regions(
    masks: NDArray[np.bool_], kinds: NDArray[np.floating], flat: NDArray[np.bool_], geometry: ViewGeometry
) -> ViewGeometry:
    """Return the geometry with the level planes of surfaces that are in none of its planes.

    The planes of a view are those with many points. A glossy worktop of which a fifth has depth is not among them, but
    its own points lie in one plane. masks: (S, h, w). kinds: (S, 4). flat: (S,) the regions to consider.
    """
    planes = planes_of(masks, kinds, geometry)
    sizes = np.array([np.count_nonzero(mask) for mask in masks]) / max(geometry.known.size, 1)
    with np.errstate(invalid='ignore'):
        level = np.abs(geometry.normals @ geometry.up.astype(np.float32)) > NEARLY_LEVEL
    added = []
    for i in np.flatnonzero(flat & (planes < 0) & _may_be_level(kinds) & (sizes > MIN_REGION)):
        cells = masks[i] & geometry.known
        count = np.count_nonzero(cells)
        if count < MIN_CELLS or np.count_nonzero(cells & level) < IN_PLANE * count:
            continue
        points, normals = (
            np.where(cells[..., None], x, np.float32(np.nan)) for x in (geometry.points, geometry.normals)
        )
        for plane in find_planes(points, normals, most=1, least=MIN_CELLS):
            if plane.inlier_ratio > IN_PLANE and plane.normal @ geometry.up > LEVEL_COSINES[1]:
                share = plane.inlier_ratio * np.count_nonzero(cells) / np.count_nonzero(geometry.known)
                added.append(replace(plane, inlier_ratio=float(share)))
    return replace(geometry, planes=(*geometry.planes, *added)) if added else geometry


def _may_be_level(kinds: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return (S,) whether a region may be a surface; a floor often looks half like a surface and half like a wall."""
    wall = (kinds[:, 2] > MIN_WALL_PROBABILITY) | (kinds[:, 1:3].sum(1) > MIN_EITHER)
    return np.asarray((kinds[:, 1] > SURFACE_KIND) | wall)


def levelled(
    kinds: NDArray[np.floating], planes: NDArray[np.intp], geometry: ViewGeometry | None, measures: Measures
) -> Floats:
    """Return (S, 4) kinds in which a region in a level plane is not a wall: a structure there is a surface.

    Without depth, its place in the image tells how probably it is a floor.
    """
    out = np.array(kinds, np.float64)
    if geometry is None:
        low = _lies_low(measures) * out[:, 2]
        out[:, 1] += low
        out[:, 2] -= low
    else:
        flat = ramp(level_cosines(planes, geometry), *LEVEL_COSINES) > 0.5  # not of NaN
        out[flat, 1] += out[flat, 2]
        out[flat, 2] = 0
    return out


def surface_name(
    noun: str,
    kinds: Floats,
    planes: NDArray[np.intp],
    measures: Measures,
    geometry: ViewGeometry | None,
    structures: NDArray[np.floating],
) -> Floats | None:
    """Return (S,) probabilities that a noun names each region as a surface, or None for a noun without surfaces.

    kinds: (S, 4) of core.segments.KINDS, levelled. planes: (S,) index of the plane of the region in `geometry`, or -1.
    structures: (S,) probabilities of a wall or a floor by appearance.
    """
    word = noun.casefold()
    groups = (TABLES, FURNITURE, FLOORS, WALLS, CEILINGS, SHELVES, SURFACES)
    if not any(word in g for g in groups):
        return None
    surface, structure = kinds[:, 1], kinds[:, 2]
    level, floor = _level(planes, geometry), _floor(planes, measures, geometry, kinds, structures)
    if word in SURFACES:
        return np.asarray(surface * level)
    if word in FURNITURE:
        return np.asarray(surface * level * (1 - floor))
    if word in TABLES:
        return np.asarray(surface * level * (1 - floor) * _usual_height(word, planes, floor, geometry))
    if word in FLOORS:
        if geometry is None:  # what looks like a floor is level; any other surface may be one too
            return np.asarray((surface + 0.5 * structure) * (floor + (1 - floor) * UNSEEN_FLOOR * level))
        return np.asarray((surface + 0.5 * structure) * level * floor)
    if word in SHELVES:
        return np.asarray(0.4 * (surface + 0.5 * structure) * level * (1 - floor))
    top = 1 - ramp(measures.box[:, 1], 0, 0.2 * measures.grid[0])
    if word in CEILINGS:
        return np.asarray(0.5 * structure * top)
    return np.asarray(0.8 * structure * (1 - np.where(planes >= 0, level, 0)))


def _level(planes: NDArray[np.intp], geometry: ViewGeometry | None) -> Floats:
    """Return (S,) probabilities that a region is horizontal; UNSEEN_PLANE for regions without a plane."""
    cosines = level_cosines(planes, geometry)
    return np.where(np.isnan(cosines), UNSEEN_PLANE, ramp(np.abs(cosines), *LEVEL_COSINES))


def _usual_height(noun: str, planes: NDArray[np.intp], floor: Floats, geometry: ViewGeometry | None) -> Floats:
    """Return (S,) factors for the height of each surface over the floor, 1 if the noun usually has it.

    1 as well if no floor is seen. floor: (S,) probabilities of the floor.
    """
    out = np.ones(len(planes))
    below = planes[(planes >= 0) & (floor > 0.5)]
    if geometry is None or not below.size:
        return out
    drop = np.array([p.d for p in geometry.planes])
    known = thing(noun)
    usual = known.size[2] if known is not None and known.size else USUAL_TABLE
    own = drop[below].max() - drop[planes]
    with np.errstate(divide='ignore', invalid='ignore'):
        strange = ramp(np.abs(np.log(np.maximum(own, 1e-3) / usual)), *HEIGHT_RATIOS)
    return np.where((planes >= 0) & (floor <= 0.5), 1 - (1 - STRANGE_HEIGHT) * strange, out)


def _lies_low(m: Measures) -> Floats:
    """Return (S,) probabilities that a wall or a floor at this place in the image is a floor.

    A floor seen by a camera that looks ahead or down is in the lower part of the image; a wall reaches the upper part.
    """
    rows = m.grid[0]
    low = ramp(m.centroid[:, 1] / rows, *LOW_CENTRE) * ramp(m.box[:, 3] / rows, *LOW_END)
    return np.asarray(low * ramp(m.box[:, 1] / rows, *WALL_START))


def _floor(
    planes: NDArray[np.intp],
    m: Measures,
    geometry: ViewGeometry | None,
    kinds: Floats,
    structures: NDArray[np.floating],
) -> Floats:
    """Return (S,) probabilities that a level surface is the floor.

    It is far below the camera, or well below another horizontal plane. Without depth, it looks like a structure.
    """
    if geometry is None:
        return np.asarray(np.minimum(structures * _lies_low(m) / np.maximum(kinds[:, 1], 1e-6), 1))
    drop = np.array([p.d if p.normal @ geometry.up > LEVEL_COSINES[0] else np.nan for p in geometry.planes])
    out = np.full(len(planes), 0.3)
    if not np.isfinite(drop).any():
        return out
    for i in np.flatnonzero(planes >= 0):
        own = drop[planes[i]]
        if np.isfinite(own):
            alone = float(ramp(np.asarray(own), *FLOOR_BELOW))
            higher = np.nanmin(drop) < own - MIN_FLOOR_DROP
            lower = np.nanmax(drop) > own + MIN_FLOOR_DROP
            out[i] = max(alone, 0.85) if higher and own > 0.6 else min(alone, 0.1) if lower else alone
    return out


def by_class(material: str, p: Floats) -> Degree:
    """Return the degrees of a material that follow from the probability (S,) of classes which usually have it."""
    p = BY_CLASS * p
    return Degree(p, np.zeros_like(p), np.clip(2 * p, p, 1), frozenset({f'{material} is inferred from the class'}))


@cache
def is_background(noun: str) -> bool:
    """Return whether a noun names part of the surroundings: its kind is in BACKGROUND, or it has no typical size."""
    found = thing(noun)
    return found is not None and (found.size is None or not BACKGROUND.isdisjoint(found.kinds))
