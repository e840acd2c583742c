"""Convolutions of EfficientNet for inference on a CPU: one call of oneDNN computes a convolution and its activation.

PyTorch's own calls write the result of a convolution and read it again for the activation, and convert the weights to
bfloat16 each time; the results are the same. The operator is the one that torch.compile uses
(torch/_inductor/fx_passes/mkldnn_fusion.py), which needs a compiler. Weights are not reordered for the processor in
advance: an order that suits one shape of images made another shape three times as slow.
"""

from typing import Any

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.encoders.efficientnet import EfficientNetLite0, SameConv2d


class FusedConv2d(nn.Module):
    """A frozen `SameConv2d`, and ReLU6 if `clamp`; its input is converted to the precision of the weights."""

    def __init__(self, convolution: SameConv2d, clamp: bool, dtype: torch.dtype) -> None:
        """Copy the weights in a precision."""
        super().__init__()
        weight = convolution.weight.detach()
        self.stride, self.groups = convolution.stride[0], convolution.groups
        self.padding = convolution.kernel_size[0] // 2
        if self.stride == 2:  # as SameConv2d does for even sizes
            weight = F.pad(weight, (1, 0, 1, 0))
        self.weight = nn.Parameter(weight.to(dtype, memory_format=torch.channels_last), requires_grad=False)
        bias = convolution.bias
        self.bias = None if bias is None else nn.Parameter(bias.detach().to(dtype), requires_grad=False)
        self.activation: tuple[str, list[float]] = ('hardtanh', [0.0, 6.0]) if clamp else ('none', [])

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H / stride, W / stride). Raises ValueError for odd sizes with stride 2."""
        if self.stride == 2 and (x.shape[2] % 2 or x.shape[3] % 2):
            raise ValueError(f'height and width must be even, not {x.shape[2]}x{x.shape[3]}')
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x.to(self.weight.dtype),
            self.weight,
            self.bias,
            [self.padding] * 2,
            [self.stride] * 2,
            [1, 1],
            self.groups,
            *self.activation,
            '',
        )
        return out


def can_fuse(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether this PyTorch and this processor have the operator in a precision."""
    if device.type != 'cpu' or not (torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled):
        return False
    there: Any = torch.ops.mkldnn
    if not hasattr(there, '_convolution_pointwise'):
        return False
    # the Arm Compute Library fuses nothing
    acl = hasattr(there, '_is_mkldnn_acl_supported') and there._is_mkldnn_acl_supported()
    return not acl and (dtype == torch.float32 or (dtype == torch.bfloat16 and there._is_mkldnn_bf16_supported()))


def fuse(trunk: EfficientNetLite0, dtype: torch.dtype) -> None:
    """Replace the convolutions of a trunk, except for the classifier, by fused ones; sizes must be multiples of 32."""
    for unit in list(trunk.modules()):
        if isinstance(unit, nn.Sequential) and isinstance(convolution := unit[0], SameConv2d):
            clamp = len(unit) == 2
            del unit[:]
            unit.append(FusedConv2d(convolution, clamp, dtype))
