"""A text in other words: replacements of what people say by what the parser has seen (data/wordings.yaml)."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
import re
from typing import Final

import yaml

from converseg_ros.core.errors import InputError
from converseg_ros.core.instruction import without_closing_marks

FILE: Final = Path(__file__).parent / 'data' / 'wordings.yaml'


@cache
def replacements(file: Path = FILE) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the expressions and what replaces them, in order; raise InputError for an invalid entry."""
    table: Mapping[str, Sequence[Sequence[str]]] = yaml.safe_load(file.read_text(encoding='utf-8'))
    found = []
    for section, entries in table.items():
        where = f'{file}, {section}'
        for said, plain in entries:
            try:
                pattern = re.compile(rf'(?<!\w)(?:{said})(?!\w)', re.IGNORECASE)
            except re.error as error:
                raise InputError(f'{said!r}: {error}', where=where, do='correct the expression') from error
            if max((int(n) for n in re.findall(r'\{(\d+)\}', plain)), default=0) > pattern.groups:
                raise InputError(f'{said!r} has too few groups for {plain!r}', where=where, do='add the group')
            found.append((pattern, plain))
    return tuple(found)


def in_other_words(text: str) -> str:
    """Return a text with all replacements, the same text if there are none."""
    said = plain = without_closing_marks(text)
    for pattern, form in replacements():
        if found := pattern.search(plain):
            groups = (group or '' for group in found.groups())
            plain = plain[: found.start()] + form.format('', *groups) + plain[found.end() :]
    return text if plain == said else ' '.join(plain.split())
