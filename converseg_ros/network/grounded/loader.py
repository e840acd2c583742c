"""Create the network of a model folder of kind `grounded`."""

from collections.abc import Callable
import hashlib
from pathlib import Path

import torch

from converseg_ros.core import InputError
from converseg_ros.network.encoders.pretrained import weights_hash
from converseg_ros.network.existence import Existence
from converseg_ros.network.grounded.boxes import Grounder
from converseg_ros.network.grounded.chat import ChatGrounder
from converseg_ros.network.grounded.detector import ZeroShotDetector
from converseg_ros.network.grounded.folder import GroundedConfig
from converseg_ros.network.grounded.network import GroundedNetwork
from converseg_ros.network.options import Options
from converseg_ros.network.segments.proposer import TreeProposer
from converseg_ros.network.weights.other_parts import Chosen, load_promptable
from converseg_ros.network.weights.things_folder import CALIBRATION
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
    """Return the network of a folder of this kind.

    base: the folder of kind things in the configuration. find: registry.find_part. Raises InputError for missing,
    invalid or wrong parts, and if images would be sent to another machine without consent.
    """
    config, chosen, others = GroundedConfig.load(folder), options or Options(), others or Chosen()
    if others.segments is not None:
        raise InputError('it finds its own segments', where=config.name, do='leave segments out')
    things = load_things(base, device=device, calibration=False, options=chosen, others=others)
    parts = things.parts
    assert isinstance(parts.proposer, TreeProposer)
    drawer = find(config.masks, 'segments')
    if drawer is None:
        raise InputError('nothing draws masks', where=config.name, do='name SAM 2 under "masks"')
    detector = find(config.detector, 'detector')
    grounder: Grounder
    if config.chat is not None:
        kept = (others.cache or folder) / ANSWERS / config.name
        grounder = ChatGrounder(config.chat, kept, agree_remote=chosen.agree_remote)
        told = repr(config.chat)
    else:
        assert detector is not None
        grounder = ZeroShotDetector(detector, device=parts.device, threshold=config.threshold)
        told = f'{weights_hash(detector)} {config.threshold}'
    whole = f'{parts.fingerprint} {weights_hash(drawer)} {told}'
    parts = type(parts)(
        parts.proposer,
        parts.namer,
        parts.parser,
        parts.device,
        hashlib.sha256(whole.encode()).hexdigest()[:16],
        (*parts.notes, *_cost(config, parts.device)),
    )
    path = folder / CALIBRATION
    return GroundedNetwork(
        parts,
        grounder,
        load_promptable(drawer, parts.device),
        things.parts.proposer.maps,  # type: ignore[attr-defined]
        name=f'{config.name} {config.version}',
        existence=Existence.load(path) if calibration and path.is_file() else None,
        calibration_file=path,
        images=chosen.images,
    )


def _cost(config: GroundedConfig, device: torch.device) -> tuple[str, ...]:
    """Return notes about the speed for the user."""
    if config.chat is not None:
        return (f'{config.chat.model} is asked once for each view and its new phrases',)
    if device.type == 'cpu':
        return ('a detector and SAM take seconds, large ones a minute, for a view on a CPU (docs/performance.md)',)
    return ()
