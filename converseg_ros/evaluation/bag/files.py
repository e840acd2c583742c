"""Files of an evaluation on a bag: the instructions with their intervals, and the ground truth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from converseg_ros.core import InputError, Instruction, Role
from converseg_ros.core.errors import parsing
from converseg_ros.core.stamps import SECOND
from converseg_ros.datasets.labels import read_labels


@dataclass(frozen=True, slots=True)
class Asked:
    """An instruction and the interval in which it holds, in seconds from the first image."""

    instruction: Instruction
    start: float = 0.0
    end: float = float('inf')


def read_instructions(path: Path) -> list[Asked]:
    """Read an instructions file: a YAML list of {id, text, role, family, from, to}; only id and text are required."""
    import yaml

    try:
        entries = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f'cannot be read ({error})', where=str(path)) from error
    if not isinstance(entries, list) or not entries:
        raise InputError('not a list of {id, text}', where=str(path))
    asked = []
    for number, e in enumerate(entries, 1):
        where = f'{path}, entry {number}'
        if not isinstance(e, dict) or not e.get('id') or not e.get('text'):
            raise InputError('an entry needs id and text', where=where)
        if unknown := set(e) - {'id', 'text', 'role', 'family', 'from', 'to'}:
            raise InputError(f'unknown keys {", ".join(sorted(unknown))}', where=where)
        try:
            role = Role[str(e.get('role') or 'plain').upper()]
            instruction = Instruction(str(e['text']), role, e.get('family') or None, id=str(e['id']))
            asked.append(Asked(instruction, float(e.get('from') or 0), float(e.get('to') or 'inf')))
        except (KeyError, ValueError, TypeError) as error:
            do = 'role: plain, affordance or safety; family: entities, spatial, relations, affordances or physics'
            raise InputError(f'{error} cannot be used', where=where, do=do) from error
    ids = [a.instruction.id for a in asked]
    if len(set(ids)) != len(ids):
        raise InputError('ids occur twice', where=str(path))
    return asked


def key_stamps(stamps: Iterable[int], every: int, start: int = 0) -> list[int]:
    """Return the stamps of the key frames in order: each n-th image, from the one with index `start`."""
    return sorted(stamps)[start :: max(every, 1)]


def read_labels_in_sequence(
    paths: Iterable[Path], source: str, stamps: Sequence[int]
) -> tuple[list[Asked], dict[tuple[int, str], dict[str, Any]]]:
    """Return the prompts of label files as standing instructions, and the truth.

    Each prompt is asked from the first key frame to the one that is labelled. source: the name of the bag in the
    labels. stamps: of the key frames; labels on other frames are left out. Raise InputError if none is left.
    """
    known = set(stamps)
    labels = [x for path in paths for x in read_labels(path) if x.source == source and x.image in known]
    if not labels:
        raise InputError(
            f'no label is on a key frame of {source}', where='labels', do='choose other --every or --start'
        )
    asked = [
        Asked(Instruction(x.prompt, Role.PLAIN, x.family, id=x.id), 0.0, (int(x.image) - stamps[0]) / SECOND)
        for x in labels
    ]
    return asked, {(int(x.image), x.id): x.rle for x in labels}


def read_truth(path: Path) -> dict[tuple[int, str], dict[str, Any]]:
    """Read a ground-truth file: a JSON list of {id, stamp_ns, rle}; keys of the result are (stamp, instruction id)."""
    with parsing('a truth file', path, 'a list of {id, stamp_ns, rle}'):
        entries = json.loads(path.read_text())
        return {(int(e['stamp_ns']), str(e['id'])): e['rle'] for e in entries}
