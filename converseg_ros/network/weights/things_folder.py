"""Model folders of kind `things`: their files, and how their config.json is read.

- config.json: name, version, licences, provenance, and `"kind": "things"`
- backbone.safetensors: `trunk.` EfficientNet-Lite0 with its ImageNet classifier, `detector.` NanoDet; frozen
- language.safetensors with tokenizer.json: MiniLM; frozen
- segments.safetensors: boundary and quality networks; names.safetensors: the head of the namer; parser.safetensors:
  from an instruction to its program; trained by this package
- parser_adapter.safetensors: an update of the parser by written instructions, optional
- intents.safetensors: properties that instructions ask for in other words (network/parser/intents.py), optional
- statements.safetensors: vectors of the statements of `knowledge` (network/names/statements.py), optional; written by
  assembly.py
- calibration.json: existence of a target and confidence, format 4 (network/things/existence.py)
"""

from dataclasses import asdict, dataclass, field, fields
import hashlib
from pathlib import Path
from typing import Any

from converseg_ros.core import InputError
from converseg_ros.core.files import read_object, write_json
from converseg_ros.network.file_names import BACKBONE, CONFIG, NAMES, SEGMENTS

KIND = 'things'
GROUNDED, SAM3 = 'grounded', 'sam3'  # kinds of folders that name other models (network/grounded/)
SEEING = (BACKBONE, SEGMENTS, NAMES)  # files whose hash existence is calibrated for
FORMAT = 1
REMEDY = 'fetch or assemble the folder again; converseg weights check says more'


@dataclass(frozen=True, slots=True)
class ThingsConfig:
    """The contents of config.json in a folder of this kind."""

    name: str
    version: str = '1'
    licences: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write config.json."""
        write_json(folder / CONFIG, {'format': FORMAT, 'kind': KIND, **asdict(self)})

    @classmethod
    def load(cls, folder: Path) -> 'ThingsConfig':
        """Read config.json; raise InputError for another kind or a later format."""
        data = read_json(folder)
        if data.get('kind') != KIND or data.get('format', FORMAT) > FORMAT:
            raise InputError(
                f'kind {data.get("kind")!r}, format {data.get("format")!r} cannot be read', where=str(folder), do=REMEDY
            )
        try:
            return cls(**{f.name: data[f.name] for f in fields(cls) if f.name in data})
        except TypeError as error:
            raise InputError(f'not the configuration of a model ({error})', where=str(folder), do=REMEDY) from error


def read_json(folder: Path) -> dict[str, Any]:
    """Return the JSON object of a folder's config.json."""
    return read_object(folder / CONFIG, REMEDY)


def kind_of(folder: Path) -> str:
    """Return the kind of a folder, '' for a missing or invalid config.json."""
    try:
        return str(read_json(folder).get('kind', '')) if (folder / CONFIG).is_file() else ''
    except InputError:
        return ''


def is_grounded(folder: Path) -> bool:
    """Return whether a folder is of one of the kinds whose parts are other models."""
    return kind_of(folder) in (GROUNDED, SAM3)


def is_things(folder: Path) -> bool:
    """Return whether a folder is of this kind; False for an invalid config.json."""
    return kind_of(folder) == KIND


def seeing_fingerprint(folder: Path) -> str:
    """Return a short hash of the weights that determine regions and names."""
    h = hashlib.sha256()
    for name in SEEING:
        path = folder / name
        if not path.is_file():
            raise InputError('the file is missing', where=str(path), do=REMEDY)
        h.update(path.read_bytes())
    return h.hexdigest()[:16]
