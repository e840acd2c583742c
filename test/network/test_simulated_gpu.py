"""What the networks need of a GPU, on a simulated one: devices, precision, timers, graphs, errors."""

import gc
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from simulated_gpu import SimulatedGpu
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from converseg_ros.core import InputError
from converseg_ros.core.stages import Stage
from converseg_ros.network.graphs import Graphs
from converseg_ros.network.options import device_of
from converseg_ros.network.precision import autocast, precision_on
from converseg_ros.network.stage_timer import StageTimer


def test_faults_of_code_for_a_gpu_are_found() -> None:
    """Tensors of two devices in one operation, and arrays of numpy from a tensor of the GPU."""
    with SimulatedGpu() as gpu:
        x = torch.arange(6, device='cuda').reshape(2, 3).float()
        assert x.device == gpu.device and (x + 1).device == gpu.device
        assert (x * torch.tensor(2.0)).cpu().tolist() == [[0, 2, 4], [6, 8, 10]]  # a number of the CPU is allowed
        for wrong in (lambda: x + torch.ones(3), lambda: nn.Linear(3, 2)(x), lambda: torch.cat([x, torch.ones(2, 3)])):
            with pytest.raises(RuntimeError, match='same device'):
                wrong()
        for read in (x.numpy, lambda: np.asarray(x)):
            with pytest.raises(TypeError, match='numpy'):
                read()
        assert x.cpu().numpy().sum() == 15


def test_memory_is_counted_once_for_views_and_freed_with_the_last_of_them() -> None:
    with SimulatedGpu() as gpu:
        x = torch.zeros(1000, device='cuda')
        part = x[:10]
        assert gpu.allocated == 4000
        del x
        assert gpu.allocated == 4000
        del part
        gc.collect()
        assert gpu.allocated == 0 and gpu.peak >= 4000


def test_autocast_has_the_rules_of_cuda() -> None:
    """On a GPU a softmax of bfloat16 is float32, on a CPU it is not."""
    with SimulatedGpu(), torch.inference_mode():
        x, layer = torch.rand(2, 3, device='cuda'), nn.Linear(3, 2).to('cuda')
        with autocast(x.device, torch.bfloat16):
            y = layer(x)
            assert y.dtype == torch.bfloat16 and y.softmax(1).dtype == torch.float32


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match='no device'):
        device_of('gpu')
    with SimulatedGpu(1):
        assert device_of('cuda:1') == torch.device('cuda:1') and device_of(None).type == 'cuda'
        with pytest.raises(InputError, match='cuda:2'):
            device_of('cuda:2')


@pytest.mark.parametrize(('capability', 'expected'), [((7, 5), torch.float32), ((8, 0), torch.bfloat16)])
def test_auto_is_bfloat16_where_the_gpu_has_it(capability: tuple[int, int], expected: torch.dtype) -> None:
    with SimulatedGpu(capability=capability) as gpu:
        assert precision_on('auto', gpu.device) == expected
        assert precision_on('bf16', gpu.device) == torch.bfloat16
        assert precision_on('fp32', gpu.device) == torch.float32
    assert precision_on('auto', torch.device('cpu')) == torch.float32


@pytest.mark.parametrize('index', [0, 1])
def test_graphs_and_timers_use_the_device_of_the_network(index: int) -> None:
    """A thread that did not choose a device has cuda:0 as its current one."""
    with SimulatedGpu(index) as gpu, torch.inference_mode():
        layer = nn.Linear(3, 2).to(gpu.device)
        graphs = Graphs(True, gpu.device)
        timer = StageTimer(gpu.device)
        with timer.stage(Stage.IMAGE):
            for seed in (0, 1, 0):
                x = torch.rand(4, 3, generator=torch.Generator().manual_seed(seed)).to(gpu.device)
                found = graphs.run(layer, 'layer', x)
                torch.testing.assert_close(found.cpu(), layer(x).cpu())
        assert graphs.captures == 1 and timer.milliseconds()[Stage.IMAGE] > 0
        assert torch.cuda.current_device() == 0


@pytest.mark.parametrize(
    'function', [lambda x: x + torch.ones(3).to(x.device), lambda x: x * float(x.sum()), lambda x: x[x.cpu() > 0]]
)
def test_a_recorded_function_may_neither_upload_nor_wait(function: Any) -> None:
    with SimulatedGpu() as gpu, torch.inference_mode(), pytest.raises(RuntimeError, match='capturing'):
        Graphs(True, gpu.device).run(function, 'key', torch.ones(3, device='cuda'))


def test_a_graph_that_reads_freed_memory_is_found() -> None:
    with SimulatedGpu() as gpu, torch.inference_mode():
        kept = [torch.ones(3, device='cuda')]
        graphs, x = Graphs(True, gpu.device), torch.ones(3, device='cuda')
        assert graphs.run(lambda x: x + kept[0], 'key', x).tolist() == [2, 2, 2]
        kept.clear()
        with pytest.raises(AssertionError, match='freed'):
            graphs.run(lambda x: x + kept[0], 'key', x)


class Casts(TorchDispatchMode):
    """Count conversions to another type."""

    count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        self.count += str(function).startswith(('aten._to_copy', 'aten.to.')) and out.dtype == torch.bfloat16
        return out


def test_a_recording_casts_its_weights_itself() -> None:
    """Weights that were cast before a recording would be freed at the end of `autocast`; a replay would read them."""
    layer, x = nn.Linear(3, 2), torch.rand(4, 3)
    counts = []
    with torch.inference_mode(), autocast(x.device, torch.bfloat16):
        for _ in range(2):
            with Casts() as casts:
                layer(x)
            counts.append(casts.count)
    assert counts[0] == counts[1] >= 2


def test_an_error_of_cuda_remains_and_full_memory_does_not() -> None:
    with SimulatedGpu() as gpu:
        x = torch.ones(3, device='cuda')
        gpu.fail(torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB'), after=1)
        x = x + 1
        with pytest.raises(torch.cuda.OutOfMemoryError):
            x + 1
        assert (x + 1).tolist() == [3, 3, 3]
        gpu.fail(RuntimeError('CUDA error: an illegal memory access was encountered'))
        for use in (lambda: x + 1, x.cpu, torch.cuda.synchronize, lambda: torch.ones(3).to('cuda')):
            with pytest.raises(RuntimeError, match='illegal'):
                use()
