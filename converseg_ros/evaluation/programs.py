"""Accuracy of the parser: programs with equal canonical form, or equal results on random fact tables."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
import json
from pathlib import Path
import random
from typing import Any, Final

from converseg_ros.core.errors import InputError, parsing
from converseg_ros.facts.random_tables import same_meaning
from converseg_ros.network.parser.parser import Parsed
from converseg_ros.programs.canonical import canonical, equal
from converseg_ros.programs.forms import form
from converseg_ros.programs.nodes import Node, Quantity, Select, program_from_json
from converseg_ros.programs.phrasing import sample
from converseg_ros.programs.printer import words
from converseg_ros.programs.pronouns import ANYTHING
from converseg_ros.programs.spans import split

OTHER_NUMBER: Final[dict[Quantity, Quantity]] = {'one': 'all', 'all': 'one'}


@dataclass(frozen=True, slots=True)
class Gold:
    """A text and the program that it means. family: a group that is reported separately, '' for none."""

    text: str
    program: Node
    family: str = ''


@dataclass(frozen=True, slots=True)
class Judged:
    """A parsed text. parsed: None where the parser raised `error`. how: 'equal', 'same meaning', or '' for wrong."""

    gold: Gold
    parsed: Parsed | None
    error: str
    how: str


def read_gold(path: Path) -> list[Gold]:
    """Read lines of {"text", "program", optionally "family"}, or the programs of labels (see `read_label_gold`)."""
    if not path.is_file():
        raise InputError('there is no such file', where=str(path))
    if path.suffix == '.json':
        return read_label_gold(path)
    out = []
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        if not line.strip():
            continue
        where = f'{path}, line {number}'
        with parsing('a text with its program', where, 'give {"text": ..., "program": ...}'):
            row = json.loads(line)
            out.append(Gold(str(row['text']), program_from_json(row['program']), str(row.get('family', ''))))
    if not out:
        raise InputError('there are no programs', where=str(path))
    return out


def read_label_gold(path: Path) -> list[Gold]:
    """Read the programs of a labelled set, {id: program}; its labels have the same name one folder above."""
    labels = path.parent.parent / path.name
    if not labels.is_file():
        raise InputError('the labels are missing', where=str(labels), do=f'put the labels of {path.name} there')
    with parsing('the programs of labels', path, 'give {id: program}'):
        programs = json.loads(path.read_text(encoding='utf-8'))
        rows = json.loads(labels.read_text(encoding='utf-8'))
        asked = [(row, programs[row['id']]) for row in rows if row['id'] in programs]
        out = [Gold(str(row['prompt']), program_from_json(p), str(row.get('family', ''))) for row, p in asked]
    if not out:
        raise InputError('there are no programs', where=str(path))
    return out


def held_out_phrases(count: int, seed: int = 0) -> list[Gold]:
    """Return texts from phrase templates that are held out of the training of the parser (programs/phrasing)."""
    rng = random.Random(f'held out {seed}')
    return [Gold(*sample(rng, 'held_out')) for _ in range(count)]


def judge(parse: Callable[[str], Parsed], gold: Gold) -> Judged:
    """Parse one text and compare the programs."""
    try:
        parsed = parse(gold.text)
    except InputError as error:
        return Judged(gold, None, str(error), '')
    if equal(parsed.program, gold.program):
        return Judged(gold, parsed, '', 'equal')
    meant = same_meaning(parsed.program, gold.program) or _same_but_for_number(gold, parsed.program)
    return Judged(gold, parsed, '', 'same meaning' if meant else '')


def _same_but_for_number(gold: Gold, program: Node) -> bool:
    """Return whether a text asks for something, and its programs differ only in asking for one or for all that fits.

    Masks of "something to sit on" show all seats, and one seat is enough for the speaker.
    """
    if ANYTHING.isdisjoint(split(gold.text)) or not isinstance(program, Select) or program.quantity not in OTHER_NUMBER:
        return False
    return same_meaning(Select(OTHER_NUMBER[program.quantity], program.of), gold.program)


def report(judged: list[Judged], **about: Any) -> dict[str, Any]:
    """Return the shares of right programs, in all and for each family, form and operation, and what is wrong.

    per_form: by the outermost condition of the true program (programs/forms.py). per_op: over the texts whose true
    program has the operation. confidence: its mean, and its Brier score as a prediction of being right.
    """
    by_family, by_form, by_op = defaultdict(list), defaultdict(list), defaultdict(list)
    for j in judged:
        if j.gold.family:
            by_family[j.gold.family].append(j)
        by_form[form(j.gold.program)].append(j)
        for op in {node.op for node in j.gold.program.walk()}:
            by_op[op].append(j)
    sure = [(j.parsed.confidence, bool(j.how)) for j in judged if j.parsed is not None]
    return {
        'n': len(judged),
        'right': _share(judged),
        'equal': sum(j.how == 'equal' for j in judged) / len(judged),
        'n_refused': sum(j.parsed is None for j in judged),
        'confidence': sum(c for c, _ in sure) / len(sure) if sure else None,
        'brier': sum((c - right) ** 2 for c, right in sure) / len(sure) if sure else None,
        'per_family': _groups(by_family),
        'per_form': _groups(by_form),
        'per_op': _groups(by_op),
        'wrong': [_wrong(j) for j in judged if not j.how],
        **about,
    }


def table(result: dict[str, Any]) -> str:
    """Return a report as text for the terminal."""
    lines = [
        f'{result["right"]:.3f} of {result["n"]} right ({result["equal"]:.3f} equal, {result["n_refused"]} refused)'
    ]
    if result['confidence'] is not None:
        lines.append(f'mean confidence {result["confidence"]:.3f}, Brier score {result["brier"]:.3f}')
    for kind in ('per_family', 'per_form', 'per_op'):
        lines += [f'{kind[4:]:7} {name:22} {row["right"]:.3f} of {row["n"]}' for name, row in result[kind].items()]
    return '\n'.join(lines)


def _share(judged: Iterable[Judged]) -> float:
    marks = [bool(j.how) for j in judged]
    return sum(marks) / len(marks)


def _groups(groups: dict[str, list[Judged]]) -> dict[str, dict[str, float]]:
    return {name: {'right': _share(of), 'n': len(of)} for name, of in sorted(groups.items())}


def _wrong(judged: Judged) -> dict[str, Any]:
    out: dict[str, Any] = {'text': judged.gold.text, 'meant': words(canonical(judged.gold.program))}
    if judged.parsed is None:
        return out | {'error': judged.error}
    return out | {'parsed': words(judged.parsed.program), 'confidence': round(judged.parsed.confidence, 4)}
