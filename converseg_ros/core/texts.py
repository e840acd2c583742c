"""The catalogue of texts for users; dialogue, speech, console and terminal use it."""

from functools import cache
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name('texts.json')


@cache
def catalogue() -> dict[str, Any]:
    """Return the catalogue: sentences ('en'), names of statuses ('status', 'geometry') and page texts ('page')."""
    data: dict[str, Any] = json.loads(FILE.read_text())
    return data


def say(key: str, **fields: object) -> str:
    """Return sentence `key` with its fields filled in."""
    return str(catalogue()['en'][key]).format(**fields)
