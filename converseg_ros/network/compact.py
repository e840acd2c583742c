"""The image encoder of `compact`: EfficientNet-Lite0, a light feature pyramid, and ImageNet's words at their places."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.config import EfficientNetImageConfig
from converseg_ros.network.efficientnet import CHANNELS, CLASSES, EfficientNetLite0
from converseg_ros.network.features import ImageFeatures


class TrunkOutput(NamedTuple):
    """What does not change while the trunk is frozen, and so can be kept on disk.

    s4 (B, 24, H/4, W/4), s8 (B, 40, H/8, W/8), s16 (B, 112, H/16, W/16), s32 (B, 320, H/32, W/32): trunk features.
    words (B, D, H/32, W/32): the mean of the ImageNet class names' text embeddings, weighted by how likely each class
    is at that place (DeViSE and ConSE, Norouzi et al., arXiv 1312.5650, applied at every place).
    """

    s4: Tensor
    s8: Tensor
    s16: Tensor
    s32: Tensor
    words: Tensor


class CompactImageEncoder(nn.Module):
    """A trunk that can stay frozen (`trunk_output`) and a pyramid that is trained (`pyramid`)."""

    def __init__(self, config: EfficientNetImageConfig) -> None:
        super().__init__()
        options = {'text_dim': 384, 'temperature': 3.0} | config.options
        self.config = config
        self.temperature = float(options['temperature'])
        self.trunk = EfficientNetLite0()
        self.register_buffer('class_text', torch.zeros(CLASSES, options['text_dim']))
        self.class_text: Tensor
        self.pyramid = Pyramid(config.channels, options['text_dim'])

    def trunk_output(self, pixels: Tensor) -> TrunkOutput:
        """Encode normalised (B, 3, H, W) pixels as far as nothing was trained here."""
        s4, s8, s16, s32, logits = self.trunk(pixels)
        share = (logits / self.temperature).softmax(1)
        words = torch.einsum('bkhw,kd->bdhw', share, self.class_text.to(share.dtype))
        return TrunkOutput(s4, s8, s16, s32, words)

    def forward(self, pixels: Tensor) -> ImageFeatures:
        """Encode normalised (B, 3, H, W) pixels; H and W are multiples of 32."""
        features: ImageFeatures = self.pyramid(self.trunk_output(pixels))
        return features


class Pyramid(nn.Module):
    """Top-down path from stride 32 to 16 (Lin et al., arXiv 1612.03144) plus the image's mean as context."""

    def __init__(self, channels: int, text_dim: int) -> None:
        super().__init__()
        c4, c8, c16, c32 = CHANNELS
        self.top = nn.Conv2d(c32, channels, 1)
        self.words = nn.Conv2d(text_dim, channels, 1)
        self.context = nn.Linear(c32, channels)
        self.lateral = nn.Conv2d(c16, channels, 1)
        self.blocks = nn.ModuleList([SeparableBlock(channels) for _ in range(2)])
        self.fine = nn.Conv2d(c8, channels // 4, 1)
        self.finest = nn.Conv2d(c4, channels // 8, 1)

    def forward(self, trunk: TrunkOutput) -> ImageFeatures:
        """Return the embedding at stride 16, the high-resolution maps, and the words' map at stride 16."""
        top = self.top(trunk.s32) + self.words(F.normalize(trunk.words, dim=1) * trunk.words.shape[1] ** 0.5)
        top = top + self.context(trunk.s32.mean((2, 3)))[:, :, None, None]
        x = self.lateral(trunk.s16) + F.interpolate(top, scale_factor=2, mode='bilinear', align_corners=False)
        for block in self.blocks:
            x = block(x)
        words = F.interpolate(trunk.words, scale_factor=2, mode='bilinear', align_corners=False)
        return ImageFeatures(x, (self.finest(trunk.s4), self.fine(trunk.s8)), words)


class SeparableBlock(nn.Module):
    """Depthwise 5x5, norm over channels, two pointwise layers, added to the input (ConvNeXt, arXiv 2201.03545)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.norm = nn.GroupNorm(1, channels)
        self.widen = nn.Conv2d(channels, 2 * channels, 1)
        self.narrow = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return x + self.narrow(F.gelu(self.widen(self.norm(self.depthwise(x)))))
