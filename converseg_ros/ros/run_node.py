"""Run a node until a signal ends it."""

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
    """Let malloc keep freed memory (glibc, mallopt(3)), up to 1 GB.

    The images of a camera and the activations of a network have the same sizes again and again. By default this memory
    is returned to the kernel and allocated again each time, and zeroing its pages costs several times the computation.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 32 * MB)
        mallopt(M_TRIM_THRESHOLD, 1024 * MB)
        mallopt(M_TOP_PAD, 256 * MB)  # otherwise the 64 MB heaps of threads are released whenever one is empty


class SignalHandler:
    """Ends the process on SIGINT or SIGTERM in every state.

    Python runs signal handlers between two bytecodes of the main thread, therefore not while rcl waits for messages.
    The C handler, however, writes the number of the signal to a file descriptor immediately (signal.set_wakeup_fd): a
    thread that reads it wakes the executor, and ends the process if it is still running `GRACE` seconds later, for
    example while a network is being loaded in C++. The handler raises KeyboardInterrupt in the main thread unless the
    node is being closed. In a callback whose exceptions Python ignores, such as those of imports, it is lost, and the
    thread ends the process; the exception is then not reported.
    """

    GRACE = 1.5  # seconds from the signal to the forced end; `ros2 launch` waits 5 s before it sends the next signal

    def __init__(self) -> None:
        self.requested = Event()
        self.closing = False
        self.wake: Callable[[], object] = lambda: None
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        sys.unraisablehook = self._unraisable
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, self._handle)
        Thread(target=self._watch, name='stop', daemon=True).start()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested.set()
        if not self.closing:
            self.closing = True  # a second signal does not interrupt closing
            raise KeyboardInterrupt

    def _unraisable(self, ignored: 'sys.UnraisableHookArgs') -> None:
        if not (self.requested.is_set() and ignored.exc_type is KeyboardInterrupt):
            sys.__unraisablehook__(ignored)

    def _watch(self) -> None:
        while True:
            if set(self._reader.recv(16)) & set(SIGNALS):
                break
        self.requested.set()
        Thread(target=self._keep_waking, name='wake', daemon=True).start()  # may block on a lock of the executor
        time.sleep(self.GRACE)
        kill_children()
        os._exit(0)

    def _keep_waking(self) -> None:
        while True:
            with contextlib.suppress(Exception):  # the executor may not exist
                self.wake()
            time.sleep(0.1)


def kill_children() -> None:
    """Kill the child processes of this process with their process groups."""
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
    """Create a node, spin it until SIGINT, SIGTERM or shutdown of the context, and close it; return the exit status.

    The process ends with status 0 within `SignalHandler.GRACE` seconds of a signal in every state, also while the node
    is being created. An exception in a callback is logged and the node continues. One thread runs all callbacks:
    rclpy's multi-threaded executor costs three times as much per message, and no callback of this package blocks.
    """
    keep_freed_memory()
    stopper = SignalHandler()
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
        pass  # of the signal handler
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
        # Everything is closed. The exit of the interpreter (collecting all objects of torch) takes seconds, during
        # which no other thread could end the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    return status
