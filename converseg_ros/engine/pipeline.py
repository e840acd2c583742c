"""The five stages in a row, for one image and for a whole source; it does not care who judges."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
from typing import Any

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.item import Item
from converseg_ros.core.mask import encode_rle
from converseg_ros.engine.images import load_upright
from converseg_ros.engine.judging import Judge, Picture, PromptDraft
from converseg_ros.engine.linter import lint
from converseg_ros.engine.proposal import Proposer
from converseg_ros.engine.sources import Shot
from converseg_ros.engine.store import Store
from converseg_ros.engine.verification import VerifiedRegion, verify_regions

Progress = Callable[[str, int, int, str], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """How much to make of an image."""

    prompts: int = 13
    negatives: float = 0.23
    shard: tuple[int, int] = (0, 1)

    def to_json(self) -> dict[str, Any]:
        """Return what decides an image's items; shards make parts of the same data set."""
        return {'prompts': self.prompts, 'negatives': self.negatives}


class Pipeline:
    """Runs the stages: understanding, proposal, verification, prompts, alignment."""

    def __init__(self, judge: Judge, proposer: Proposer, settings: Settings) -> None:
        self.judge, self.proposer, self.settings = judge, proposer, settings

    def identity(self) -> dict[str, Any]:
        """Return everything that decides what is made of an image."""
        return {'judge': self.judge.name, 'proposer': self.proposer.name, **self.settings.to_json()}

    def run(self, shots: Iterable[Shot], out: Path, progress: Progress | None = None) -> dict[str, Any]:
        """Make the data set `out` of the shots, or finish it; return its manifest."""
        store = Store(out, self.identity())
        wanted = list(shots)
        index, count = self.settings.shard
        mine = [s for s in wanted if int(s.key[:8], 16) % count == index]
        failed: list[dict[str, str]] = []
        for number, shot in enumerate(mine):
            if progress:
                progress('images', number, len(mine), shot.image_id)
            if store.journal(shot.key).done:
                continue
            try:
                self.run_shot(shot, store, out)
            except InputError as error:
                failed.append({'image': shot.image_id, 'why': str(error)})
        manifest = {
            'format': 'converseg-items-1',
            **self.identity(),
            'images': len(wanted),
            'failed': failed,
            'missing': sum(not store.journal(k).done for k in {s.key for s in wanted}) if count > 1 else len(failed),
        }
        store.publish([s.key for s in wanted], manifest)
        if progress:
            progress('done', len(mine), len(mine), f'{len(failed)} images failed' if failed else '')
        return manifest

    def run_shot(self, shot: Shot, store: Store, out: Path) -> None:
        """Make and commit the items of one image; those already committed are kept."""
        journal = store.journal(shot.key)
        rgb, upright = load_upright(shot.path)
        picture = Picture(shot.key, rgb)
        image = self._image_path(shot, upright, out, rgb)
        regions = self.judge.describe(picture)
        candidates = self.proposer.propose(picture, regions)
        verified, rejected = verify_regions(self.judge, self.proposer, picture, candidates)
        drafts = self.judge.prompts(
            picture, [v.region for v in verified], self.settings.prompts, self.settings.negatives
        )
        reasons: Counter[str] = Counter(reason for _, reason in rejected)
        by_key = {v.region.key: v for v in verified}
        for draft in drafts:
            item, why = self._item(shot, picture, image, draft, by_key)
            if item is None:
                reasons[why] += 1
            elif item.id not in journal.items:
                journal.commit(item)
        journal.finish(
            {'regions': len(regions), 'verified': len(verified), 'prompts': len(drafts), 'rejected': dict(reasons)}
        )

    def _item(
        self, shot: Shot, picture: Picture, image: str, draft: PromptDraft, regions: dict[str, VerifiedRegion]
    ) -> tuple[Item | None, str]:
        """Return the item of a draft if stage 5 agrees to it, else None and why not."""
        import numpy as np

        if draft.sub_concept not in SUB_CONCEPTS:
            return None, 'unknown sub-concept'
        problems = lint(draft.text, bare=True)
        if problems:
            return None, f'language: {problems[0]}'
        if any(k not in regions for k in draft.regions):
            return None, 'needs a rejected region'
        mask = np.zeros((picture.height, picture.width), bool)
        for key in draft.regions:
            mask |= regions[key].mask
        verdict = self.judge.align(picture, draft.text, mask)
        if not verdict.ok:
            return None, f'alignment: {verdict.reason}'
        provenance: dict[str, Any] = {
            **self.identity(),
            'strategy': draft.strategy,
            'verdict': round(verdict.score, 3),
            'source': shot.kind,
        }
        if shot.seed is not None:
            provenance['scene_seed'] = shot.seed
        if draft.spoken:
            provenance |= {'spoken': draft.spoken, 'context': draft.context}
        sub = SUB_CONCEPTS[draft.sub_concept]
        identity = hashlib.sha256(f'{shot.key}\0{draft.text}'.encode()).hexdigest()[:20]
        return Item(
            id=identity,
            image=image,
            prompt=draft.text,
            rle=encode_rle(mask),
            family=sub.family,
            sub_concept=sub.name,
            phase=draft.phase,
            split=shot.split,
            image_id=shot.image_id,
            room=shot.room,
            provenance=provenance,
        ), ''

    @staticmethod
    def _image_path(shot: Shot, upright: bool, out: Path, rgb: Any) -> str:
        """Return the image's path from the data set's folder; an image that lies on its side is copied upright."""
        if upright:
            return Path(os.path.relpath(shot.path.resolve(), out.resolve())).as_posix()
        from PIL import Image

        from converseg_ros.core.files import atomic_path

        name = f'images/{shot.key}.png'
        if not (out / name).is_file():
            try:
                with atomic_path(out / name) as temporary:
                    Image.fromarray(rgb).save(temporary, format='PNG')
            except OSError as error:
                raise ConversegError(f'cannot write ({error.strerror})', where=str(out / name)) from error
        return name
