"""Run the pipeline of the node over a bag, without ROS and as fast as possible, and score the answers."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
import hashlib
import json
from pathlib import Path
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import ConversegError, InputError, Instruction, Prediction, Status, decode_rle, encode_rle
from converseg_ros.core.belief import Belief
from converseg_ros.core.files import write_text
from converseg_ros.core.mask import overlap
from converseg_ros.core.overlay import Layer
from converseg_ros.core.progress import Progress, Report
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.core.stages import JobStage, Stage
from converseg_ros.core.stamps import SECOND
from converseg_ros.evaluation.bag.files import Asked, key_stamps
from converseg_ros.evaluation.bag.reader import Bag, BagFrame
from converseg_ros.evaluation.bag.steadiness import Pair, compare_masks
from converseg_ros.evaluation.metrics import Score, boundary_f
from converseg_ros.evaluation.record import Answer
from converseg_ros.evaluation.runner import swap_scores
from converseg_ros.perception.motion import low_frame, pose_back
from converseg_ros.perception.segmenter import Segmenter


class BagRun:
    """One run; `record` (JSON lines) makes it resumable."""

    def __init__(
        self,
        network: SegmentationNetwork,
        bag: Bag,
        asked: Sequence[Asked],
        *,
        record: Path,
        report: Callable[[str], None] = print,
        weights: str = '',
    ) -> None:
        """Create a run.

        weights: `record.fingerprint` of the model folder, so that a record of other weights is not used.
        """
        self.weights = weights
        self.segmenter = Segmenter(network)
        self.network, self.bag, self.asked, self.record, self.report = network, bag, list(asked), record, report
        self.progress: Report | None = None  # called for each frame
        self.answers: dict[int, list[dict[str, Any]]] = {}

    def run(self, *, limit: int = 0, every: int = 1, start: int = 0) -> None:
        """Segment every frame that is not in the record; with `limit` > 0, only the first frames of the bag.

        every: take each n-th frame only, since a live node answers fewer frames than the camera has. start: the index
        of the first one.
        """
        stamps = self.bag.stamps()
        if not stamps:
            raise InputError('there is no image in it', where=str(self.bag.path))
        for line in self.bag.notes:
            self.report(line)
        stamps = key_stamps(stamps, every, start)[: limit or None]
        head = {
            'model': self.network.name,
            'weights': self.weights,
            'bag': self._digest(stamps),
            'topics': self.bag.camera.names(),
            'depth': repr(self.bag.offset),
            'asked': [repr(a) for a in self.asked],
        }
        self.answers = self._resume(head)
        if self.answers:
            self.report(f'resumed: {len(self.answers)} of {len(stamps)} frames were done before')
        if set(stamps) <= set(self.answers):
            return
        from tqdm import tqdm

        bar = tqdm(total=len(stamps), initial=len(self.answers), unit='frame', disable=None, leave=False)
        begin = min(set(stamps) - set(self.answers))
        earlier = {s for s in self.answers if s < begin}
        with self.record.open('a') as f:
            for item in self.bag.frames(skip=(set(self.bag.stamps()) - set(stamps)) | (set(self.answers) - earlier)):
                if item.stamp_ns in earlier:
                    self._replay(item)
                    continue
                rows = self._segment(item, stamps[0])
                self.answers[item.stamp_ns] = rows
                f.write(json.dumps({'stamp_ns': item.stamp_ns, 'regions': rows}) + '\n')
                f.flush()
                bar.update()
                if self.progress is not None:
                    self.progress(Progress(stage=JobStage.FRAMES, done=len(self.answers), total=len(stamps)))
        bar.close()

    def _digest(self, stamps: Sequence[int]) -> str:
        return hashlib.sha256(','.join(map(str, stamps)).encode()).hexdigest()[:16]

    def _resume(self, head: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
        """Return the frames of an earlier run of the same kind; an incomplete last line is dropped."""
        done: dict[int, list[dict[str, Any]]] = {}
        if self.record.is_file():
            lines = self.record.read_text().splitlines()
            try:
                if lines and json.loads(lines[0]) == head:
                    for line in lines[1:]:
                        data = json.loads(line)
                        done[int(data['stamp_ns'])] = data['regions']
            except (ValueError, KeyError):
                pass
        kept = [json.dumps({'stamp_ns': k, 'regions': v}) for k, v in done.items()]
        write_text(self.record, '\n'.join([json.dumps(head), *kept]) + '\n')
        return done

    def _segment(self, item: BagFrame, first: int) -> list[dict[str, Any]]:
        """Return the record of one frame."""
        seconds = (item.stamp_ns - first) / SECOND
        now = [a.instruction for a in self.asked if a.start <= seconds <= a.end]
        begin = time.perf_counter()
        try:
            if item.frame is None:
                raise InputError(item.problem, where=f'image {item.stamp_ns}')
            regions = self.segmenter.segment(item.frame, now, pose=item.pose)
        except ConversegError as error:
            self.report(f'skipped the frame at {item.stamp_ns}: {error}')
            return [{'id': i.id, 'status': Status.ERROR.name, 'reason': str(error), 'score': 0.0} for i in now]
        total = 1e3 * (time.perf_counter() - begin)
        return [
            {
                'id': r.instruction.id,
                'region': r.id,
                'status': r.status.name,
                'reason': r.prediction.reason,
                'score': float(r.prediction.score),
                'geometry': r.geometry.status.name,
                'rle': encode_rle(r.prediction.mask),
                'stage_ms': {**r.stage_ms, Stage.FRAME: total},
                **({} if r.prediction.belief is None else {'belief': r.prediction.belief.to_json()}),
            }
            for r in regions
        ]

    def _replay(self, item: BagFrame) -> None:
        """Give the recorded answers of a frame to the tracker, so that a resumed run continues with the same state."""
        asked = {a.instruction.id: a.instruction for a in self.asked}
        rows = [r for r in self.answers[item.stamp_ns] if 'rle' in r]
        found = [
            Prediction(
                decode_rle(r['rle']),
                r['score'],
                Status[r['status']],
                r['reason'],
                belief=Belief.from_json(r['belief']) if 'belief' in r else None,
            )
            for r in rows
        ]
        if item.frame is not None and rows:
            self.segmenter.restore(item.frame, [asked[r['id']] for r in rows], found, pose=item.pose)

    def compared(self) -> dict[str, list[Pair]]:
        """Return, by instruction, the comparisons of its answers in consecutive key frames.

        Pairs without depth or pose are skipped.
        """
        pairs: dict[str, list[Pair]] = defaultdict(list)
        previous: tuple[Any, dict[str, NDArray[np.bool_]]] | None = None
        wanted = set(self.answers)
        for item in self.bag.frames(skip={s for s in self.bag.stamps() if s not in wanted}):
            if item.frame is None:
                previous = None
                continue
            frame = item.frame
            small = low_frame(frame, item.pose, frame.width)
            masks = {r['id']: decode_rle(r['rle']) for r in self.answers[item.stamp_ns] if 'rle' in r}
            back = pose_back(small, previous[0]) if previous is not None else None
            if previous is not None and back is not None:
                for id_ in masks.keys() & previous[1].keys():
                    pair = compare_masks(item.stamp_ns, previous[1][id_], masks[id_], back)
                    if pair is not None:
                        pairs[id_].append(pair)
            previous = small, masks
        return pairs

    def scored(self, truth: dict[tuple[int, str], dict[str, Any]]) -> list[Answer]:
        """Return the answers to the items of the ground-truth file; a frame that was not answered counts as failed."""
        by_id = {a.instruction.id: a.instruction for a in self.asked}
        groups: dict[int, list[str]] = defaultdict(list)
        for stamp, id_ in truth:
            groups[stamp].append(id_)
        answers = []
        for stamp, ids in groups.items():
            rows = {r['id']: r for r in self.answers.get(stamp, [])}
            truths = {i: decode_rle(truth[stamp, i]) for i in ids}
            masks = {i: decode_rle(rows[i]['rle']) for i in ids if 'rle' in rows.get(i, {})}
            swapped = swap_scores(truths, masks)
            for i in ids:
                answers.append(_score(f'{stamp}/{i}', stamp, by_id.get(i), truths[i], rows.get(i), swapped.get(i)))
        return answers

    def statuses(self) -> dict[str, Counter[str]]:
        """Return the number of answers by instruction and status."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for rows in self.answers.values():
            for r in rows:
                counts[r['id']][r['status']] += 1
        return counts

    def latency(self) -> dict[str, float]:
        """Return the median milliseconds of each stage, and of the whole frame."""
        stages: dict[str, list[float]] = defaultdict(list)
        for rows in self.answers.values():
            for name, value in rows[0].get('stage_ms', {}).items() if rows else ():
                stages[name].append(value)
        return {k: float(np.median(v)) for k, v in stages.items()}

    def predictions(self) -> list[dict[str, Any]]:
        """Return every answer as {id, stamp_ns, status, score, rle}, in order; the same in every run."""
        return [
            {'id': r['id'], 'stamp_ns': s, 'status': r['status'], 'score': round(r['score'], 6), 'rle': r.get('rle')}
            for s, rows in sorted(self.answers.items())
            for r in rows
        ]

    def layers(self, stamp: int) -> list[Layer]:
        """Return the layers to draw on the frame with this stamp."""
        by_id = {a.instruction.id: a.instruction for a in self.asked}
        return [
            Layer(decode_rle(r['rle']), by_id[r['id']].text, by_id[r['id']].role, Status[r['status']])
            for r in self.answers.get(stamp, [])
            if 'rle' in r and r['id'] in by_id
        ]


def _score(
    key: str,
    stamp: int,
    instruction: Instruction | None,
    truth: NDArray[np.bool_],
    row: dict[str, Any] | None,
    swapped: float | None,
) -> Answer:
    positive = bool(truth.any())
    text = instruction.text if instruction else ''
    family = instruction.family.value if instruction and instruction.family else ''
    if instruction is None or row is None or 'rle' not in row:
        why = 'no such instruction' if instruction is None else (row or {}).get('reason') or 'no frame has this stamp'
        union = int(np.count_nonzero(truth))
        return Answer('model', Score(key, str(stamp), text, positive, union=union, family=family, error=why))
    mask = decode_rle(row['rle'])
    if mask.shape != truth.shape:
        why = f'the truth is {truth.shape}, the image {mask.shape}'
        return Answer('model', Score(key, str(stamp), text, positive, family=family, error=why))
    intersection, union = overlap(mask, truth)
    score = Score(
        key,
        str(stamp),
        text,
        positive,
        refused=row['status'] == Status.NO_TARGET.name,
        status=row['status'],
        intersection=intersection,
        union=union,
        boundary=boundary_f(mask, truth) if positive else 0.0,
        family=family,
        score=row['score'],
        swapped=swapped,
    )
    return Answer('model', score, row['rle'])
