"""`segments.safetensors`: the tensors of each network under its name, `boundary.`, `quality.` and `agents.`."""

from pathlib import Path
from typing import NamedTuple

from safetensors.torch import load_file, save_file
import torch
from torch import nn

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import atomic_path
from converseg_ros.network.segments.agents import AgentNet
from converseg_ros.network.segments.boundary import BoundaryNet
from converseg_ros.network.segments.quality import QualityNet


class SegmentNets(NamedTuple):
    """The trained networks of `TreeProposer`; agents: None for segments of the merge tree only."""

    boundary: BoundaryNet
    quality: QualityNet
    agents: AgentNet | None = None

    def to(self, device: torch.device) -> 'SegmentNets':
        """Move the networks to a device; return them."""
        for network in self:
            if network is not None:
                network.to(device)
        return self


def save_segments(path: Path, networks: SegmentNets) -> None:
    """Write the networks atomically."""
    named = networks._asdict().items()
    tensors = {f'{name}.{k}': v for name, net in named if net is not None for k, v in net.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file({k: v.contiguous() for k, v in sorted(tensors.items())}, temporary)


def load_segments(path: Path) -> SegmentNets:
    """Read the networks in evaluation mode; raise InputError if the file is invalid."""
    try:
        tensors = load_file(path)
        networks: dict[str, nn.Module] = {'boundary': BoundaryNet(), 'quality': QualityNet()}
        if any(k.startswith('agents.') for k in tensors):
            networks['agents'] = AgentNet()
        for name, network in networks.items():
            prefix = f'{name}.'
            network.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
            network.eval()
    except Exception as error:
        raise InputError(f'not the weights of segments ({error})', where=str(path), do='train them again') from error
    return SegmentNets(**networks)  # type: ignore[arg-type]  # each network has its class
