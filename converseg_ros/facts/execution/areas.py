"""What nodes denote: regions by degree, or parts of the view without a region, and conditions on their place."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.planes import ViewGeometry

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Area:
    """A part of the view.

    mask: (h, w). sure: 0 to 1. decided: whether facts suffice; notes has the reasons. measured: whether depth shows it.
    """

    mask: Mask
    sure: float
    decided: bool = True
    notes: frozenset[str] = frozenset()
    measured: bool = False

    def __and__(self, other: Mask) -> 'Area':
        """Return the intersection of the area with a mask."""
        return replace(self, mask=self.mask & other)


@dataclass(frozen=True, eq=False)
class Meaning:
    """The meaning of a node: regions by degree (S,), and optionally an area without a region.

    minus: the excluded regions, if there are any. condition: the degree of each region for the condition of the node
    alone, None if it has none. fulfilled: for this condition and all below it, if `degree` is not that.
    """

    degree: Degree
    area: Area | None = None
    minus: Degree | None = None
    condition: Degree | None = None
    fulfilled: Degree | None = None

    @property
    def reached(self) -> Degree:
        """Return the degree of each region for the condition of the node and all below it."""
        return self.degree if self.fulfilled is None else self.fulfilled


def union(members: Sequence[Meaning]) -> Meaning:
    """Return the meaning of a union."""
    degree = members[0].degree
    for m in members[1:]:
        degree = degree | m.degree
    areas = [m.area for m in members if m.area is not None]
    if not areas:
        return Meaning(degree)
    area = areas[0]
    for a in areas[1:]:
        area = Area(
            area.mask | a.mask,
            max(area.sure, a.sure),
            area.decided and a.decided,
            area.notes | a.notes,
            area.measured or a.measured,
        )
    return Meaning(degree, area)


def within(area: Area, region: str) -> Area:
    """Return the part of an area in a region of itself: its left, right, near or far half, its centre or corners."""
    rows, columns = np.nonzero(area.mask)
    if not rows.size:
        return area
    y, x = np.mgrid[: area.mask.shape[0], : area.mask.shape[1]]
    left, right = np.percentile(columns, [2, 98])
    top, bottom = np.percentile(rows, [2, 98])
    across, down = (x - left) / max(right - left, 1), (y - top) / max(bottom - top, 1)
    off = np.maximum(np.abs(across - 0.5), np.abs(down - 0.5))
    keep: NDArray[np.bool_] = {
        'left': across < 0.5, 'right': across >= 0.5, 'top': down < 0.5, 'far': down < 0.5, 'bottom': down >= 0.5,
        'near': down >= 0.5, 'centre': off < 0.25,
        'corner': np.minimum(np.abs(across - 0.5), np.abs(down - 0.5)) > 0.25,
    }[region]  # fmt: skip
    return area & keep


def outermost(area: Area, key: str, order: str) -> Area:
    """Return the part of an area that a rank by depth, column or row selects: its near half, its left half ..."""
    side = {
        ('depth', 'min'): 'near', ('depth', 'max'): 'far', ('x', 'min'): 'left', ('x', 'max'): 'right',
        ('y', 'min'): 'top', ('y', 'max'): 'bottom',
    }.get((key, order))  # fmt: skip
    if side is None:
        note = f'free space is not ordered by {key.replace("_", " ")}'
        return replace(area, decided=False, notes=area.notes | {note})
    return within(area, side)


def beside(area: Area, relation: str, anchor: Mask, view: ViewGeometry | None) -> Area:
    """Return the part of an area in a relation to an anchor (h, w): near, left of, behind ... from the viewpoint."""
    rows, columns = np.nonzero(anchor)
    if not rows.size:
        return replace(area, mask=np.zeros_like(area.mask))
    y, x = np.mgrid[: anchor.shape[0], : anchor.shape[1]]
    if relation in ('near', 'next_to', 'touching', 'far_from'):
        close = _within_reach(anchor, 0.25 if relation == 'next_to' else 0.35, view)
        return area & (~close if relation == 'far_from' else close)
    margin = 0.5 * (columns.max() - columns.min() + 1)
    low, high = rows.min(), rows.max()
    in_line = np.abs(x - columns.mean()) < 1.5 * margin
    keep = {
        'left_of': (x < columns.min()) & (y > low - 2 * margin) & (y < high + 2 * margin),
        'right_of': (x > columns.max()) & (y > low - 2 * margin) & (y < high + 2 * margin),
        'in_front_of': (y > rows.mean()) & in_line,
        'behind': (y < high) & in_line,
    }.get(relation)
    if keep is None:
        note = f'free space {relation.replace("_", " ")} something cannot be determined'
        return replace(area, decided=False, notes=area.notes | {note})
    return area & np.asarray(keep)


def _within_reach(anchor: Mask, reach: float, view: ViewGeometry | None) -> Mask:
    """Return (h, w) what is within `reach` metres of an anchor; without depth, within its own size in the image."""
    if view is None or not (anchor & view.known).any():
        away = cv2.distanceTransform((~anchor).view(np.uint8), cv2.DIST_L2, 5)
        return np.asarray(away < np.sqrt(np.count_nonzero(anchor)))
    points = view.points[anchor & view.known]
    low, high = np.percentile(points, [5, 95], axis=0)
    apart = np.maximum(np.maximum(low - view.points, view.points - high), 0)
    with np.errstate(invalid='ignore'):
        return np.asarray(np.linalg.norm(apart, axis=2) < reach)
