"""Running a node until it is told to end, whatever its callbacks do."""

from collections.abc import Callable
import contextlib
import ctypes
import os
from pathlib import Path
import signal
import socket
import sys
from threading import Event, Thread
import time
from types import FrameType

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from converseg_ros.core import ConversegError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
MB = 1 << 20
SIGNALS = (signal.SIGINT, signal.SIGTERM)


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


class Stopper:
    """Ends the process when SIGINT or SIGTERM comes, whatever it is doing at that moment.

    Python runs a signal's handler between two bytecodes of the main thread, so never while rcl waits for messages. The
    C handler, however, writes the signal's number to a descriptor at once (signal.set_wakeup_fd): a thread that reads
    it wakes the executor, and ends the process hard if it still lives `GRACE` seconds later, for instance because a
    network is being loaded in C++. The handler raises KeyboardInterrupt in the main thread unless the node is being
    closed.
    """

    GRACE = 1.5  # seconds from the signal to the hard end; `ros2 launch` waits 5 s before it sends the next signal

    def __init__(self) -> None:
        self.requested = Event()
        self.closing = False
        self.wake: Callable[[], object] = lambda: None
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._handle)
        Thread(target=self._watch, name='stop', daemon=True).start()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested.set()
        if not self.closing:
            self.closing = True  # a second signal does not disturb the closing
            raise KeyboardInterrupt

    def _watch(self) -> None:
        while True:
            if set(self._reader.recv(16)) & set(SIGNALS):
                break
        self.requested.set()
        Thread(target=self._keep_waking, name='wake', daemon=True).start()  # may block on a lock of the executor's
        time.sleep(self.GRACE)
        kill_children()
        os._exit(0)

    def _keep_waking(self) -> None:
        while True:
            with contextlib.suppress(Exception):  # the executor may not exist yet, or no longer
                self.wake()
            time.sleep(0.1)


def kill_children() -> None:
    """Kill the processes that this one started, with their process groups: nothing is left behind."""
    own = os.getpgid(0)
    for path in Path('/proc/self/task').glob('*/children'):
        try:
            pids = [int(pid) for pid in path.read_text().split()]
        except OSError:
            continue  # a thread that has ended meanwhile
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                group = os.getpgid(pid)
                os.kill(pid, signal.SIGKILL) if group == own else os.killpg(group, signal.SIGKILL)


def run(make: Callable[[], Node], close: Callable[[Node], None], args: list[str] | None = None) -> int:
    """Make a node, spin it until SIGINT, SIGTERM or a shutdown of the context, close it; return the exit status.

    The process ends within `Stopper.GRACE` seconds of a signal in every state, also while the node is being made, with
    status 0. An exception in a callback is logged and the node lives on. One thread runs all callbacks: rclpy's
    multi-threaded executor costs three times as much for each message, and no callback here blocks.
    """
    keep_freed_memory()
    stopper = Stopper()
    status = 0
    node: Node | None = None
    executor: SingleThreadedExecutor | None = None
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = make()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        stopper.wake = executor.wake
        while rclpy.ok() and not stopper.requested.is_set():
            try:
                executor.spin_once()
            except ExternalShutdownException:
                break
            except Exception as error:
                node.get_logger().error(f'a callback failed: {type(error).__name__}: {error}')
                time.sleep(0.01)
    except KeyboardInterrupt:
        pass  # the handler's
    except ConversegError as error:
        print(f'error: {error}', file=sys.stderr, flush=True)
        status = 1
    finally:
        stopper.closing = True
        if node is not None:
            close(node)
        if executor is not None:
            executor.shutdown()
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
        kill_children()
    if stopper.requested.is_set():
        # Everything is closed. What the interpreter does at its end (collecting all of torch's objects) takes seconds,
        # during which no other thread could end the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return status
