"""The image encoder of compact 2: EfficientNet-Lite0, its ImageNet classes at every position, and a detector.

These have published weights; a light feature pyramid on top of them is trained.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.config import EfficientNetImageConfig
from converseg_ros.network.encoders.efficientnet import CHANNELS, CLASSES, EfficientNetLite0
from converseg_ros.network.encoders.nanodet import MEAN, NECK, STD, NanoDet, best_boxes, kinds_map
from converseg_ros.network.features import ImageFeatures
from converseg_ros.network.graphs import constant


class TrunkOutput(NamedTuple):
    """The outputs of frozen parts, which can be cached on disk.

    s4 (B, 24, H/4, W/4), s8 (B, 40, H/8, W/8), s16 (B, 112, H/16, W/16), s32 (B, 320, H/32, W/32): trunk features.
    words (B, D, H/32, W/32): the mean of the text embeddings of ImageNet's class names, weighted by the probability of
    each class at that position (DeViSE and ConSE, Norouzi et al., arXiv 1312.5650, applied at every position). d8, d16,
    d32 (B, 128, ...): the neck of the detector. kinds, boxes, box_kinds: see ImageFeatures. None without a detector.
    """

    s4: Tensor
    s8: Tensor
    s16: Tensor
    s32: Tensor
    words: Tensor
    d8: Tensor | None = None
    d16: Tensor | None = None
    d32: Tensor | None = None
    kinds: Tensor | None = None
    boxes: Tensor | None = None
    box_kinds: Tensor | None = None


class CompactImageEncoder(nn.Module):
    """A trunk that can be frozen (`trunk_output`) and a trained pyramid (`pyramid`)."""

    def __init__(self, config: EfficientNetImageConfig) -> None:
        super().__init__()
        options = {'text_dim': 384, 'temperature': 3.0} | config.options
        self.config = config
        self.temperature = float(options['temperature'])
        self.trunk = EfficientNetLite0()
        self.register_buffer('class_text', torch.zeros(CLASSES, options['text_dim']))
        self.class_text: Tensor
        self.detector = NanoDet() if config.things else None
        self.pyramid = Pyramid(config.channels, options['text_dim'], detector=bool(config.things))

    def trunk_output(self, pixels: Tensor) -> TrunkOutput:
        """Encode normalized (B, 3, H, W) pixels by the frozen parts."""
        s4, s8, s16, s32, logits = self.trunk(pixels)
        share = (logits / self.temperature).softmax(1)
        words = torch.einsum('bkhw,kd->bdhw', share, self.class_text.to(share.dtype))
        seen = TrunkOutput(s4, s8, s16, s32, words)
        return seen if self.detector is None else self._detect(self.detector, pixels, seen)

    def _detect(self, detector: NanoDet, pixels: Tensor, seen: TrunkOutput) -> TrunkOutput:
        """Add the outputs of the detector, whose pixels are BGR with another normalization."""
        mean, std, theirs_mean, theirs_std = (
            constant(v, pixels.device, pixels.dtype)[:, None, None]
            for v in (self.config.mean, self.config.std, MEAN, STD)
        )
        levels = detector((((pixels * std + mean) * 255).flip(1) - theirs_mean) / theirs_std)
        found = best_boxes(levels, self.config.things)
        rows, columns = pixels.shape[2:]
        size = constant((columns, rows) * 2, pixels.device, pixels.dtype)
        necks = dict(zip(('d8', 'd16', 'd32'), (level.features for level in levels), strict=True))
        return seen._replace(
            **necks, kinds=kinds_map(levels), boxes=found.boxes.to(size) / size, box_kinds=found.kinds.to(size)
        )

    def forward(self, pixels: Tensor) -> ImageFeatures:
        """Encode normalized (B, 3, H, W) pixels; H and W are multiples of 32."""
        features: ImageFeatures = self.pyramid(self.trunk_output(pixels))
        return features


class Pyramid(nn.Module):
    """Top-down path from stride 32 to 16 (Lin et al., arXiv 1612.03144) plus the image's mean as context."""

    def __init__(self, channels: int, text_dim: int, *, detector: bool = False) -> None:
        super().__init__()
        self.detector = detector
        c4, c8, c16, c32 = CHANNELS
        self.top = nn.Conv2d(c32, channels, 1)
        self.words = nn.Conv2d(text_dim, channels, 1)
        self.context = nn.Linear(c32, channels)
        self.lateral = nn.Conv2d(c16, channels, 1)
        self.blocks = nn.ModuleList([SeparableBlock(channels) for _ in range(2)])
        self.fine = nn.Conv2d(c8, channels // 4, 1)
        self.finest = nn.Conv2d(c4, channels // 8, 1)
        if detector:
            self.seen = nn.ModuleList([nn.Conv2d(NECK, n, 1) for n in (channels // 4, channels, channels)])

    def forward(self, trunk: TrunkOutput) -> ImageFeatures:
        """Return the embedding at stride 16, the high-resolution maps, and the map of words at stride 16."""
        top = self.top(trunk.s32) + self.words(F.normalize(trunk.words, dim=1) * trunk.words.shape[1] ** 0.5)
        top = top + self.context(trunk.s32.mean((2, 3)))[:, :, None, None]
        fine, middle = self.fine(trunk.s8), self.lateral(trunk.s16)
        if self.detector:
            d8, d16, d32 = (
                conv(F.group_norm(d, 1))
                for conv, d in zip(self.seen, (trunk.d8, trunk.d16, trunk.d32), strict=True)
                if d is not None
            )
            fine, middle, top = fine + d8, middle + d16, top + d32
        x = middle + F.interpolate(top, scale_factor=2, mode='bilinear', align_corners=False)
        for block in self.blocks:
            x = block(x)
        words = F.interpolate(trunk.words, scale_factor=2, mode='bilinear', align_corners=False)
        high_res = (self.finest(trunk.s4), fine)
        return ImageFeatures(x, high_res, words, trunk.kinds, trunk.boxes, trunk.box_kinds)


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
        out: Tensor = x + self.narrow(F.gelu(self.widen(self.norm(self.depthwise(x)))))
        return out
