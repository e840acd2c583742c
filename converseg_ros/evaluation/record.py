"""The record of an evaluation: one line per answer, so that a run that was interrupted can be resumed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
import hashlib
import json
from pathlib import Path
from typing import Any

from converseg_ros.evaluation.metrics import Score


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the record: answerer, score and mask."""

    by: str
    score: Score
    rle: dict[str, Any] | None = None

    def to_json(self) -> str:
        """Return the line."""
        return json.dumps({'by': self.by, 'score': asdict(self.score), 'rle': self.rle}, separators=(',', ':'))


def record_of(path: Path, *, fresh: bool) -> Path:
    """Return the path of a record whose folder exists; the record of an earlier run is removed if `fresh`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if fresh:
        path.unlink(missing_ok=True)
    return path


def read_record(path: Path, head: dict[str, Any]) -> list[Answer]:
    """Return the answers of an earlier run with the same `head`, otherwise an empty list.

    A line that a crash has truncated ends the record.
    """
    if not path.is_file():
        return []
    known = {f.name for f in fields(Score)}
    answers: list[Answer] = []
    with path.open() as lines:
        try:
            if json.loads(next(lines, 'null')) != head:
                return []
            for line in lines:
                data = json.loads(line)
                score = Score(**{k: v for k, v in data['score'].items() if k in known})
                answers.append(Answer(data['by'], score, data['rle']))
        except (ValueError, KeyError, TypeError):
            pass
    return answers


def fingerprint(folder: Path) -> str:
    """Return a short hash of a file or a folder's files; of very large ones only size and time of change count."""
    h = hashlib.sha256()
    for path in [folder] if folder.is_file() else sorted(p for p in folder.rglob('*') if p.is_file()):
        facts = path.stat()
        large = facts.st_size > 256 << 20
        h.update(f'{path.relative_to(folder)}\0{facts.st_size}\0{facts.st_mtime_ns if large else 0}\0'.encode())
        if not large:
            h.update(path.read_bytes())
    return h.hexdigest()[:16]


def weights_of(models: Sequence[str], namer: str, segments: str) -> str:
    """Return a fingerprint of the weights of models and parts, which distinguishes them from earlier ones of that name.

    namer, segments: other parts for the models, '' for their own.
    """
    from converseg_ros.network.registry import find_model, find_part

    others = [find_part(namer, 'namer'), find_part(segments, 'segments')]
    return '+'.join(fingerprint(path) for path in [*map(find_model, models), *others] if path is not None)
