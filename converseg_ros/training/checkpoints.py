"""Checkpoints of a run: everything that the next step depends on, written atomically."""

from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from converseg_ros.core import InputError
from converseg_ros.core.files import atomic_path

BEST = 'best.pt'
FREE = {  # settings that a resumed run may change
    *('out', 'origin', 'threads', 'recipe', 'finish', 'checkpoint_every', 'validate_every', 'validate_images'),
    *('panels', 'keep_last', 'choose', 'patience'),
}


@dataclass(slots=True)
class Snapshot:
    """The state after `step` updates.

    weights, average: trained tensors by name. best, best_step: the best validation. config: fingerprint of what a
    resumed run must not change.
    """

    step: int
    weights: dict[str, Tensor]
    average: dict[str, Tensor]
    optimizer: dict[str, Any]
    random: list[Tensor]  # torch's generator of each process
    best: float
    config: str
    best_step: int = 0


def save(folder: Path, snapshot: Snapshot, *, keep: int, best: bool = False) -> Path:
    """Write `step-NNNNNNN.pt` and keep the last `keep` of them; `best` also writes best.pt."""
    path = folder / f'step-{snapshot.step:07d}.pt'
    data = {name: getattr(snapshot, name) for name in Snapshot.__dataclass_fields__}
    for target in [folder / BEST, path] if best else [path]:  # a run that resumes from `path` needs its best.pt
        with atomic_path(target) as temporary:
            torch.save(data, temporary)
    for old in steps(folder)[:-keep]:
        old.unlink()
    return path


def steps(folder: Path) -> list[Path]:
    """Return the checkpoints of the run, oldest first."""
    return sorted(folder.glob('step-*.pt'))


def load(path: Path) -> Snapshot:
    """Read a checkpoint; raise InputError if it is invalid."""
    try:
        return Snapshot(**torch.load(path, map_location='cpu', weights_only=True))
    except Exception as error:
        raise InputError(
            f'not a checkpoint ({error})', where=str(path), do='delete it to resume from an older one'
        ) from error


def trained(network: nn.Module) -> dict[str, Tensor]:
    """Return the tensors that training changes: trained parameters, and the buffers of modules that have some."""
    homes = {name.rpartition('.')[0] for name, p in network.named_parameters() if p.requires_grad}
    return {
        name: tensor
        for name, tensor in network.state_dict(keep_vars=True).items()
        if tensor.requires_grad or (name.rpartition('.')[0] in homes and not isinstance(tensor, nn.Parameter))
    }


def fingerprint(settings: dict[str, Any]) -> str:
    """Return a hash of the settings that a resumed run must not change."""
    data = {name: value for name, value in settings.items() if name not in FREE}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def weights_hash(module: nn.Module) -> str:
    """Return a hash of a module's tensors."""
    digest = hashlib.sha256()
    for _, value in sorted(module.state_dict().items()):
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
