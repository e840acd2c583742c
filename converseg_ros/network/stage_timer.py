"""Time of stages: by the clock on a CPU, by events on a GPU, which runs asynchronously."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import torch

from converseg_ros.core.stages import Stage


class StageTimer:
    """Milliseconds by stage; on a GPU they are known after synchronization."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._gpu = device, device.type == 'cuda'
        self._known: dict[str, float] = {}
        self._events: list[tuple[str, Any, Any]] = []

    @contextmanager
    def stage(self, name: Stage) -> Iterator[None]:
        """Measure the body on the device's current stream; repeated names are summed."""
        if self._gpu:
            start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            start.record(torch.cuda.current_stream(self._device))
            yield
            end.record(torch.cuda.current_stream(self._device))
            self._events.append((name, start, end))
        else:
            begin = perf_counter()
            yield
            self._add(name, (perf_counter() - begin) * 1e3)

    def milliseconds(self) -> dict[str, float]:
        """Return milliseconds by stage, in order; waits for the events."""
        for name, start, end in self._events:
            end.synchronize()
            self._add(name, start.elapsed_time(end))
        self._events.clear()
        return dict(self._known)

    def _add(self, name: str, value: float) -> None:
        self._known[name] = round(self._known.get(name, 0.0) + value, 3)
