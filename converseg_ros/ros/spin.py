"""Running a node until it is told to end, whatever its callbacks do."""

from collections.abc import Callable
import signal
from threading import Event, Thread
import time

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from converseg_ros.core.memory import keep_freed_memory


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
