"""`segments.safetensors`: the boundary network's tensors under `boundary.`, the quality network's under `quality.`."""

from pathlib import Path

from safetensors.torch import load_file, save_file

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import atomic_path
from converseg_ros.network.segments.boundary import BoundaryNet
from converseg_ros.network.segments.quality import QualityNet

WEIGHTS = 'segments.safetensors'


def save_segments(path: Path, boundary: BoundaryNet, quality: QualityNet) -> None:
    """Write both networks atomically."""
    tensors = {f'boundary.{k}': v for k, v in boundary.state_dict().items()}
    tensors |= {f'quality.{k}': v for k, v in quality.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file({k: v.contiguous() for k, v in sorted(tensors.items())}, temporary)


def load_segments(path: Path) -> tuple[BoundaryNet, QualityNet]:
    """Read both networks in evaluation mode; raise InputError if the file is invalid."""
    try:
        tensors = load_file(path)
        boundary, quality = BoundaryNet(), QualityNet()
        for prefix, network in (('boundary.', boundary), ('quality.', quality)):
            network.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    except Exception as error:
        raise InputError(f'not the weights of segments ({error})', where=str(path), do='train them again') from error
    return boundary.eval(), quality.eval()
