"""A node's process keeps the memory of its images and clouds, and still ends when it is told to."""

import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

FILL = """
import resource
import sys
from threading import Thread

import numpy as np

from converseg_ros.ros import run_node

if sys.argv[1] == 'keep':
    run_node.keep_freed_memory()


def fill() -> None:
    for _ in range(20):
        clouds = [np.ones(9_000_000, np.uint8) for _ in range(12)]
        del clouds


def faults() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = Thread(target=fill)
    thread.start()
    thread.join()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


print(faults())
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='mallopt is of glibc')
def test_pages_of_images_and_clouds_are_taken_from_the_kernel_once() -> None:
    kept, given_back = (
        int(subprocess.run([sys.executable, '-c', FILL, how], capture_output=True, text=True, check=True).stdout)
        for how in ('keep', 'default')
    )
    assert kept < given_back / 4
