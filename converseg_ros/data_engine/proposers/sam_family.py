"""Stage 2 with a promptable segmenter: boxes to masks, a pool of automatic masks, and refinement by their overlap."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import iou
from converseg_ros.data_engine.contracts import Candidate, Picture, Region
from converseg_ros.network.segments.promptable import GRID, MIN_SCORE, SAME, Promptable, automatic_masks


class SamFamilyProposer:
    """Proposes with any promptable network; one picture's encoding and pool are kept."""

    def __init__(self, network: Promptable, *, grid: int = GRID, min_score: float = MIN_SCORE) -> None:
        self.network, self.grid, self.min_score = network, grid, min_score
        self._key = ''
        self._pool: list[NDArray[np.bool_]] | None = None

    @property
    def name(self) -> str:
        """Return the network's name."""
        return self.network.name

    def _look(self, picture: Picture) -> None:
        if self._key != picture.key:
            self.network.set_image(picture.rgb)
            self._key, self._pool = picture.key, None

    def propose(self, picture: Picture, regions: list[Region]) -> list[list[Candidate]]:
        """Return for each region its box's masks, best first, and the pool's mask that fits the best of them."""
        self._look(picture)
        boxed = [r for r in regions if r.box is not None]
        out: dict[str, list[Candidate]] = {r.key: [] for r in regions}
        for start in range(0, len(boxed), 8):  # eight at a time, so that memory stays small
            part = boxed[start : start + 8]
            logits, scores = self.network.from_boxes(np.array([r.box for r in part], np.float32))
            for region, masks, values in zip(part, logits, scores):
                order = np.argsort(-values, kind='stable')
                found = [
                    Candidate(region, masks[i] > 0, float(values[i]), 'box') for i in order if (masks[i] > 0).any()
                ]
                if found:
                    fitting = [m for m in self.pool(picture) if iou(m, found[0].mask) > SAME]
                    best = max(fitting, key=lambda m: iou(m, found[0].mask), default=None)
                    if best is not None:
                        found.append(Candidate(region, best, found[0].score, 'pool'))
                out[region.key] = found
        return [out[r.key] for r in regions]

    def pool(self, picture: Picture) -> list[NDArray[np.bool_]]:
        """Return the automatic masks of a picture: a grid of points, sure and stable masks only, each thing once."""
        self._look(picture)
        if self._pool is None:
            found = automatic_masks(
                self.network, (picture.height, picture.width), grid=self.grid, min_score=self.min_score
            )
            self._pool = [mask for _, mask in found]
        return self._pool

    def refine(self, picture: Picture, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the union of the pool's masks in `mask` if that says much the same, else `mask` without specks."""
        inside = [m for m in self.pool(picture) if np.count_nonzero(m & mask) > 0.9 * np.count_nonzero(m)]
        union = np.logical_or.reduce(inside) if inside else np.zeros_like(mask)
        return tidy(union if iou(union, mask) > SAME else mask)


def tidy(mask: NDArray[np.bool_], share: float = 0.01) -> NDArray[np.bool_]:
    """Return a mask without specks and holes smaller than `share` of it."""
    import cv2

    out = mask.copy()
    limit = share * np.count_nonzero(mask)
    for value in (True, False):
        count, labels, stats, _ = cv2.connectedComponentsWithStats((out == value).astype(np.uint8), connectivity=8)
        for index in range(1, count):
            if stats[index, cv2.CC_STAT_AREA] < limit:
                out[labels == index] = not value
    return out if out.any() else mask
