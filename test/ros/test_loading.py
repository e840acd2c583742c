"""A node on a GPU that cannot be used loads its network on the CPU, if it may."""

from typing import Any

import pytest

from converseg_ros.core import InputError

pytest.importorskip('rclpy')

from converseg_ros.ros.segmenter.loading import load_where_possible


def load_with(error: Exception) -> Any:
    """Return a function that loads a network on the CPU only."""

    def load(device: str) -> Any:
        if device == 'cpu':
            return 'network'
        raise error

    return load


@pytest.mark.parametrize('words', ['CUDA out of memory. Tried to allocate 2 GiB', 'CUDA error: device is busy'])
def test_a_full_or_busy_gpu_is_replaced_by_the_cpu_and_the_reason_is_logged(words: str) -> None:
    log: list[str] = []
    assert load_where_possible(load_with(RuntimeError(words)), 'auto', True, log.append) == 'network'
    assert words in log[0]
    with pytest.raises(RuntimeError, match='CUDA'):
        load_where_possible(load_with(RuntimeError(words)), 'cuda', False, log.append)


@pytest.mark.parametrize(
    'error', [InputError('there is no CUDA GPU', where='device'), RuntimeError('a tensor is wrong')]
)
def test_other_errors_are_reported(error: Exception) -> None:
    with pytest.raises(type(error)):
        load_where_possible(load_with(error), 'cuda', True, print)
