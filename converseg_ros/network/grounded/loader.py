"""Create the network of a model folder of kind `grounded`."""

from collections.abc import Callable
from dataclasses import replace
import hashlib
from pathlib import Path

import torch

from converseg_ros.core import InputError
from converseg_ros.network.encoders.pretrained import weights_hash
from converseg_ros.network.file_names import CALIBRATION
from converseg_ros.network.grounded.boxes import Grounder
from converseg_ros.network.grounded.chat import ChatGrounder
from converseg_ros.network.grounded.detector import ZeroShotDetector
from converseg_ros.network.grounded.finder import BoxFinder, Finder
from converseg_ros.network.grounded.folder import GroundedConfig
from converseg_ros.network.grounded.network import GroundedNetwork
from converseg_ros.network.grounded.sam3 import Sam3Finder
from converseg_ros.network.options import Options
from converseg_ros.network.precision import precision_on
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.things.existence import Existence
from converseg_ros.network.weights.other_parts import Chosen, load_promptable
from converseg_ros.network.weights.things_loader import load_things

ANSWERS = '.answers'  # folder of the user's cache for answers of chat models
Find = Callable[[str, str], Path | None]


def load_grounded(
    folder: Path,
    base: Path,
    find: Find,
    *,
    device: str | None = None,
    calibration: bool = True,
    options: Options | None = None,
    others: Chosen | None = None,
) -> GroundedNetwork:
    """Return the network of a folder of kind grounded or sam3.

    base: the folder of kind things in the configuration. find: registry.find_part. Raises InputError for missing,
    invalid or wrong parts, and if images would be sent to another machine without consent.
    """
    config, chosen, others = GroundedConfig.load(folder), options or Options(), others or Chosen()
    if others.segments is not None:
        raise InputError('it finds its own segments', where=config.name, do='leave segments out')
    things = load_things(base, device=device, calibration=False, options=chosen, others=others)
    parts = things.parts
    assert isinstance(parts.proposer, TreeProposer)
    finder, told = _finder(config, find, parts.device, chosen, others.cache or folder)
    whole = f'{parts.fingerprint} {told}'
    parts = replace(
        parts,
        fingerprint=hashlib.sha256(whole.encode()).hexdigest()[:16],
        notes=(*parts.notes, *_cost(config, parts.device)),
    )
    path = folder / CALIBRATION
    return GroundedNetwork(
        parts,
        finder,
        things.parts.proposer.maps,  # type: ignore[attr-defined]
        name=f'{config.name} {config.version}',
        existence=Existence.load(path) if calibration and path.is_file() else None,
        calibration_file=path,
        images=chosen.images,
    )


def _finder(
    config: GroundedConfig, find: Find, device: torch.device, options: Options, cache: Path
) -> tuple[Finder, str]:
    """Return the finder of a configuration, and a text that identifies its weights and settings."""
    dtype = precision_on(options.precision, device)  # of masks; boxes of a detector are computed in float32
    weights = find(config.weights, 'concepts')
    if weights is not None:
        found = Sam3Finder(weights, device=device, threshold=config.threshold, dtype=dtype)
        return found, f'{weights_hash(weights)} {config.threshold}'
    drawer = find(config.masks, 'segments')
    if drawer is None:
        raise InputError('nothing draws masks', where=config.name, do='name SAM 2 under "masks"')
    grounder: Grounder
    if config.chat is not None:
        kept = cache / ANSWERS / config.name
        grounder = ChatGrounder(config.chat, kept, agree_remote=options.agree_remote, device=str(device))
        told = repr(config.chat)
    else:
        detector = find(config.detector, 'detector')
        assert detector is not None
        grounder = ZeroShotDetector(detector, device=device, threshold=config.threshold)
        told = f'{weights_hash(detector)} {config.threshold}'
    return BoxFinder(grounder, load_promptable(drawer, device, dtype)), f'{weights_hash(drawer)} {told}'


def _cost(config: GroundedConfig, device: torch.device) -> tuple[str, ...]:
    """Return notes about the speed for the user."""
    if config.chat is not None:
        return (f'{config.chat.model} is asked once for each view and its new phrases',)
    if device.type == 'cpu':
        what = 'SAM 3 takes' if config.weights else 'a detector and SAM take'
        return (f'{what} seconds, large models a minute, for a view on a CPU (docs/performance.md)',)
    return ()
