"""Model folders of kind `grounded`: a config.json that names the parts, and a calibration once there is one.

    {"kind": "grounded", "name": "dino", "base": "compact", "masks": "sam2", "detector": "grounding-dino"}
    {"kind": "grounded", "name": "qwen", "base": "compact", "masks": "sam2",
     "chat": {"kind": "openai", "model": "qwen2.5-vl-7b", "base_url": "http://localhost:8000/v1"}}

base: a model of kind things, whose parser, facts and namer do the rest. masks: SAM 2 or SAM. Parts are named as for
`--namer` and `--segments`. threshold: least score of a detector's box.
"""

from dataclasses import dataclass, fields
from pathlib import Path

from converseg_ros.core import InputError
from converseg_ros.network.grounded.chat import ChatConfig
from converseg_ros.network.weights.things_folder import AGAIN, CONFIG, FORMAT, read_json

KIND = 'grounded'


@dataclass(frozen=True, slots=True)
class GroundedConfig:
    """What config.json says; either a detector or a chat model finds the boxes."""

    name: str
    base: str = 'compact'
    masks: str = 'sam2'
    detector: str = ''
    threshold: float = 0.25
    chat: ChatConfig | None = None
    version: str = '1'

    def __post_init__(self) -> None:
        """Check that exactly one thing finds boxes."""
        if bool(self.detector) == (self.chat is not None):
            raise InputError('give either a detector or a chat model', where=self.name, do='see docs/models.md')
        if not 0 <= self.threshold <= 1:
            raise InputError(f'threshold is {self.threshold}', where=self.name, do='give a number from 0 to 1')

    @classmethod
    def load(cls, folder: Path) -> 'GroundedConfig':
        """Read config.json; raise InputError for what is missing, unknown or of a later format."""
        data = {k: v for k, v in read_json(folder).items() if k != 'kind'}
        where = str(folder / CONFIG)
        if data.pop('format', FORMAT) > FORMAT:
            raise InputError('the format is newer than this program', where=where, do='update converseg_ros')
        unknown = set(data) - {f.name for f in fields(cls)}
        if unknown:
            raise InputError(f'unknown keys {sorted(unknown)}', where=where, do='see docs/models.md')
        try:
            chat = data.pop('chat', None)
            return cls(**data, chat=None if chat is None else ChatConfig(**chat))
        except TypeError as error:
            raise InputError(f'not the configuration of a model ({error})', where=where, do=AGAIN) from error
