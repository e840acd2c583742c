"""Times and memory of networks on a device; work on a GPU is finished before the clock is read."""

from collections.abc import Callable
from pathlib import Path
from statistics import median
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def device_name(device: 'torch.device') -> str:
    """Return the name of a GPU, or 'cpu'."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == 'cuda' else 'cpu'


def finish(device: 'torch.device') -> None:
    """Wait until a GPU has done its work."""
    import torch

    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def timed(work: Callable[[], Any], repeat: int, device: 'torch.device') -> list[float]:
    """Return milliseconds of `repeat` runs; each ends when the device has done its work."""
    times = []
    for _ in range(repeat):
        finish(device)
        begin = time.perf_counter()
        work()
        finish(device)
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def summary(values: list[float]) -> dict[str, float]:
    """Return median and 95th percentile."""
    ordered = sorted(values)
    return {
        'median': round(median(ordered), 3),
        'p95': round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 3),
    }


def reset_peak(device: 'torch.device') -> None:
    """Let the peak of a GPU's memory start from now."""
    import torch

    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)


def device_memory(device: 'torch.device') -> dict[str, float]:
    """Return MiB that are in use now and at the peak: of this process on the GPU, or in the memory of the machine.

    On a GPU `now` also counts the context of CUDA and other processes, `peak` only the tensors of this process.
    """
    import torch

    from converseg_ros.evaluation.report import peak_memory_mb

    if device.type == 'cuda':
        free, total = torch.cuda.mem_get_info(device)
        return {'now': round((total - free) / 2**20), 'peak': round(torch.cuda.max_memory_allocated(device) / 2**20)}
    now = int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 2**20
    return {'now': round(now), 'peak': round(peak_memory_mb())}
