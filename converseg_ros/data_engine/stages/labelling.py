"""The verified regions of an image as labels: category, kind and mask, for the training of names and segments."""

from functools import cache
from typing import Any

import numpy as np

from converseg_ros.core.mask import mask_box
from converseg_ros.data_engine.stages.verification import VerifiedRegion
from converseg_ros.data_engine.world.world import SURFACES
from converseg_ros.knowledge import singular, thing

FREE = 'free '  # prefix of the category of a free area, which is not an object
PART, UNKNOWN = 'part', 'unknown'
INSIDE, SMALLER = 0.9, 0.5  # share of a part inside of its owner, and maximum share of the owner's area
OF_KNOWLEDGE = (('agent', ('agent', 'person', 'animal')), ('surface', ('surface', 'ground')))


def label_rows(verified: list[VerifiedRegion]) -> list[dict[str, Any]]:
    """Return {category, kind, text, score, rle} of each region; free areas are left out.

    kind: one of core.segments.KINDS; 'part' for a region of an unknown category inside of another one; 'unknown' for
    other unknown categories.
    """
    regions = [v for v in verified if not v.region.category.startswith(FREE)]
    areas = [int(np.count_nonzero(v.mask)) for v in regions]
    rows = []
    for i, v in enumerate(regions):
        kind = kind_of_category(v.region.category)
        if kind == UNKNOWN and _is_part(i, regions, areas):
            kind = PART
        rows.append(
            {
                'category': singular(v.region.category.strip().lower()),
                'kind': kind,
                'text': v.region.text,
                'score': round(v.score, 3),
                'rle': v.rle,
            }
        )
    return rows


def _is_part(index: int, regions: list[VerifiedRegion], areas: list[int]) -> bool:
    """Return whether a region is mostly inside of a larger one; areas: of the regions, in pixels."""
    part, area = regions[index], areas[index]
    x0, y0, x1, y1 = mask_box(part.mask)
    inside = part.mask[y0:y1, x0:x1]
    return any(
        area < SMALLER * whole and np.count_nonzero(inside & owner.mask[y0:y1, x0:x1]) >= INSIDE * area
        for owner, whole in zip(regions, areas)
        if owner is not part
    )


@cache
def kind_of_category(category: str) -> str:
    """Return the kind of a category by the classes of `knowledge`, 'unknown' if it has none of them."""
    found = thing(category.strip().lower())
    if found is None:
        return UNKNOWN
    kinds = {found.name, *found.kinds}
    for kind, wider in OF_KNOWLEDGE:
        if kinds & set(wider):
            return kind
    if found.name in SURFACES:
        return 'surface'
    return 'structure' if 'building part' in kinds else 'object'
