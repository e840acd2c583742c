"""The frozen backbones: EfficientNet-Lite0 on the image at 640x480 and NanoDet on a smaller copy."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.network.encoders.efficientnet import MEAN, STD, EfficientNetLite0
from converseg_ros.network.encoders.nanodet import MEAN as DETECTOR_MEAN
from converseg_ros.network.encoders.nanodet import STD as DETECTOR_STD
from converseg_ros.network.encoders.nanodet import Detections, NanoDet
from converseg_ros.network.file_names import BACKBONE
from converseg_ros.network.segments.boundary import BackboneFeatures

TRUNK_STAGES = (0, 1, 2, 4, 6)  # of EfficientNet-Lite0, the last ones at strides 2, 4, 8, 16, 32
DETECTOR_SCALE = 0.8  # relative size of the detector's input: 512x384 for 640x480
TRUNK_PREFIX, DETECTOR_PREFIX = 'trunk.', 'detector.'
AREA, STRIDE = 640 * 480, 32


class Seen(NamedTuple):
    """The output of the backbones: features for the boundary network, and the three levels of the detector."""

    features: BackboneFeatures
    detections: list[Detections]


class Backbone(nn.Module):
    """Both backbones, always frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = EfficientNetLite0()
        self.detector = NanoDet()
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> 'Backbone':
        """Stay in evaluation mode: the weights are frozen."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> Seen:
        """Encode (B, 3, H, W) RGB pixels in 0..255; H and W are multiples of 32."""
        x = self.trunk.stem((pixels - _column(MEAN, pixels) * 255) / (_column(STD, pixels) * 255))
        levels = []
        for index, stage in enumerate(self.trunk.stages):
            x = stage(x)
            if index in TRUNK_STAGES:
                levels.append(x)
        size = [max(round(n * DETECTOR_SCALE / STRIDE), 1) * STRIDE for n in pixels.shape[2:]]
        small = F.interpolate(pixels, size, mode='bilinear', align_corners=False).flip(1)
        found = self.detector((small - _column(DETECTOR_MEAN, small)) / _column(DETECTOR_STD, small))
        return Seen(BackboneFeatures(tuple(levels), tuple(level.features for level in found)), found)


def load_backbone(folder: Path) -> Backbone:
    """Read the backbones from a model folder; raise InputError if it has none."""
    path = folder / BACKBONE
    try:
        state = load_file(path)
        backbone = Backbone()
        for module, prefix in ((backbone.trunk, TRUNK_PREFIX), (backbone.detector, DETECTOR_PREFIX)):
            part = {k.removeprefix(prefix): v.float() for k, v in state.items() if k.startswith(prefix)}
            module.load_state_dict(part)
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise InputError(f'no trunk and detector ({error})', where=str(path)) from error
    return backbone


def working_size(height: int, width: int) -> tuple[int, int]:
    """Return (rows, columns) of the networks' input: the aspect ratio of the view, with about the area of 640x480."""
    scale = (AREA / (height * width)) ** 0.5
    rows, columns = (max(round(n * scale / STRIDE), 1) * STRIDE for n in (height, width))
    return rows, columns


def to_pixels(rgb: NDArray[np.uint8], device: torch.device | None = None) -> Tensor:
    """Return (B, 3, H, W) float32 in 0..255 of (B, H, W, 3) pictures on a device, by default the CPU."""
    pixels = torch.from_numpy(rgb).to(device or torch.device('cpu'))  # bytes: a quarter of what float32 would upload
    return pixels.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]
