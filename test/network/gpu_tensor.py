"""Tensors of the simulated GPU (simulated_gpu.py)."""

from typing import Any

import torch
from torch.utils._pytree import tree_leaves


class Named:
    """A function with the name of an operation."""

    def __init__(self, name: str, function: Any) -> None:
        self.name, self.function = name, function

    def __str__(self) -> str:
        return f'{self.name}.default'

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


class Memory:
    """A block of memory of the GPU, shared by a tensor and its views."""

    def __init__(self, size: int) -> None:
        self.size = size


class GpuTensor(torch.Tensor):
    """A tensor on the simulated GPU.

    gpu: the SimulatedGpu. elem: its numbers, a tensor on the CPU. memory: None without elements.
    """

    gpu: Any
    elem: torch.Tensor
    memory: Memory | None

    @staticmethod
    def __new__(cls, elem: torch.Tensor, gpu: Any) -> 'GpuTensor':
        """Wrap a tensor."""
        with torch.inference_mode(False):  # a view of a weight is a normal tensor in inference mode too
            made: GpuTensor = torch.Tensor._make_wrapper_subclass(  # noqa: SLF001
                cls,
                elem.size(),
                strides=elem.stride(),
                storage_offset=elem.storage_offset(),
                dtype=elem.dtype,
                layout=elem.layout,
                device=gpu.device,
            )
        made.gpu, made.elem, made.memory = gpu, elem, gpu.memory_of(elem)
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # noqa: SLF001

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation on the numbers."""
        gpu = next(t.gpu for t in tree_leaves((args, kwargs)) if isinstance(t, cls))
        return gpu.run(function, args, kwargs or {})

    def __repr__(self, **_: Any) -> str:
        """Return the shape: printing numbers is an operation too."""
        return f'GpuTensor{tuple(self.shape)}'

    # The methods below would make PyTorch start CUDA before they reach __torch_dispatch__.

    @property
    def data(self) -> 'GpuTensor':
        """Return the tensor without gradients."""
        return GpuTensor(self.elem.detach(), self.gpu)

    @data.setter
    def data(self, other: 'GpuTensor') -> None:
        self.elem, self.memory = other.elem, other.memory
        torch.Tensor.data.__set__(self, other)

    def requires_grad_(self, requires_grad: bool = True) -> 'GpuTensor':
        """Do nothing."""
        return self

    def to(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Move or convert."""
        return self.gpu.to(self, args, kwargs)

    def cpu(self, *_: Any) -> torch.Tensor:
        """Return a copy on the CPU."""
        return self._read('cpu').clone()

    def numpy(self, *_: Any, **__: Any) -> Any:
        """Raise the error of PyTorch."""
        raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() first.")

    __array__ = numpy

    def contiguous(self, **kwargs: Any) -> torch.Tensor:
        """Return a contiguous tensor."""
        out: torch.Tensor = self.gpu.run(torch.ops.aten.contiguous.default, (self,), kwargs)
        return out

    def copy_(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Copy numbers from a tensor on any device."""
        out: torch.Tensor = self.gpu.run(torch.ops.aten.copy_.default, (self, *args), kwargs)
        return out

    def __invert__(self) -> torch.Tensor:
        return self.gpu.run(torch.ops.aten.bitwise_not.default, (self,), {})

    def __getitem__(self, key: Any) -> Any:
        return self.gpu.run(Named('aten.index', torch.Tensor.__getitem__), (self, self.gpu.index(key)), {})

    def __setitem__(self, key: Any, value: Any) -> None:
        set_item = Named('aten.index_put_', torch.Tensor.__setitem__)
        self.gpu.run(set_item, (self, self.gpu.index(key), value), {})

    def _read(self, name: str) -> torch.Tensor:
        self.gpu.check()
        self.gpu.waits(name)
        return self.elem

    def item(self) -> Any:
        """Return the number."""
        return self._read('item').item()

    def tolist(self) -> Any:
        """Return the numbers."""
        return self._read('tolist').tolist()

    def __bool__(self) -> bool:
        return bool(self._read('bool'))

    def __int__(self) -> int:
        return int(self._read('int'))

    def __float__(self) -> float:
        return float(self._read('float'))

    __index__ = __int__
