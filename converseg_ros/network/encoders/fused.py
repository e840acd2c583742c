"""Frozen layers for inference on a CPU: one call of oneDNN computes a layer and its activation.

PyTorch's own calls write the result of a layer and read it again for the activation, and convert the weights of a
convolution to bfloat16 each time; the results are the same. The operators are those that torch.compile uses
(torch/_inductor/fx_passes/mkldnn_fusion.py), which needs a compiler. The weights of convolutions are not reordered for
the processor in advance: an order that suits one shape of images made another shape three times as slow. Those of
linear layers can be, because their order suits any number of rows; a short text takes half the time with it.
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


class FrozenLinear:
    """A frozen linear layer, followed by GELU if `gelu`; input and output have the precision of the weights.

    packed: whether the weights are reordered for the processor, if it can; a packed layer cannot be pickled.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor, dtype: torch.dtype, *, gelu: bool = False, packed: bool = False
    ) -> None:
        """Copy weight (O, I) and bias (O,) in a precision."""
        self.dtype, self.gelu, self.packed = dtype, gelu, packed and _has('_linear_pointwise', dtype)
        self.weight, self.bias = weight.to(dtype), bias.to(dtype)
        if self.packed:
            self.weight = torch.ops.mkldnn._reorder_linear_weight(self.weight, None)

    def __call__(self, x: Tensor) -> Tensor:
        """Map (..., I) to (..., O); the input is converted."""
        x = x.to(self.dtype)
        if not self.packed:
            out = F.linear(x, self.weight, self.bias)
            return F.gelu(out) if self.gelu else out
        activation: tuple[str, list[float], str] = ('gelu', [], 'none') if self.gelu else ('none', [], '')
        fused: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, *activation)
        return fused


def can_fuse(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether this PyTorch and this processor have the operator of convolutions in a precision."""
    return device.type == 'cpu' and _has('_convolution_pointwise', dtype)


def _has(operator: str, dtype: torch.dtype) -> bool:
    """Return whether this PyTorch and this processor have an operator of oneDNN in a precision."""
    there: Any = torch.ops.mkldnn
    if not (torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled) or not hasattr(there, operator):
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
