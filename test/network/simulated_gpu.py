"""A simulated GPU, so that code for CUDA runs without one, in tests.

Tensors "on the GPU" report the device cuda:N, but compute on the CPU. As on a GPU, an operation fails if it combines
them with tensors of the CPU, numpy cannot read them, and the memory that is in use is known. `torch.autocast('cuda')`
has PyTorch's own rules for CUDA. Errors can be raised in the middle of a computation; as on a GPU, every later
operation then fails too, unless the error is that memory is exhausted. Kernels, asynchronous execution, speed and the
numerical differences of a GPU are not simulated, and there are no gradients.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock
from weakref import WeakValueDictionary

from gpu_tensor import GpuTensor, Memory
from simulated_cuda import Current, Event, Graph, Stream, device_context, graph_context, stream_context
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

COPIES = ('aten.copy_', 'aten._to_copy', 'aten.to', 'aten._has_compatible_shallow_copy_type')  # between devices
READS = ('aten._local_scalar_dense', 'aten.item', 'aten.is_nonzero', 'aten.nonzero')  # these wait for the device
PRODUCTS = tuple(f'aten.{n}' for n in ('convolution', 'conv2d', 'linear', 'matmul', 'addmm', 'mm', 'bmm', 'baddbmm'))
CPU = torch.device('cpu')


class SimulatedGpu(TorchFunctionMode):
    """Context manager: inside it, `torch.cuda` is the simulated GPU for the calling thread.

    device: cuda:N; the current device is cuda:0. operations, uploads, reads: counts since the start; reads wait for the
    device. recording: the graph that is being recorded.
    """

    def __init__(self, index: int = 0, *, capability: tuple[int, int] = (9, 0)) -> None:
        """Create device cuda:`index`. capability: of the hardware; 8.0 and later have bfloat16."""
        super().__init__()
        self.device, self.capability = torch.device('cuda', index), capability
        self.operations = self.uploads = self.reads = 0
        self.current = Current(self.device)
        self.recording: Graph | None = None
        self.peak = 0
        self._blocks: WeakValueDictionary[int, Memory] = WeakValueDictionary()
        self._fault: tuple[int, Exception] | None = None
        self._stack = ExitStack()

    # --- memory and errors --------------------------------------------------------------------------------------------

    @property
    def allocated(self) -> int:
        """Return the bytes that are in use."""
        return sum(block.size for block in self._blocks.values())

    def memory_of(self, elem: torch.Tensor) -> Memory | None:
        """Return the block of a tensor; views share one."""
        storage = elem.untyped_storage()
        if not storage.nbytes():
            return None
        block = self._blocks.get(storage.data_ptr())
        if block is None:
            block = self._blocks[storage.data_ptr()] = Memory(storage.nbytes())
            self.peak = max(self.peak, self.allocated)
        return block

    def fail(self, error: Exception, *, after: int = 0) -> None:
        """Raise an error in the operation after the next `after` ones, and from then on unless memory is exhausted."""
        self._fault = self.operations + after, error

    def repair(self) -> None:
        """Raise no more errors."""
        self._fault = None

    def check(self) -> None:
        """Raise the error that `fail` wants."""
        if self._fault is not None and self.operations >= self._fault[0]:
            error = self._fault[1]
            if isinstance(error, torch.cuda.OutOfMemoryError):
                self._fault = None
            raise type(error)(str(error))  # a new one, because a traceback keeps tensors

    # --- operations ---------------------------------------------------------------------------------------------------

    def run(self, function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run an operation of ATen on tensors of which at least one is on the GPU."""
        self.check()
        self.operations += 1
        name = str(function).rpartition('.')[0]
        if name not in COPIES:
            self._check_devices(name, args, kwargs)
        if name in READS:
            self.waits(name)
        leaves = tree_leaves((args, kwargs))
        if any(isinstance(t, torch.Tensor) and not isinstance(t, GpuTensor) and t.ndim for t in leaves):
            self._uploads(name)
        plain_args, plain = tree_map_only(GpuTensor, lambda t: t.elem, (args, kwargs))
        target = plain.get('device')
        if target is not None:
            plain = plain | {'device': CPU}
        out = _computed(name, function, plain_args, plain)
        if name in COPIES and target is not None and torch.device(target).type == 'cpu':
            self.waits(name)
            return out
        found = tree_map_only(torch.Tensor, lambda t: GpuTensor(t, self), out)
        if self.recording is not None:
            self.recording.add(function, args, plain_args, plain, out, found)
        return found

    def _check_devices(self, name: str, args: Any, kwargs: Any) -> None:
        """Raise the error of PyTorch for tensors of different devices; numbers without dimensions are allowed."""
        if name in ('aten.index', 'aten.index_put', 'aten.index_put_'):
            args = (args[0], *args[2:])  # indices may be on the CPU
        for t in tree_leaves((args, kwargs)):
            if isinstance(t, torch.Tensor) and not isinstance(t, GpuTensor) and t.ndim:
                raise RuntimeError(
                    f'Expected all tensors to be on the same device, but found at least two devices, {self.device} '
                    f'and cpu! ({name}, shape {tuple(t.shape)})'
                )

    def waits(self, name: str) -> None:
        """Count an operation that waits for the device."""
        if self.recording is not None:
            raise RuntimeError(f'CUDA error: operation not permitted when stream is capturing ({name})')
        self.reads += 1

    def _uploads(self, name: str) -> None:
        if self.recording is not None:
            raise RuntimeError(f'CUDA error: operation not permitted when stream is capturing ({name})')
        self.uploads += 1

    def allocated_by(self, function: Any, args: Any, kwargs: dict[str, Any], made: torch.Tensor) -> GpuTensor:
        """Return the tensor that a function without tensors made."""
        self.check()
        found = GpuTensor(made, self)
        if self.recording is not None:
            self.recording.add(function, args, args, kwargs, made, found)
        return found

    def upload(self, tensor: torch.Tensor) -> GpuTensor:
        """Return a copy of a tensor of the CPU on the GPU."""
        self.check()
        self._uploads('upload')
        return GpuTensor(tensor.detach().clone(), self)

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run a function of PyTorch's interface; those that would start CUDA are replaced."""
        kwargs = dict(kwargs or {})
        first = args[0] if args else None
        if function is torch.Tensor.to:
            return self.to(first, args[1:], kwargs)
        if function is torch.Tensor.pin_memory:
            return first
        target = kwargs.get('device')
        if isinstance(first, GpuTensor):
            kwargs.pop('device', None)  # ones_like and others: where the tensor is
        elif target is not None and torch.device(target).type == 'cuda':
            made = function(*args, **kwargs | {'device': CPU})  # a factory: torch.tensor, torch.arange, ...
            if function in (torch.tensor, torch.as_tensor):
                return self.upload(made)
            return self.allocated_by(function, args, kwargs | {'device': CPU}, made)
        return function(*args, **kwargs)

    def index(self, key: Any) -> Any:
        """Return an index whose slices have no tensors; PyTorch reads their numbers."""
        if isinstance(key, tuple):
            return tuple(map(self.index, key))
        if not isinstance(key, slice):
            return key
        parts = (key.start, key.stop, key.step)
        self.reads += sum(isinstance(t, GpuTensor) for t in parts)
        return slice(*(t.elem.item() if isinstance(t, GpuTensor) else t for t in parts))

    def to(self, tensor: Any, rest: Any, kwargs: dict[str, Any]) -> Any:
        """Move and convert a tensor: `to(device)`, `to(dtype)`, `to(other)` and their combinations."""
        device, dtype = kwargs.pop('device', None), kwargs.pop('dtype', None)
        for value in rest:
            if isinstance(value, torch.Tensor):
                device, dtype = value.device, value.dtype
            elif isinstance(value, torch.dtype):
                dtype = value
            elif isinstance(value, str | torch.device | int) and not isinstance(value, bool):
                device = value
        where = tensor.device if device is None else torch.device(device)
        layout = {k: v for k, v in kwargs.items() if k in ('memory_format', 'copy')}
        own = isinstance(tensor, GpuTensor)
        if where.type == 'cpu':
            moved = tensor.cpu() if own else tensor
            return torch.Tensor.to(moved, dtype=dtype or tensor.dtype, **layout)
        if where.type != 'cuda':
            return torch.Tensor.to(tensor, where, dtype or tensor.dtype, **layout)
        if where.index not in (None, self.device.index):
            raise RuntimeError('CUDA error: invalid device ordinal')
        if not own:
            tensor = self.upload(tensor)
        if dtype in (None, tensor.dtype) and not layout.get('memory_format'):
            return tensor
        return torch.ops.aten._to_copy.default(  # noqa: SLF001
            tensor, dtype=dtype, memory_format=layout.get('memory_format')
        )

    # --- torch.cuda ---------------------------------------------------------------------------------------------------

    def __enter__(self) -> 'SimulatedGpu':
        """Replace the functions of torch.cuda."""
        replaced: dict[str, Any] = {
            'is_available': lambda: True,
            'device_count': lambda: self.device.index + 1,
            'current_device': lambda: self.current.device.index,
            'get_device_name': lambda device=None: 'simulated',
            'get_device_capability': lambda device=None: self.capability,
            'is_bf16_supported': lambda including_emulation=True: including_emulation or self.capability >= (8, 0),
            'synchronize': lambda device=None: self.check(),
            'empty_cache': lambda: self.check(),
            'memory_allocated': lambda device=None: self.allocated,
            'max_memory_allocated': lambda device=None: self.peak,
            'max_memory_reserved': lambda device=None: self.peak,
            'reset_peak_memory_stats': lambda device=None: setattr(self, 'peak', self.allocated),
            'mem_get_info': lambda device=None: (2**33 - self.allocated, 2**33),
            'Event': _class('Event', lambda **_: Event(self)),
            'Stream': _class('Stream', lambda device=None, **_: Stream(self, device)),
            'current_stream': lambda device=None: self.current.stream(device),
            'stream': lambda stream: stream_context(self, stream),
            'device': lambda device: device_context(self, device),
            'CUDAGraph': _class('CUDAGraph', lambda **_: Graph(self)),
            'graph': lambda graph, **_: graph_context(self, graph),
        }
        for name, value in replaced.items():
            self._stack.enter_context(mock.patch.object(torch.cuda, name, value))
        self._stack.enter_context(
            mock.patch.object(torch.cuda.amp.common, 'amp_definitely_not_available', lambda: False)
        )
        before = torch.__future__.get_overwrite_module_params_on_conversion()
        self._stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, before)
        torch.__future__.set_overwrite_module_params_on_conversion(True)  # `Module.to` makes new parameters
        self._stack.enter_context(_Factories(self))
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Restore torch.cuda."""
        super().__exit__(*error)
        self._stack.close()


def _class(name: str, make: Callable[..., Any]) -> type:
    """Return a class, for annotations, whose instances are made by a function."""
    return type(name, (), {'__new__': lambda cls, *args, **kwargs: make(*args, **kwargs)})


def _computed(name: str, function: Any, args: Any, kwargs: Any) -> Any:
    """Run an operation; products in bfloat16 are summed in float32, as on a GPU, which a CPU may only do slowly."""
    low = name in PRODUCTS and any(getattr(t, 'dtype', None) == torch.bfloat16 for t in tree_leaves(args))
    if not low:
        return function(*args, **kwargs)
    args, kwargs = tree_map_only(torch.Tensor, lambda t: t.float() if t.is_floating_point() else t, (args, kwargs))
    return tree_map_only(torch.Tensor, lambda t: t.bfloat16(), function(*args, **kwargs))


class _Factories(TorchDispatchMode):
    """Make the tensors that PyTorch itself allocates on the GPU."""

    def __init__(self, gpu: SimulatedGpu) -> None:
        super().__init__()
        self.gpu = gpu

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation, or an allocation on the CPU instead of the GPU."""
        kwargs = kwargs or {}
        target = kwargs.get('device')
        own = any(isinstance(t, GpuTensor) for t in tree_leaves((args, kwargs)))
        if own or target is None or torch.device(target).type != 'cuda':
            return function(*args, **kwargs)
        plain = kwargs | {'device': CPU}
        return self.gpu.allocated_by(function, args, plain, function(*args, **plain))


@contextmanager
def counted(gpu: SimulatedGpu) -> Iterator[dict[str, int]]:
    """Yield a dictionary that has the counts of operations, uploads and reads of the body after it."""
    before = gpu.operations, gpu.uploads, gpu.reads
    counts: dict[str, int] = {}
    yield counts
    after = gpu.operations, gpu.uploads, gpu.reads
    counts.update(zip(('operations', 'uploads', 'reads'), (b - a for a, b in zip(before, after))))
