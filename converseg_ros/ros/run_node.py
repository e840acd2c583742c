"""Running a node until it is told to end, whatever its callbacks do."""

from collections.abc import Callable
import ctypes
import signal
from threading import Event, Thread
import time

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
MB = 1 << 20


def keep_freed_memory() -> None:
    """Let malloc keep what is freed (glibc, mallopt(3)), up to 1 GB.

    A camera's images and a network's activations are of the same sizes again and again; by default they are given back
    to the kernel and taken anew each time, and zeroing their pages costs several times what is computed in them.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 32 * MB)
        mallopt(M_TRIM_THRESHOLD, 1024 * MB)
        mallopt(M_TOP_PAD, 256 * MB)  # else the 64 MB heaps of threads are given back whenever one is empty


def run(make: Callable[[], Node], close: Callable[[Node], None], args: list[str] | None = None) -> int:
    """Make a node, spin it until SIGINT, SIGTERM or a shutdown of the context, close it; return the exit status.

    An exception in a callback is logged and the node lives on. One thread runs all callbacks: rclpy's multi-threaded
    executor costs three times as much for each message, and no callback here blocks.
    """
    keep_freed_memory()
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    node = make()
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def wake() -> None:
        ended.wait()
        executor.wake()

    Thread(target=wake, name='wake', daemon=True).start()
    try:
        while rclpy.ok() and not ended.is_set():
            try:
                executor.spin_once()
            except ExternalShutdownException:
                break
            except Exception as error:
                node.get_logger().error(f'a callback failed: {type(error).__name__}: {error}')
                time.sleep(0.01)
    finally:
        close(node)
        executor.shutdown()
        node.destroy_node()
        rclpy.try_shutdown()
    return 0
