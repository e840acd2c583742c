"""Frozen layers for inference on a CPU: one call of oneDNN computes a layer, its batch norm and its activation.

PyTorch's own calls write the result of a layer and read it again for the batch norm and the activation, and convert the
weights of a convolution to bfloat16 each time; the results are the same up to rounding. The operators are those that
torch.compile uses (torch/_inductor/fx_passes/mkldnn_fusion.py), which needs a compiler. The weights of convolutions are
not reordered for the processor in advance: an order that suits one shape of images made another shape three times as
slow. Those of linear layers can be, because their order suits any number of rows; a short text takes half the time with
it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.encoders.efficientnet import SameConv2d


class FusedConv2d(nn.Module):
    """A frozen convolution with its batch norm and activation; its input is converted to the precision of the weights.

    The activation is none, ReLU, ReLU6 or leaky ReLU.
    """

    def __init__(
        self,
        convolution: nn.Conv2d,
        dtype: torch.dtype,
        *,
        norm: nn.BatchNorm2d | None = None,
        activation: nn.Module | None = None,
    ) -> None:
        """Copy the weights in a precision, with the statistics of a batch norm folded in."""
        super().__init__()
        weight, bias = convolution.weight.detach(), convolution.bias
        bias = None if bias is None else bias.detach()
        if norm is not None:
            weight, bias = _folded(weight, bias, norm)
        self.stride, self.dilation, self.groups = convolution.stride, convolution.dilation, convolution.groups
        self.padding = [int(n) for n in convolution.padding]
        self.even = isinstance(convolution, SameConv2d) and self.stride[0] == 2
        if isinstance(convolution, SameConv2d):
            self.padding = [convolution.kernel_size[0] // 2] * 2
        if self.even:  # as SameConv2d does for even sizes
            weight = F.pad(weight, (1, 0, 1, 0))
        self.weight = nn.Parameter(weight.to(dtype, memory_format=torch.channels_last), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.to(dtype), requires_grad=False)
        self.activation = _ACTIVATIONS[type(activation)](activation)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', h, w); raise ValueError for odd sizes if the convolution requires even ones."""
        if self.even and (x.shape[2] % 2 or x.shape[3] % 2):
            raise ValueError(f'height and width must be even, not {x.shape[2]}x{x.shape[3]}')
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x.to(self.weight.dtype),
            self.weight,
            self.bias,
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            *self.activation,
            '',
        )
        return out


_ACTIVATIONS: dict[type, Callable[[Any], tuple[str, list[float]]]] = {
    type(None): lambda _: ('none', []),
    nn.ReLU: lambda _: ('relu', []),
    nn.ReLU6: lambda _: ('hardtanh', [0.0, 6.0]),
    nn.LeakyReLU: lambda module: ('leaky_relu', [module.negative_slope]),
}
"""By class of an activation, its name and numbers for the operator."""


def _folded(weight: Tensor, bias: Tensor | None, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution (O, ...) that is followed by a batch norm with fixed statistics."""
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias.detach() - norm.running_mean * scale
    return weight * scale[:, None, None, None], shift if bias is None else shift + bias * scale


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


def fuse(network: nn.Module, dtype: torch.dtype) -> None:
    """Replace the convolutions of a frozen network by fused ones, except for the classifier of a trunk.

    Batch norms and activations that follow a convolution in a Sequential become a part of it. The sizes of the images
    of a trunk must then be multiples of 32.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential):
            units = _fused(list(module), dtype)
            del module[:]
            module.extend(units)
        elif not isinstance(module, FusedConv2d):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.Conv2d) and name != 'classifier':
                    setattr(module, name, FusedConv2d(child, dtype))


def _fused(units: list[nn.Module], dtype: torch.dtype) -> list[nn.Module]:
    """Return the consecutive modules of a Sequential with fused convolutions."""
    out: list[nn.Module] = []
    while units:
        unit = units.pop(0)
        if isinstance(unit, nn.Conv2d):
            norm = None
            if units and isinstance(units[0], nn.BatchNorm2d):
                norm = units[0]
                del units[0]
            activation = units.pop(0) if units and type(units[0]) in _ACTIVATIONS else None
            unit = FusedConv2d(unit, dtype, norm=norm, activation=activation)
        out.append(unit)
    return out
