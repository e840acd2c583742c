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


LOST = """
import os, signal, sys, time

from converseg_ros.ros import run_node


class Loud:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)  # the handler runs here, and Python ignores what it raises


def make():
    Loud()
    time.sleep(60)


sys.exit(run_node.run(make, lambda node: None))
"""


def test_a_signal_whose_exception_python_ignores_ends_the_node_without_a_traceback() -> None:
    done = subprocess.run([sys.executable, '-c', LOST], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and 'Traceback' not in done.stderr, done.stderr
