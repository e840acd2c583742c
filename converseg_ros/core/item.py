"""One prompt-mask pair: what the engine makes, training learns from and evaluation scores."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.families import Family
from converseg_ros.core.mask import decode_rle

Split = Literal['train', 'val', 'test']
Phase = Literal['literal', 'conversational']


@dataclass(frozen=True, slots=True)
class Item:
    """A line of `items.jsonl`, the engine's own data set format (docs/formats.md).

    image: path relative to the file. rle: COCO RLE at the image's size; all zero = no target (a negative).
    image_id: shared by all items of one image (and by all views of one room: `room`), so that splits never cut
    through it. phase: the curriculum phase. provenance: judge, model, prompt version, scene seed. program: JSON
    object of the program that the prompt means (programs.nodes), None where the source has none.
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
        """Check what every reader relies on."""
        if not self.id or not self.image or not self.prompt.strip():
            raise InputError('an item needs id, image and prompt', where=f'item {self.id or "?"}')
        if self.family is not None:
            object.__setattr__(self, 'family', Family(self.family))

    @property
    def positive(self) -> bool:
        """Whether the image has a target."""
        return any(self.rle['counts'][1::2])

    def mask(self) -> NDArray[np.bool_]:
        """Return the (H, W) truth."""
        return decode_rle(self.rle)

    def image_path(self, root: Path) -> Path:
        """Return the image's path for a data set file in folder `root`."""
        return root / self.image

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this item."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> 'Item':
        """Return the item of a JSON object; keys of later versions are ignored."""
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in data.items() if k in known})
