"""Stage 1: regions from a judge, with valid boxes; optionally with the boxes of a detector."""

from typing import Protocol

from converseg_ros.core.mask import box_iou
from converseg_ros.data_engine.contracts import Judge, Picture, Region


class Grounder(Protocol):
    """Finds boxes for descriptions."""

    @property
    def name(self) -> str:
        """Return the detector, for the provenance."""
        ...

    def ground(self, picture: Picture, regions: list[Region]) -> list[Region]:
        """Return the regions with boxes in pixels; those that are not found are dropped."""
        ...


def understand(judge: Judge, picture: Picture, grounder: Grounder | None = None) -> list[Region]:
    """Return the judge's regions: boxes inside the image, no duplicates, unique keys.

    With a grounder the boxes are the detector's; otherwise they are the judge's.
    """
    regions = judge.describe(picture)
    if grounder is not None:
        regions = grounder.ground(picture, regions)
    kept: list[Region] = []
    seen: set[str] = set()
    for region in regions:
        box = region.box
        if box is None or region.key in seen:
            continue
        x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(picture.width, box[2]), min(picture.height, box[3])
        if x1 <= x0 or y1 <= y0:
            continue
        region = region.model_copy(update={'box': (x0, y0, x1, y1)})
        if any(k.text == region.text and k.category == region.category and _same(k, region) for k in kept):
            continue
        seen.add(region.key)
        kept.append(region)
    return kept


def _same(a: Region, b: Region) -> bool:
    return a.box is not None and b.box is not None and box_iou(a.box, b.box) > 0.85
