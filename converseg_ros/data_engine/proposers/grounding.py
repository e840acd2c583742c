"""Descriptions to boxes by a zero-shot object detector of transformers (network/grounded/detector.py)."""

from pathlib import Path

import numpy as np

from converseg_ros.core.mask import Box, box_iou
from converseg_ros.data_engine.contracts import Picture, Region
from converseg_ros.network.grounded.boxes import inside

SAME = 0.85  # intersection over union above which two boxes show one thing
THRESHOLD = 0.1


class DetectorGrounder:
    """Gives regions the boxes of a detector in a local folder; nothing is downloaded."""

    def __init__(self, folder: Path, *, threshold: float = THRESHOLD) -> None:
        from converseg_ros.network.grounded.detector import ZeroShotDetector  # with torch

        self.threshold = threshold
        self._detector = ZeroShotDetector(folder)

    @property
    def name(self) -> str:
        """Folder name of the detector."""
        return self._detector.name

    def ground(self, picture: Picture, regions: list[Region]) -> list[Region]:
        """Give each region the best box for its words, near the judge's own box if there is one.

        Boxes are whole pixels inside the image. Two regions of a category never get the same box: the better one keeps
        it. A region without a box above the threshold is left out.
        """
        claims: list[tuple[float, int, Box]] = []
        size, first = (picture.height, picture.width), 0
        for phrases in self._detector.batches([r.text for r in regions]):
            scores, boxes = self._detector.detect(picture.rgb, phrases)
            for index, row in enumerate(scores, first):
                region = regions[index]
                for query in np.flatnonzero(row >= self.threshold):
                    box = inside(boxes[query], size)
                    if box is not None:
                        near = box_iou(region.box, box) if region.box else 0.0
                        claims.append((float(row[query]) + near, index, box))
            first += len(phrases)
        given: dict[int, Box] = {}
        for _, index, claimed in sorted(claims, key=lambda c: (-c[0], c[1], c[2])):
            taken = any(
                regions[i].category == regions[index].category and box_iou(b, claimed) > SAME for i, b in given.items()
            )
            if index not in given and not taken:
                given[index] = claimed
        return [r.model_copy(update={'box': given[i]}) for i, r in enumerate(regions) if i in given]
