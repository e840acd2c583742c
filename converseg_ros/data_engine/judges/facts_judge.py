"""The judges `scene` and `labels`: exact, without cost, and limited to the scene graph or annotations."""

from collections.abc import Callable
import random

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import box_iou, iou, mask_box
from converseg_ros.data_engine.contracts import Picture, PromptDraft, Region, Verdict
from converseg_ros.data_engine.grammar.drafts import VERSION, choose, enumerate_drafts
from converseg_ros.data_engine.grammar.language import Draft
from converseg_ros.data_engine.world.world import Entity, World
from converseg_ros.knowledge import class_of
from converseg_ros.programs.nodes import program_to_json

AGREES = 0.75  # minimum IoU of a mask with the region


class FactsJudge:
    """Judges an image by its world; a mask is compared with the label map, independent of its source."""

    def __init__(
        self,
        kind: str,
        world_of: Callable[[Picture], World],
        *,
        bare: bool = False,
        seed: str = '',
    ) -> None:
        self.kind, self.bare, self.seed = kind, bare, seed
        self._world_of = world_of
        self._world: World | None = None
        self._drafts: dict[str, Draft] = {}

    @property
    def name(self) -> str:
        """Return judge and grammar version."""
        return f'{self.kind}/grammar-{VERSION}'

    def _look(self, picture: Picture) -> World:
        """Return the world of the picture with its drafts; the last one is cached."""
        if self._world is None or self._world.key != picture.key:
            world = self._world_of(picture)
            self._drafts = {d.text: d for d in enumerate_drafts(world, bare=self.bare, seed=self.seed)}
            self._world = world
        return self._world

    def describe(self, picture: Picture) -> list[Region]:
        """Return everything that is labelled and large enough, and the free parts of surfaces."""
        world = self._look(picture)
        regions = []
        for e in world.entities.values():
            if e.area >= 24:
                owner = world.entities.get(e.owner)
                text = f'the {e.category} of the {owner.category}' if owner else f'the {e.category}'
                regions.append(
                    Region(key=e.key, text=text, category=e.category, box=(e.box.x0, e.box.y0, e.box.x1, e.box.y1))
                )
        for key, mask in world.free.items():
            name = world.entities[key].category
            x0, y0, x1, y1 = mask_box(mask)
            regions.append(
                Region(
                    key=f'free:{key}',
                    text=f'the free part of the {name}',
                    category=f'free {name}',
                    box=(x0, y0, x1, y1),
                )
            )
        return regions

    def _meant(self, world: World, region: Region) -> NDArray[np.bool_] | None:
        """Return the mask that the text and box of a region mean in this image."""
        if region.box is None:
            return None
        if region.category.startswith('free '):
            free = [m for k, m in world.free.items() if world.entities[k].category == region.category[5:]]
            options = [(m, mask_box(m)) for m in free]
        else:
            name = class_of(region.category).name
            options = [(e.mask, e.box) for e in world.entities.values() if _is_called(e, region, name)]
        scored = [(box_iou(region.box, box), i) for i, (_, box) in enumerate(options)]
        if not scored or max(scored)[0] < 0.5:
            return None
        return options[max(scored)[1]][0]

    def verify(self, picture: Picture, region: Region, mask: NDArray[np.bool_]) -> Verdict:
        """Compare the mask with the label map."""
        meant = self._meant(self._look(picture), region)
        if meant is None:
            return Verdict(ok=False, score=0.0, reason=f'there is no {region.category} there')
        return self._compare(meant, mask)

    def _compare(self, meant: NDArray[np.bool_], mask: NDArray[np.bool_]) -> Verdict:
        overlap = iou(meant, mask)
        if overlap >= AGREES:
            return Verdict(ok=True, score=overlap, reason='agrees')
        covered = int(np.count_nonzero(meant & mask)) / max(1, int(np.count_nonzero(meant)))
        why = 'covers something else' if covered < 0.1 else 'misses a part' if covered < 0.75 else 'covers too much'
        return Verdict(ok=False, score=overlap, reason=why)

    def prompts(self, picture: Picture, regions: list[Region], count: int, negatives: float) -> list[PromptDraft]:
        """Return a balanced selection of the drafts of the grammar about these regions."""
        world = self._look(picture)
        known = {r.key for r in regions}
        usable = [d for d in self._drafts.values() if set(d.keys) <= known]
        rng = random.Random(f'{world.key}:{self.seed}:choose')
        return [
            PromptDraft(
                text=d.text,
                regions=d.keys,
                sub_concept=d.sub_concept,
                phase=d.phase,
                strategy=d.strategy,
                context=d.context,
                spoken=d.spoken,
                program=None if d.program is None else program_to_json(d.program),
            )
            for d in choose(usable, rng, count, negatives)
        ]

    def align(self, picture: Picture, text: str, mask: NDArray[np.bool_]) -> Verdict:
        """Compare the mask with the meaning of the prompt in this image."""
        world = self._look(picture)
        draft = self._drafts.get(text)
        if draft is None:
            return Verdict(ok=False, score=0.0, reason='says something that the facts do not tell')
        if not draft.keys:
            empty = not mask.any()
            return Verdict(
                ok=empty,
                score=float(empty),
                reason='nothing fits' if empty else 'nothing fits, but the mask has pixels',
            )
        return self._compare(world.union(draft.keys), mask)


def _is_called(entity: Entity, region: Region, name: str) -> bool:
    if entity.kind == 'part':
        return entity.category == region.category
    return entity.category in (region.category, name)
