"""Locations of models: the package, the user's cache, or any folder."""

import os
from pathlib import Path
from typing import Any

from converseg_ros.core import InputError

PACKAGE = Path(__file__).resolve().parents[1] / 'models'
PARSER_OF = 'compact'  # the model whose parser reads texts for the facts of others


def cache_folder() -> Path:
    """Return the folder for fetched and trained models ($CONVERSEG_MODELS, else in the user's cache)."""
    chosen = os.environ.get('CONVERSEG_MODELS')
    base = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    return Path(chosen) if chosen else base / 'converseg' / 'models'


def installed() -> dict[str, Path]:
    """Return the models with a name, those of the package first."""
    found: dict[str, Path] = {}
    for folder in (PACKAGE, cache_folder()):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and not path.name.startswith('.') and any(path.iterdir()):
                found.setdefault(path.name, path)
    return found


def find_model(model: str | os.PathLike[str]) -> Path:
    """Return the folder of a model's name or path; raise InputError with the list of names."""
    name = os.fspath(model)
    known = installed()
    if name in known:
        return known[name]
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    do = f'use a folder or one of: {", ".join(known)}'
    if name == 'converseg-net-3b':
        do = 'fetch it first: converseg weights fetch converseg-net-3b'
    raise InputError('there is no such model', where=name, do=do)


def find_part(name: str, role: str) -> Path | None:
    """Return the folder or file of a part by its name in the catalogue, its hub name, or its path; None for ''.

    Raises InputError with the fetch command if it is not on this machine.
    """
    from converseg_ros.network.weights.catalogue import BY_NAME, ENTRIES, folder_name

    if not name:
        return None
    fetched = cache_folder() / folder_name(name)
    if fetched.is_dir() and (name in BY_NAME or '/' in name):
        return fetched
    path = Path(name).expanduser()
    if path.exists():
        return path
    known = [e.name for e in ENTRIES if e.role == role]
    if name in known or (name.count('/') == 1 and not name.startswith(('.', '/', '~'))):
        raise InputError(f'this {role} is not here', where=name, do=f'fetch it: converseg weights fetch {name}')
    raise InputError(
        f'there is no such {role}', where=name, do=f'give a path, OWNER/NAME of the hub, or one of: {", ".join(known)}'
    )


def load(
    model: str | os.PathLike[str],
    *,
    device: str | None = None,
    calibration: bool = True,
    qwen: str | os.PathLike[str] | None = None,
    **options: Any,
) -> Any:
    """Return the network of a model's name or folder: a Predictor, or a ThingsNetwork if its kind is `things`.

    Args:
        model: name or folder.
        device: 'cpu', 'cuda', 'cuda:1'; None selects a GPU if available.
        calibration: False ignores calibration.json, for fitting a new calibration.
        qwen: folder of the language model, if a release folder has none next to it.
        options: see options.Options.

    Raises:
        ConversegError: a file is missing, truncated or of the wrong size.
    """
    from converseg_ros.network.options import Options
    from converseg_ros.network.weights.other_parts import Chosen
    from converseg_ros.network.weights.things_folder import is_grounded, is_things

    folder = find_model(model)
    try:
        chosen = Options(**options)
    except TypeError as error:
        raise InputError(str(error).split('__init__() ')[-1], where='options of the network') from error
    if chosen.facts not in ('off', 'on'):
        raise InputError(f'facts is {chosen.facts!r}', where='options of the network', do='use off or on')
    if chosen.facts == 'on' and (is_things(folder) or is_grounded(folder)):
        raise InputError('this network always uses facts', where=folder.name, do='leave facts out')
    others = Chosen(find_part(chosen.namer, 'namer'), find_part(chosen.segments, 'segments'), cache_folder())
    if is_grounded(folder):
        from converseg_ros.network.grounded.folder import GroundedConfig
        from converseg_ros.network.grounded.loader import load_grounded

        base = find_model(GroundedConfig.load(folder).base)
        return load_grounded(
            folder, base, find_part, device=device, calibration=calibration, options=chosen, others=others
        )
    if is_things(folder):
        from converseg_ros.network.weights.things_loader import load_things

        return load_things(folder, device=device, calibration=calibration, options=chosen, others=others)
    if chosen.namer or chosen.segments:
        raise InputError(
            'this network has no parts that can be replaced',
            where=folder.name,
            do='leave namer and segments out, or use a model of kind things such as compact',
        )
    from converseg_ros.network.calibration import Calibration
    from converseg_ros.network.converseg.predictor import Predictor
    from converseg_ros.network.file_names import CALIBRATION
    from converseg_ros.network.weights.checkpoints import load_network

    network = load_network(folder, qwen=None if qwen is None else Path(qwen))
    path = folder / CALIBRATION
    fitted = Calibration.load(path) if calibration and path.is_file() else None
    if chosen.facts == 'on':
        from converseg_ros.network.converseg.measured import MeasuredPredictor
        from converseg_ros.network.parser.parser import load_parser

        parser = load_parser(PACKAGE / PARSER_OF)
        return MeasuredPredictor(network, parser, calibration=fitted, device=device, options=chosen)
    return Predictor(network, calibration=fitted, device=device, options=chosen)
