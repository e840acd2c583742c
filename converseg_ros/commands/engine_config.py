"""An engine configuration file: the options of `converseg engine run` as YAML."""

import argparse
from pathlib import Path
from typing import Any

from converseg_ros.core.errors import InputError
from converseg_ros.data_engine.world.sources import PHOTOS

RESERVED = ('source', 'out', 'json', 'max_images', 'agree_remote', 'dry_run')


def read_configuration(path: Path | None) -> dict[str, Any]:
    """Return the options in a YAML file, `-` as `_`; an empty mapping for None. Raise InputError for unknown ones."""
    if path is None:
        return {}
    import yaml

    from converseg_ros.commands.engine import configure

    try:
        data = yaml.safe_load(path.read_text()) or {}
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f'not a YAML file ({error})', where=str(path)) from error
    if not isinstance(data, dict):
        raise InputError('not a mapping of options', where=str(path))
    parser = argparse.ArgumentParser()
    configure(parser)
    known = set(vars(parser.parse_args(['run', '--source', '.', '--out', '.']))) - {'action', *RESERVED}
    options = {str(k).replace('-', '_'): v for k, v in data.items()}
    unknown = sorted(set(options) - known)
    if unknown:
        raise InputError(
            f'unknown options: {", ".join(unknown)}', where=str(path), do=f'known are {", ".join(sorted(known))}'
        )
    return options


def arguments_of(options: dict[str, Any]) -> list[str]:
    """Return options as command-line arguments."""
    out: list[str] = []
    for name, value in options.items():
        flag = f'--{name.replace("_", "-")}'
        if value is True:
            out.append(flag)
        elif value is not False and value is not None:
            out += [flag, str(value)]
    return out


def natural_judge(source: Path) -> str:
    """Return the judge that a folder brings along: its labels or scene graphs; '' for plain photos."""
    if (source / 'instances.json').is_file() or (source / 'panoptic.json').is_file():
        return 'labels'
    if any(source.rglob('scene.json')):
        return 'scene'
    if not any(p.suffix.lower() in PHOTOS for p in source.rglob('*')):
        raise InputError('no images, no scenes and no COCO annotations', where=str(source), do='name another folder')
    return ''
