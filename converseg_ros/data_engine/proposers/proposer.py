"""Stage 2 without a network: the exact masks of the labels, with seeded faults for testing the later stages."""

from collections.abc import Callable
import random
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import box_iou, iou, mask_box
from converseg_ros.data_engine.contracts import Candidate, Picture, Region
from converseg_ros.data_engine.world.world import World

Fault = Literal['shifted', 'merged', 'halved', 'swapped']
FAULTS: tuple[Fault, ...] = ('shifted', 'merged', 'halved', 'swapped')


class Proposer(Protocol):
    """Proposes mask candidates for regions."""

    @property
    def name(self) -> str:
        """Return proposer and model, for the provenance."""
        ...

    def propose(self, picture: Picture, regions: list[Region]) -> list[list[Candidate]]:
        """Return candidates for each region, best first."""
        ...

    def refine(self, picture: Picture, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a refined mask of the same object, or the same mask."""
        ...


class GraphProposer:
    """Proposes exact masks; for a share `faults` of the regions, a seeded corrupted mask instead."""

    def __init__(self, world_of: Callable[[Picture], World], *, faults: float = 0.0, seed: int = 0) -> None:
        self._world_of, self.faults, self.seed = world_of, faults, seed
        self.spoiled: dict[tuple[str, str], Fault] = {}  # (picture, region) -> fault, for measurements

    @property
    def name(self) -> str:
        """Return the name with the share of faults."""
        return f'graph/faults-{self.faults:g}' if self.faults else 'graph'

    def propose(self, picture: Picture, regions: list[Region]) -> list[list[Candidate]]:
        """Return one candidate per region."""
        world = self._world_of(picture)
        masks = {r.key: mask for r in regions if (mask := _labelled(world, r)) is not None}
        out: list[list[Candidate]] = []
        for region in regions:
            if region.key not in masks:
                out.append([])
                continue
            mask = masks[region.key]
            rng = random.Random(f'{self.seed}:{picture.key}:{region.key}')
            if self.faults and rng.random() < self.faults:
                spoiled = self._spoil(mask, masks, region.key, rng)
                if spoiled is not None:
                    fault, mask = spoiled
                    self.spoiled[picture.key, region.key] = fault
            out.append([Candidate(region, mask, 1.0, self.name)])
        return out

    @staticmethod
    def _spoil(
        mask: NDArray[np.bool_], masks: dict[str, NDArray[np.bool_]], key: str, rng: random.Random
    ) -> tuple[Fault, NDArray[np.bool_]] | None:
        """Return a fault and the resulting mask; a fault with too little effect is not used."""
        for fault in rng.sample(FAULTS, len(FAULTS)):
            made = spoil(mask, [m for k, m in masks.items() if k != key], fault, rng)
            if made is not None and made.any() and iou(made, mask) < 0.7:
                return fault, made
        return None

    def refine(self, picture: Picture, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the mask unchanged: labels need no refinement."""
        return mask


def spoil(
    mask: NDArray[np.bool_], others: list[NDArray[np.bool_]], fault: Fault, rng: random.Random
) -> NDArray[np.bool_] | None:
    """Return (H, W) `mask` with a fault, or None if the fault is not possible here."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return None
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    if fault == 'shifted':
        dy, dx = round(rng.choice((-1, 1)) * 0.4 * height), round(rng.choice((-1, 1)) * 0.4 * width)
        out = np.zeros_like(mask)
        h, w = mask.shape
        source = mask[max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)]
        out[max(0, dy) : max(0, dy) + source.shape[0], max(0, dx) : max(0, dx) + source.shape[1]] = source
        return out
    if fault == 'halved':
        out = mask.copy()
        if rng.random() < 0.5:
            out[:, (columns[0] + columns[-1] + 1) // 2 :] = False
        else:
            out[(rows[0] + rows[-1] + 1) // 2 :] = False
        return out
    apart = [o for o in others if o.any() and not (o & mask).any()]
    if not apart:
        return None
    if fault == 'swapped':
        return rng.choice(apart).copy()
    center = _center(mask)
    nearest = min(apart, key=lambda o: float(np.hypot(*(_center(o) - center))))
    return mask | nearest


def _labelled(world: World, region: Region) -> NDArray[np.bool_] | None:
    """Return the labelled mask of a region: by its key if a label provided it, else by its box."""
    if region.key in world.entities or (region.key.startswith('free:') and region.key[5:] in world.free):
        return world.union([region.key])
    if region.box is None:
        return None
    options = [*(e.mask for e in world.entities.values() if e.area), *world.free.values()]
    scored = [(box_iou(region.box, mask_box(m)), i) for i, m in enumerate(options)]
    best = max(scored, default=(0.0, 0))
    return options[best[1]].copy() if best[0] >= 0.5 else None


def _center(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the middle (row, column) of the bounding box of a mask."""
    return np.array([np.flatnonzero(mask.any(1)).mean(), np.flatnonzero(mask.any(0)).mean()])
