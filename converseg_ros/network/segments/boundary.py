"""The boundary network: boundaries of objects and parts, kinds of pixels, and object centres.

Its input are the features of two frozen backbones (EfficientNet-Lite0 on the image, NanoDet's neck) and, if available,
geometry channels; it upsamples from stride 32 to stride 2 (U-Net, arXiv 1505.04597, with separable convolutions).
Boundaries are the input of a watershed and a merge tree (Arbelaez et al., TPAMI 2011); the votes for the centre of a
pixel's object are those of Panoptic-DeepLab (arXiv 1911.10194).
"""

from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.segments import KINDS
from converseg_ros.network.encoders.nanodet import resize_like

TRUNK = (16, 24, 40, 112, 320)  # channels of EfficientNet-Lite0 at strides 2, 4, 8, 16, 32
NECK = 128  # channels of NanoDet's neck at strides 8, 16, 32
GEOMETRY = 8  # channels of `geometry_channels`
Network = TypeVar('Network', bound=nn.Module)
PIXEL = 56  # channels of the last features at stride 4
VOTE = 64.0  # cells of the working grid (stride 2) for a vote of 1


def channels_last(module: Network) -> Network:
    """Convert a module's convolutions to channels-last layout, which CPUs and tensor cores read faster; return it."""
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return module


class BackboneFeatures(NamedTuple):
    """The features of an image (B, 3, H, W).

    trunk: features at strides 2, 4, 8, 16 and 32. neck: the detector's at about strides 8, 16 and 32.
    """

    trunk: tuple[Tensor, ...]
    neck: tuple[Tensor, ...]


class BoundaryMaps(NamedTuple):
    """The output of the network, as logits except for the votes.

    Attributes:
        boundary: (B, H/2, W/2), outline of an object or region.
        part_boundary: (B, H/2, W/2), outline of a part inside an object.
        part: (B, H/2, W/2), inside a part with a name (handle, lid, leg).
        kind: (B, 4, H/4, W/4) of KINDS.
        vote: (B, 2, H/4, W/4), from the pixel to the centre of its object (x, y), in units of VOTE cells.
        pixels: (B, PIXEL, H/4, W/4), the features that `kind` and `vote` are computed from.
    """

    boundary: Tensor
    part_boundary: Tensor
    part: Tensor
    kind: Tensor
    vote: Tensor
    pixels: Tensor


class BoundaryNet(nn.Module):
    """About 0.3 million parameters on frozen features."""

    def __init__(self) -> None:
        super().__init__()
        s2, s4, s8, s16, s32 = TRUNK
        self.g2 = _conv(GEOMETRY + 1, 12)
        self.g4 = nn.Sequential(separable(12, 24, 2), separable(24, 24))
        self.g8 = nn.Sequential(separable(24, 48, 2), separable(48, 48))
        self.g16 = nn.Sequential(separable(48, 64, 2), separable(64, 64))
        self.l32, self.l16 = nn.Conv2d(s32, 96, 1), nn.Conv2d(s16, 96, 1)
        self.l8, self.l4, self.l2 = nn.Conv2d(s8, 64, 1), nn.Conv2d(s4, 24, 1), nn.Conv2d(s2, 12, 1)
        self.d32, self.d16, self.d8 = nn.Conv2d(NECK, 96, 1), nn.Conv2d(NECK, 96, 1), nn.Conv2d(NECK, 64, 1)
        self.context = nn.Linear(s32 + NECK, 96)
        self.m16 = nn.Sequential(separable(160, 128), _Dilated(128), separable(128, 96))
        self.m8 = nn.Sequential(separable(96 + 64 + 48, 96), separable(96, 80))
        self.t4, self.t2 = nn.Conv2d(80, 48, 1), nn.Conv2d(PIXEL, 24, 1)
        self.m4 = nn.Sequential(separable(48 + 24 + 24, 64), separable(64, PIXEL))
        self.m2 = nn.Sequential(separable(24 + 12 + 12, 24), separable(24, 24))
        self.fine = nn.Conv2d(24, 3, 1)
        self.coarse = nn.Conv2d(PIXEL, len(KINDS) + 2, 1)

    def forward(self, features: BackboneFeatures, geometry: Tensor) -> BoundaryMaps:
        """Map features and (B, 9, H/2, W/2) geometry to maps.

        The last geometry channel is 1 with depth; without depth all channels are 0.
        """
        s2, s4, s8, s16, s32 = features.trunk
        d8, d16, d32 = (F.group_norm(d, 1) for d in features.neck)
        g2 = self.g2(geometry)
        g4 = self.g4(g2)
        g8 = self.g8(g4)
        g16 = self.g16(g8)
        context = self.context(torch.cat([s32.mean((2, 3)), d32.mean((2, 3))], 1))[:, :, None, None]
        top = (
            resize_like(self.l32(s32), s16)
            + resize_like(self.d32(d32), s16)
            + resize_like(self.d16(d16), s16)
            + context
        )
        x = self.m16(torch.cat([self.l16(s16) + top, g16], 1))
        x = self.m8(torch.cat([resize_like(x, s8), self.l8(s8) + resize_like(self.d8(d8), s8), g8], 1))
        x = self.m4(torch.cat([resize_like(self.t4(x), s4), self.l4(s4), g4], 1))
        kind, vote = self.coarse(x).split((len(KINDS), 2), 1)
        fine = self.m2(torch.cat([resize_like(self.t2(x), s2), self.l2(s2), g2], 1))
        boundary, part_boundary, part = self.fine(fine).unbind(1)
        return BoundaryMaps(boundary, part_boundary, part, kind, vote, x)


class _Dilated(nn.Module):
    """Parallel depthwise 3x3 convolutions of increasing dilation, mixed and added to the input."""

    def __init__(self, channels: int, dilations: tuple[int, ...] = (1, 3, 6)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [nn.Conv2d(channels, channels, 3, 1, d, d, channels, bias=False) for d in dilations]
        )
        self.mix = nn.Sequential(
            nn.Conv2d(channels * len(dilations), channels, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        mixed: Tensor = self.mix(torch.cat([branch(x) for branch in self.branches], 1))
        return x + mixed


def _conv(channels_in: int, channels: int) -> nn.Module:
    """Return a 3x3 convolution with batch norm."""
    return nn.Sequential(nn.Conv2d(channels_in, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU())


def separable(channels_in: int, channels: int, stride: int = 1, dilation: int = 1) -> nn.Module:
    """Return a depthwise 3x3 and a pointwise convolution with batch norm."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_in, 3, stride, dilation, dilation, channels_in, bias=False),
        nn.Conv2d(channels_in, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )
