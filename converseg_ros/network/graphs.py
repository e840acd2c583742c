"""CUDA graphs: record a function once for each shape, then replay it with one launch instead of thousands.

On a CPU, and if graphs are disabled, the function is called directly. Shapes that vary with the instructions are padded
to buckets, so that a stream of instructions has no new shapes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

BUCKETS = (16, 32, 64, 128, 256, 512, 1024)  # language tokens after the prefix
COUNTS = (1, 2, 4, 8)  # instructions that are decoded at once


@lru_cache(maxsize=64)
def constant(values: tuple[float, ...], device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return numbers as a tensor that stays on the device until a network is closed, so that they are uploaded once.

    Recorded functions must not use it: a graph does not keep the memory that it reads.
    """
    return torch.tensor(values, device=device, dtype=dtype)


def bucket(value: int, steps: tuple[int, ...]) -> int:
    """Return the smallest step that is at least `value`; beyond the last step, the next multiple of it."""
    return next((s for s in steps if s >= value), -(-value // steps[-1]) * steps[-1])


class Graphs:
    """Recorded functions by key; the least recently used are dropped beyond `limit`, with their memory.

    device: of the tensors; it need not be the current device of the thread.
    """

    def __init__(self, enabled: bool, device: torch.device | None = None, limit: int = 24) -> None:
        self.enabled, self.limit = enabled, limit
        self.device = device or torch.device('cuda')
        self.recorded: OrderedDict[Hashable, tuple[Any, list[Tensor], Any]] = OrderedDict()
        self.captures = 0

    def run(self, function: Callable[..., Any], key: Hashable, *tensors: Tensor) -> Any:
        """Return function(*tensors); `key` and the shapes of the tensors select the recording.

        The results are copies, so that a later replay does not change them. No gradients.
        """
        if not self.enabled or torch.is_grad_enabled():
            return function(*tensors)
        key = (key, tuple((t.shape, t.dtype) for t in tensors))
        with torch.cuda.device(self.device):
            if key not in self.recorded:
                self._record(function, key, tensors)
            self.recorded.move_to_end(key)
            graph, inputs, outputs = self.recorded[key]
            for mine, theirs in zip(inputs, tensors):
                mine.copy_(theirs, non_blocking=True)
            graph.replay()
            return _copy(outputs)

    def clear(self) -> None:
        """Drop all recordings."""
        self.recorded.clear()

    def _record(self, function: Callable[..., Any], key: Hashable, tensors: tuple[Tensor, ...]) -> None:
        """Warm up on a side stream, as CUDA graphs require, then record."""
        while len(self.recorded) >= self.limit:
            self.recorded.popitem(last=False)
        inputs = [t.clone() for t in tensors]
        current, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(current)
        with torch.cuda.stream(side):
            for _ in range(2):
                function(*inputs)
        current.wait_stream(side)
        torch.cuda.synchronize(self.device)  # no other work may run on the device during recording
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode='thread_local'):  # other threads may call CUDA in the meantime
            outputs = function(*inputs)
        self.recorded[key] = (graph, inputs, outputs)
        self.captures += 1


def _copy(outputs: Any) -> Any:
    """Copy a tensor, or the tensors of a (named) tuple."""
    if isinstance(outputs, Tensor):
        return outputs.clone()
    if isinstance(outputs, tuple):
        copied = [_copy(o) for o in outputs]
        return type(outputs)(*copied) if hasattr(outputs, '_fields') else tuple(copied)
    return outputs
