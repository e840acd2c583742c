"""Streams, events and graphs of the simulated GPU (simulated_gpu.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any
from weakref import ref

import torch
from torch.utils._pytree import tree_leaves


class Current:
    """The current device, and the current stream of each device."""

    def __init__(self, own: torch.device) -> None:
        self.own, self.device = own, torch.device('cuda:0')
        self.streams: dict[int, Any] = {}

    def stream(self, device: Any = None) -> Any:
        """Return the current stream of a device, by default of the current one."""
        where = self.device if device is None else torch.device(device)
        index = where.index if where.index is not None else self.device.index
        return self.streams.setdefault(index, Stream(None, torch.device('cuda', index)))


class Stream:
    """A stream; operations run at once, so that there is nothing to wait for."""

    def __init__(self, gpu: Any, device: Any = None) -> None:
        where = None if device is None else torch.device(device)
        self.device = where if where is not None and where.index is not None else gpu.current.device

    def wait_stream(self, other: 'Stream') -> None:
        """Wait for a stream of the same device."""
        assert self.device == other.device, 'a stream waits for one of another device'

    def wait_event(self, event: 'Event') -> None:
        """Wait for an event of the same device."""
        assert event.at is not None and self.device == event.device, 'an event of another device'


class Event:
    """An event of the current stream, which must be one of the simulated GPU."""

    def __init__(self, gpu: Any) -> None:
        self.gpu, self.at = gpu, None  # type: ignore[assignment]
        self.at: float | None
        self.device: Any = None

    def record(self, stream: Stream | None = None) -> None:
        """Record the time."""
        self.gpu.check()
        self.device = (stream or self.gpu.current.stream()).device
        assert self.device == self.gpu.device, f'an event is recorded on {self.device}, which does no work'
        self.at = perf_counter()

    def synchronize(self) -> None:
        """Wait for the event."""
        self.gpu.check()

    def elapsed_time(self, end: 'Event') -> float:
        """Return milliseconds."""
        assert self.at is not None and end.at is not None
        return (end.at - self.at) * 1e3


@contextmanager
def device_context(gpu: Any, device: Any) -> Iterator[None]:
    """Make a device the current one."""
    before, where = gpu.current.device, torch.device(device)
    gpu.current.device = where if where.index is not None else before
    try:
        yield
    finally:
        gpu.current.device = before


@contextmanager
def stream_context(gpu: Any, stream: Stream | None) -> Iterator[None]:
    """Make a stream the current one, and its device the current device."""
    if stream is None:
        yield
        return
    with device_context(gpu, stream.device):
        before = gpu.current.stream()
        gpu.current.streams[stream.device.index] = stream
        try:
            yield
        finally:
            gpu.current.streams[stream.device.index] = before


@contextmanager
def graph_context(gpu: Any, graph: 'Graph') -> Iterator[None]:
    """Record the operations of the body."""
    assert gpu.current.device == gpu.device, f'{gpu.current.device} records a graph, {gpu.device} does the work'
    gpu.recording = graph
    try:
        yield
    finally:
        gpu.recording = None


class Graph:
    """Recorded operations; a replay reads and writes the same memory, as that of a CUDA graph does.

    Memory that existed before the recording is not kept by it: a replay fails if it was freed.
    """

    def __init__(self, gpu: Any) -> None:
        self.gpu = gpu
        self.steps: list[tuple[Any, Any, Any, list[torch.Tensor]]] = []
        self.inside: dict[int, Any] = {}
        self.outside: dict[int, tuple[str, Any]] = {}

    def add(self, function: Any, args: Any, plain_args: Any, plain: Any, out: Any, found: Any) -> None:
        """Record an operation; plain_args, plain and out: on the CPU."""
        for t in tree_leaves(args):
            memory = getattr(t, 'memory', None)
            if memory is not None and id(memory) not in self.inside:
                self.outside.setdefault(id(memory), (f'{function}, shape {tuple(t.shape)}', ref(memory)))
        for t in tree_leaves(found):
            memory = getattr(t, 'memory', None)
            if memory is not None and id(memory) not in self.outside:
                self.inside[id(memory)] = memory
        outputs = [t for t in tree_leaves(out) if isinstance(t, torch.Tensor)]
        self.steps.append((function, plain_args, plain, outputs))

    def replay(self) -> None:
        """Run the operations again."""
        for where, memory in self.outside.values():
            if memory() is None:
                raise AssertionError(f'the graph reads memory that was freed: {where}')
        for function, args, kwargs, outputs in self.steps:
            self.gpu.check()
            again = [t for t in tree_leaves(function(*args, **kwargs)) if isinstance(t, torch.Tensor)]
            for old, new in zip(outputs, again, strict=True):
                if old.untyped_storage().data_ptr() != new.untyped_storage().data_ptr():
                    old.copy_(new)
