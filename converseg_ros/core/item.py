"""A prompt-mask pair: output of the data engine, input of training and evaluation."""

from dataclasses import dataclass, field, fields
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError, parsing
from converseg_ros.core.families import Family
from converseg_ros.core.mask import decode_rle

Split = Literal['train', 'val', 'test']
Phase = Literal['literal', 'conversational']


@dataclass(frozen=True, slots=True)
class Item:
    """A line of `items.jsonl`, the format of the data engine (docs/formats.md).

    Attributes:
        image: path relative to the file.
        rle: COCO RLE at the size of the image; all zero means no target.
        image_id: identifier that all items of an image share, so that a split never divides them.
        room: identifier that all views of a room share, likewise.
        phase: phase of the curriculum.
        provenance: judge, model, prompt version, scene seed.
        program: JSON object of the program that the prompt means (programs.nodes), or None.
    """

    id: str
    image: str
    prompt: str
    rle: dict[str, Any]
    family: Family | None = None
    sub_concept: str = ''
    phase: Phase = 'conversational'
    split: Split = 'train'
    image_id: str = ''
    room: str = ''
    provenance: dict[str, Any] = field(default_factory=dict)
    program: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Validate the fields that all readers need."""
        if not self.id or not self.image or not self.prompt.strip():
            raise InputError('an item needs id, image and prompt', where=f'item {self.id or "?"}')
        if self.family is not None:
            object.__setattr__(self, 'family', Family(self.family))

    @property
    def positive(self) -> bool:
        """Return whether the image has a target."""
        return any(self.rle['counts'][1::2])

    def mask(self) -> NDArray[np.bool_]:
        """Return the (H, W) ground-truth mask."""
        return decode_rle(self.rle)

    def image_path(self, root: Path) -> Path:
        """Return the path of the image for a data set file in folder `root`."""
        return root / self.image

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this item."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> 'Item':
        """Create an item from a JSON object; unknown keys (of later versions) are ignored."""
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in data.items() if k in known})


def read_items(path: Path) -> list[Item]:
    """Read an items.jsonl, or that of a data set folder; raise InputError with the number of an invalid line."""
    file = path / 'items.jsonl' if path.is_dir() else path
    with parsing('a list of items', file):
        lines = file.read_text().splitlines()
    items = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            with parsing('an item', f'{file}:{number}'):
                items.append(Item.from_json(json.loads(line)))
    return items
