"""The one catalogue of texts that people read: dialogue, speech, console and terminal take theirs from here."""

from functools import cache
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name('texts.json')


@cache
def catalogue() -> dict[str, Any]:
    """Return the catalogue: sentences ('en'), words for statuses ('status', 'geometry') and the page's ('page')."""
    data: dict[str, Any] = json.loads(FILE.read_text())
    return data


def say(key: str, **fields: object) -> str:
    """Return the sentence `key` with its fields filled in."""
    return str(catalogue()['en'][key]).format(**fields)
