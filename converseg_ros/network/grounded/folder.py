"""Model folders of the kinds `grounded` and `sam3`: a config.json that names the parts, and a calibration, if fitted.

    {"kind": "grounded", "name": "dino", "base": "compact", "masks": "sam2", "detector": "grounding-dino"}
    {"kind": "grounded", "name": "qwen", "base": "compact", "masks": "sam2",
     "chat": {"kind": "openai", "model": "qwen2.5-vl-7b", "base_url": "http://localhost:8000/v1"}}
    {"kind": "sam3", "name": "concepts", "base": "compact", "weights": "sam3"}

base: a model of kind things, whose parser, facts and namer do the rest. masks: SAM 2 or SAM. weights: SAM 3, which
needs no other part. Parts are named as for `--namer` and `--segments`. threshold: minimum score of a box or instance.
"""

from dataclasses import dataclass, fields
from pathlib import Path

from converseg_ros.core import InputError
from converseg_ros.network.file_names import CONFIG
from converseg_ros.network.grounded.chat import ChatConfig
from converseg_ros.network.weights.things_folder import FORMAT, REMEDY, SAM3, read_json

OF_SAM3, OF_GROUNDED = {'weights'}, {'masks', 'detector', 'chat'}  # keys of one of the kinds only


@dataclass(frozen=True, slots=True)
class GroundedConfig:
    """The contents of config.json; a detector or a chat model finds the boxes, or SAM 3 the masks."""

    name: str
    base: str = 'compact'
    masks: str = 'sam2'
    detector: str = ''
    threshold: float = 0.25
    chat: ChatConfig | None = None
    weights: str = ''
    version: str = '1'

    def __post_init__(self) -> None:
        """Validate that exactly one part finds the phrases."""
        if [bool(self.detector), self.chat is not None, bool(self.weights)].count(True) != 1:
            raise InputError('give either a detector or a chat model', where=self.name, do='see docs/models.md')
        if not 0 <= self.threshold <= 1:
            raise InputError(f'threshold is {self.threshold}', where=self.name, do='give a number from 0 to 1')

    @classmethod
    def load(cls, folder: Path) -> 'GroundedConfig':
        """Read config.json; raise InputError for what is missing, unknown or of a later format."""
        data = dict(read_json(folder))
        concepts, where = data.pop('kind', '') == SAM3, str(folder / CONFIG)
        if data.pop('format', FORMAT) > FORMAT:
            raise InputError('the format is newer than this program', where=where, do='update converseg_ros')
        unknown = set(data) - {f.name for f in fields(cls)} | set(data) & (OF_GROUNDED if concepts else OF_SAM3)
        if unknown:
            raise InputError(f'unknown keys {sorted(unknown)}', where=where, do='see docs/models.md')
        try:
            if concepts:
                data.setdefault('weights', SAM3)
            chat = data.pop('chat', None)
            return cls(**data, chat=None if chat is None else ChatConfig(**chat))
        except TypeError as error:
            raise InputError(f'not the configuration of a model ({error})', where=where, do=REMEDY) from error
