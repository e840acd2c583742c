"""The number format of a network: parameters and buffers of another floating-point type, and automatic casts."""

import torch
from torch import nn

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


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """Return a context in which torch computes with `dtype` where that is accurate enough; float32 changes nothing."""
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)
