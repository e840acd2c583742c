"""The five stages for one image and for a complete source, independent of the judge."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
import hashlib
import os
from pathlib import Path
from typing import Any

from converseg_ros.core.concepts import SUB_CONCEPTS
from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.item import Item
from converseg_ros.core.progress import Progress, Report
from converseg_ros.core.stages import JobStage
from converseg_ros.data_engine.contracts import Judge, Picture
from converseg_ros.data_engine.output.store import Store
from converseg_ros.data_engine.proposers.proposer import Proposer
from converseg_ros.data_engine.stages.alignment import Pair, align
from converseg_ros.data_engine.stages.labelling import label_rows
from converseg_ros.data_engine.stages.prompting import write_prompts
from converseg_ros.data_engine.stages.understanding import Grounder, understand
from converseg_ros.data_engine.stages.verification import verify_regions
from converseg_ros.data_engine.world.sources import Shot
from converseg_ros.datasets.images import load_upright

MIN_SIDE = 16  # pixels; smaller images have no usable content


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the output of an image."""

    prompts: int = 13
    negatives: float = 0.23
    shard: tuple[int, int] = (0, 1)
    workers: int = 1  # images that are processed in parallel; more than one only for judges that wait for an answer

    def to_json(self) -> dict[str, Any]:
        """Return the settings that determine the items of an image; shards are parts of the same data set."""
        return {'prompts': self.prompts, 'negatives': self.negatives}


class Pipeline:
    """Runs the stages: understanding, proposal, verification, prompts, alignment."""

    def __init__(self, judge: Judge, proposer: Proposer, settings: Settings, grounder: Grounder | None = None) -> None:
        self.judge, self.proposer, self.settings, self.grounder = judge, proposer, settings, grounder

    def identity(self) -> dict[str, Any]:
        """Return everything that determines the items of an image."""
        return {
            'judge': self.judge.name,
            'proposer': self.proposer.name,
            'grounder': self.grounder.name if self.grounder else '',
            **self.settings.to_json(),
        }

    def run(
        self, shots: Iterable[Shot], out: Path, report: Report | None = None, *, publish: bool = True
    ) -> dict[str, Any]:
        """Create or complete the data set `out` of the shots; return its manifest."""
        store = Store(out, self.identity())
        wanted = list(shots)
        index, count = self.settings.shard
        mine = [s for s in wanted if int(s.key[:8], 16) % count == index]
        failed: dict[str, str] = {}
        todo = [s for s in mine if not store.journal(s.key).done]
        finished = len(mine) - len(todo)
        with ThreadPoolExecutor(max_workers=self.settings.workers) as pool:
            running = {pool.submit(self.run_shot, shot, store, out): shot for shot in todo}
            try:
                for future in as_completed(running):
                    shot = running[future]
                    try:
                        future.result()
                    except InputError as error:
                        failed[shot.image_id] = str(error)
                    finished += 1
                    if report:
                        report(Progress(shot.image_id, JobStage.IMAGES, finished, len(mine)))
            except BaseException:
                for future in running:
                    future.cancel()
                raise
        failures = [{'image': name, 'why': failed[name]} for name in sorted(failed)]
        if not publish:
            return {'failed': failures}
        manifest = self.publish(wanted, out, failures)
        if report:
            message = f'{len(failed)} images failed' if failed else ''
            report(Progress(message, JobStage.DONE, len(mine), len(mine)))
        return manifest

    def publish(self, shots: list[Shot], out: Path, failed: list[dict[str, str]]) -> dict[str, Any]:
        """Write items.jsonl and manifest.json of the finished images, in order of the shots; return the manifest."""
        store = Store(out, self.identity())
        items, summaries = store.publish([s.key for s in shots])
        manifest = {
            'format': 'converseg-items-1',
            **self.identity(),
            'images': len(shots),
            'failed': failed,
            'unusable': [
                {'image': shot.image_id, 'why': why}
                for shot in shots
                for why in summaries.get(shot.key, {}).get('unusable', ())
            ],
            'unfinished': sum(s.key not in summaries for s in shots),
            'items': items,
        }
        store.describe(manifest)
        return manifest

    def run_shot(self, shot: Shot, store: Store, out: Path) -> None:
        """Generate and commit the items of one image; committed ones are kept."""
        journal = store.journal(shot.key)
        rgb, upright = load_upright(shot.path)
        if min(rgb.shape[:2]) < MIN_SIDE:
            raise InputError(f'{rgb.shape[1]}x{rgb.shape[0]} is too small', where=str(shot.path))
        picture = Picture(shot.key, rgb)
        image = self._image_path(shot, upright, out, rgb)
        regions = understand(self.judge, picture, self.grounder)
        candidates = self.proposer.propose(picture, regions)
        verified, rejected = verify_regions(self.judge, self.proposer, picture, candidates)
        where = {'image': image, 'image_id': shot.image_id, 'room': shot.room, 'split': shot.split}
        journal.label({**where, 'regions': label_rows(verified)})
        drafts, dropped = write_prompts(self.judge, picture, verified, self.settings.prompts, self.settings.negatives)
        reasons = dropped + Counter(f'mask: {reason}' for _, reason in rejected)
        by_key = {v.region.key: v for v in verified}
        for draft in drafts:
            identity = hashlib.sha256(f'{shot.key}\0{draft.text}'.encode()).hexdigest()[:20]
            if identity in journal.items:
                continue
            pair = align(self.judge, picture, draft, by_key)
            item = self._item(identity, shot, image, pair)
            if pair.verdict.ok:
                journal.commit(item)
            else:
                journal.reject(item, pair.verdict.reason)
                reasons[f'alignment: {pair.verdict.reason}'] += 1
        counts = {'regions': len(regions), 'verified': len(verified), 'prompts': len(drafts)}
        journal.finish({**counts, 'rejected': dict(reasons), 'unusable': shot.problems()})

    def _item(self, identity: str, shot: Shot, image: str, pair: Pair) -> Item:
        """Return the item of an aligned pair with its provenance."""
        draft = pair.draft
        provenance: dict[str, Any] = {
            'judge': self.judge.name,
            'proposer': self.proposer.name,
            'strategy': draft.strategy,
            'verdict': round(pair.verdict.score, 3),
            'source': shot.kind,
        }
        if shot.seed is not None:
            provenance['scene_seed'] = shot.seed
        if draft.spoken:
            provenance |= {'spoken': draft.spoken, 'context': draft.context}
        sub = SUB_CONCEPTS[draft.sub_concept]
        return Item(
            id=identity,
            image=image,
            prompt=draft.text,
            rle=pair.rle,
            family=sub.family,
            sub_concept=sub.name,
            phase=draft.phase,
            split=shot.split,
            image_id=shot.image_id,
            room=shot.room,
            provenance=provenance,
            program=draft.program,
        )

    @staticmethod
    def _image_path(shot: Shot, upright: bool, out: Path, rgb: Any) -> str:
        """Return the path of the image relative to the data set's folder; a rotated image is copied upright."""
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
