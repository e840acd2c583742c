"""EfficientNet-Lite0 as a feature trunk (Tan and Le, arXiv 1905.11946; the Lite variants: no squeeze-excite, ReLU6)."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
import torch.nn.functional as F

MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3  # of pixels in [0, 1]
# (expansion, kernel, stride of the first block, channels, blocks)
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
HEAD, CLASSES = 1280, 1000
NORM_EPS = 1e-3  # of the published batch norms


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: an odd pixel of padding is at the right and the bottom."""

    def forward(self, input: Tensor) -> Tensor:
        """Return (B, C', ceil(H / stride), ceil(W / stride)); the kernel is odd and the stride 1 or 2.

        With stride 2, even sizes need one pixel less of padding at the left and the top. A column and a row of zeros
        before the kernel have the same effect, and the input is not copied into a padded one.
        """
        stride = self.stride[0]
        rows, columns = (int(stride == 2 and n % 2 == 0) for n in input.shape[-2:])
        weight = F.pad(self.weight, (columns, 0, rows, 0)) if rows or columns else self.weight
        return F.conv2d(input, weight, self.bias, stride, self.kernel_size[0] // 2, 1, self.groups)


def _unit(
    channels_in: int, channels: int, kernel: int, stride: int = 1, groups: int = 1, *, act: bool = True
) -> nn.Module:
    """Return convolution (with its batch norm folded in) and ReLU6."""
    conv = SameConv2d(channels_in, channels, kernel, stride, groups=groups)
    return nn.Sequential(conv, nn.ReLU6(inplace=True)) if act else nn.Sequential(conv)


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; a shortcut where shapes agree (MobileNetV2, arXiv 1801.04381)."""

    def __init__(self, channels_in: int, channels: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        hidden = channels_in * expansion
        self.shortcut = stride == 1 and channels_in == channels
        self.expand = _unit(channels_in, hidden, 1) if expansion != 1 else nn.Identity()
        self.depthwise = _unit(hidden, hidden, kernel, stride, groups=hidden)
        self.project = _unit(hidden, channels, 1, act=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H / stride, W / stride)."""
        y = self.project(self.depthwise(self.expand(x)))
        out: Tensor = x + y if self.shortcut else y
        return out


class TrunkFeatures(NamedTuple):
    """Features at strides 4, 8, 16, 32 and class logits at stride 32."""

    s4: Tensor
    s8: Tensor
    s16: Tensor
    s32: Tensor
    logits: Tensor


class EfficientNetLite0(nn.Module):
    """The trunk, and its classifier applied at every position."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _unit(3, 32, 3, 2)
        stages, channels_in = [], 32
        for expansion, kernel, stride, channels, count in STAGES:
            blocks = []
            for index in range(count):
                blocks.append(InvertedResidual(channels_in, channels, expansion, kernel, stride if index == 0 else 1))
                channels_in = channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.head = _unit(channels_in, HEAD, 1)
        self.classifier = nn.Conv2d(HEAD, CLASSES, 1)

    def forward(self, pixels: Tensor) -> TrunkFeatures:
        """Map normalized (B, 3, H, W) pixels to features; H and W should be multiples of 32."""
        x = self.stem(pixels)
        outputs: dict[int, Tensor] = {}
        for index, stage in enumerate(self.stages):
            x = stage(x)
            outputs[index] = x
        return TrunkFeatures(outputs[1], outputs[2], outputs[4], x, self.classifier(self.head(x)))

    def pooled(self, pixels: Tensor) -> Tensor:
        """Map normalized (B, 3, H, W) crops to (B, 1280), the input of the classifier."""
        x = self.stem(pixels)
        for stage in self.stages:
            x = stage(x)
        out: Tensor = self.head(x).mean((2, 3))
        return out

    def class_logits(self, pooled: Tensor) -> Tensor:
        """Map (B, 1280) pooled features to the logits (B, 1000) of ImageNet's classes."""
        return F.linear(pooled, self.classifier.weight[..., 0, 0], self.classifier.bias)


def from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert the tensors of the published checkpoint (`_conv_stem`, `_blocks.N._expand_conv`, ...) to this module's.

    Batch norms are folded into their convolutions: training uses fixed statistics anyway, since batches are small and
    their images similar, and a CPU is a quarter faster without them.
    """
    places = [f'stages.{s}.{b}' for s, (*_, count) in enumerate(STAGES) for b in range(count)]
    renamed = {'classifier.weight': state['_fc.weight'][..., None, None], 'classifier.bias': state['_fc.bias']}
    units = [('stem.0', '_conv_stem', '_bn0'), ('head.0', '_conv_head', '_bn1')]
    for index, place in enumerate(places):
        for ours, conv, norm in (('expand', '_expand_conv', '_bn0'), ('depthwise', '_depthwise_conv', '_bn1')):
            if f'_blocks.{index}.{conv}.weight' in state:
                units.append((f'{place}.{ours}.0', f'_blocks.{index}.{conv}', f'_blocks.{index}.{norm}'))
        units.append((f'{place}.project.0', f'_blocks.{index}._project_conv', f'_blocks.{index}._bn2'))
    for ours, conv, norm in units:
        scale = state[f'{norm}.weight'] / torch.sqrt(state[f'{norm}.running_var'] + NORM_EPS)
        renamed[f'{ours}.weight'] = state[f'{conv}.weight'] * scale[:, None, None, None]
        renamed[f'{ours}.bias'] = state[f'{norm}.bias'] - state[f'{norm}.running_mean'] * scale
    return renamed
