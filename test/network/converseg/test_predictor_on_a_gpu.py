"""ConverSegNet on a simulated GPU: graphs, streams, memory, and errors of CUDA."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from simulated_gpu import SimulatedGpu, counted

from converseg_ros.network import load
from converseg_ros.network.options import DeviceMemoryError

TEXTS = ['a cup', 'the hot plate on the left', 'a knife']


def test_graphs_and_streams_give_the_answers_of_the_cpu_and_memory_comes_back(micro: Any, picture: Any) -> None:
    gpu = SimulatedGpu(1)  # the current device is another one
    with gpu:
        predictor = load('micro', device='cuda:1', precision='fp32')
        predictor.set_image(picture(2))
        predictor.predict(TEXTS)
        captures = predictor.graphs.captures
        for seed in (0, 1, 0):
            micro.set_image(picture(seed))
            with counted(gpu) as counts:
                predictor.set_image(picture(seed))
                answers = predictor.predict(TEXTS)
            assert counts['operations'] < 200, 'the recorded ones are replayed'
            for a, b in zip(micro.predict(TEXTS), answers, strict=True):
                assert (a.mask != b.mask).mean() < 1e-3
                np.testing.assert_allclose(a.object_score, b.object_score, atol=1e-4)
        assert predictor.graphs.captures == captures > 0
        predictor.close()
    assert not gpu.allocated


def test_an_image_of_a_full_or_lost_gpu_is_an_error_and_closing_is_not(picture: Any) -> None:
    gpu = SimulatedGpu()
    with gpu:
        predictor = load('micro', device='cuda', graphs=False)
        assert predictor.dtype == torch.bfloat16
        predictor.set_image(picture(0))
        gpu.fail(torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB'), after=100)
        with pytest.raises(DeviceMemoryError, match='out of memory'):
            predictor.predict(TEXTS)
        predictor.set_image(picture(0))
        gpu.fail(RuntimeError('CUDA error: unspecified launch failure'), after=100)
        for _ in range(2):
            with pytest.raises(RuntimeError, match='CUDA error'):
                predictor.predict(TEXTS)
        predictor.close()
    assert not gpu.allocated
