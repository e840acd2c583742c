"""The number format of a network: parameters and buffers of another floating-point type, and automatic casts."""

import torch
from torch import nn

from converseg_ros.network.options import Precision

KEEP_FLOAT32 = ('gaussian', 'inv_freq', 'original_inv_freq')  # buffers whose rounding would change large angles


def set_precision(network: nn.Module, dtype: torch.dtype) -> None:
    """Cast parameters and buffers to `dtype`, except the buffers of angles."""
    for module in network.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.is_floating_point() and parameter.dtype != dtype:
                setattr(module, name, nn.Parameter(parameter.detach().to(dtype), parameter.requires_grad))
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_floating_point():
                module._buffers[name] = buffer.to(torch.float32 if name in KEEP_FLOAT32 else dtype)


def has_bfloat16() -> bool:
    """Return whether oneDNN has bfloat16 for this CPU; without it, bfloat16 takes several times as long as float32."""
    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def low_precision() -> torch.dtype:
    """Return bfloat16 if this CPU has it, else float32: the precision of frozen layers while others are trained."""
    return torch.bfloat16 if has_bfloat16() else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Return a context in which torch computes with `dtype` where that is accurate enough; float32 changes nothing.

    Weights that were cast are not cached: each is used once, and a CUDA graph that is recorded in the context would
    read the cached ones after they were freed.
    """
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32, cache_enabled=False)


def precision_on(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the precision on a device; auto is bfloat16 on a GPU with instructions for it, and float32 elsewhere.

    GPUs before Ampere (compute capability 8.0) only emulate bfloat16.
    """
    if precision == 'auto':
        fast = device.type == 'cuda' and torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if precision == 'bf16' else torch.float32
