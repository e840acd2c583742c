"""Assemble a model folder of kind `things` from the frozen parts of another folder and newly trained parts."""

from collections.abc import Mapping
from pathlib import Path

from converseg_ros.core import InputError
from converseg_ros.core.files import write_bytes
from converseg_ros.network.file_names import (
    ADAPTER,
    BACKBONE,
    INTENTS,
    LANGUAGE,
    NAMES,
    PARSER,
    SEGMENTS,
    STATEMENTS,
    TOKENIZER,
)
from converseg_ros.network.names.statements import save_statements
from converseg_ros.network.parser.adapter import load_adapter
from converseg_ros.network.weights.things_folder import ThingsConfig, read_json
from converseg_ros.network.weights.things_loader import load_text_encoder


def assemble(
    target: Path, frozen: Path, trained: Mapping[str, Path], *, name: str, version: str, command: str = ''
) -> ThingsConfig:
    """Write a folder with the frozen parts, licences and model card of another folder and newly trained files.

    trained: files by their names in the folder; missing ones are copied from `frozen`. A calibration is not copied,
    since it belongs to the weights that it was fitted with, nor the adapter of another parser. The vectors of the
    statements are computed from `knowledge` and the language model, which takes seconds. Raises InputError for a
    missing file, and for a given adapter of another parser.
    """
    needed = [BACKBONE, LANGUAGE, TOKENIZER, SEGMENTS, NAMES, PARSER]
    optional = [INTENTS] if PARSER in trained else [ADAPTER, INTENTS]
    needed += [file for file in optional if (frozen / file).is_file()]
    needed += [file for file in trained if file not in needed]
    sources = {file: trained.get(file, frozen / file) for file in needed}
    for path in sources.values():
        if not path.is_file():
            raise InputError('the file is missing', where=str(path), do='train it, or give a folder that has it')
    if ADAPTER in sources:
        load_adapter(sources[ADAPTER], sources[PARSER])
    before = read_json(frozen)
    provenance = {'frozen': before.get('name', frozen.name), 'trained': sorted(trained), 'command': command}
    config = ThingsConfig(name, version, dict(before.get('licences', {})), provenance)
    for file, path in sources.items():
        if path.resolve() != (target / file).resolve():
            write_bytes(target / file, path.read_bytes())
    save_statements(target / STATEMENTS, load_text_encoder(target))
    config.save(target)
    return config
