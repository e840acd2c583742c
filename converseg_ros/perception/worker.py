"""Worker threads: one for requests and the newest frame, and one that calls a function at a fixed rate."""

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
import time
from typing import Generic, TypeVar

T = TypeVar('T')


class LatestItemWorker(Generic[T]):
    """Calls `handle(item)` in a separate thread for the newest offered item; a pending older item is replaced.

    `failed` is called with every exception of `handle` or of a job; the thread continues. `cpu_seconds` is the CPU time
    of the thread.
    """

    def __init__(self, name: str, handle: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Start the thread."""
        self._handle, self._failed = handle, failed
        self._condition = Condition()
        self._newest: T | None = None
        self._jobs: deque[Callable[[], None]] = deque()
        self._running, self._closing = False, False
        self.replaced = 0
        self.done = 0
        self.busy_since = 0.0  # monotonic; 0 while idle
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Return whether nothing is running or pending."""
        with self._condition:
            return not self._running and self._newest is None and not self._jobs

    def offer(self, item: T) -> bool:
        """Set the next item; return whether it replaced a pending item."""
        with self._condition:
            replaced = self._newest is not None
            self.replaced += replaced
            self._newest = item
            self._condition.notify()
            return replaced

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` before the next item; jobs run in order."""
        with self._condition:
            self._jobs.append(job)
            self._condition.notify()

    def forget(self) -> None:
        """Drop the pending item."""
        with self._condition:
            self._newest = None

    def _run(self) -> None:
        while True:
            with self._condition:
                self._running, self.busy_since = False, 0.0
                self._condition.notify_all()
                while not self._closing and self._newest is None and not self._jobs:
                    self._condition.wait()
                if self._closing:
                    return
                self._running, self.busy_since = True, time.monotonic()
                job = self._jobs.popleft() if self._jobs else None
                item = None
                if job is None:
                    item, self._newest = self._newest, None
            try:
                if job is not None:
                    job()
                elif item is not None:
                    self._handle(item)
                    self.done += 1
            except Exception as error:
                self._failed(error)

    def close(self, timeout: float = 30.0) -> bool:
        """Finish the current item, drop the rest and end the thread; return whether it ended in time."""
        with self._condition:
            self._closing, self._newest = True, None
            self._jobs.clear()
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()


class Ticker:
    """Calls `call()` every `period` seconds in a separate thread, first after one period.

    `failed` is called with every exception of `call`; the thread continues.
    """

    def __init__(self, name: str, period: float, call: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        """Start the thread."""
        self._call, self._failed = call, failed
        self._condition = Condition()
        self._period, self._last = period, time.monotonic()
        self._closing = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def every(self, period: float) -> None:
        """Change the period immediately."""
        with self._condition:
            self._period = period
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._closing and (left := self._last + self._period - time.monotonic()) > 0:
                    self._condition.wait(left)
                if self._closing:
                    return
                self._last = time.monotonic()
            try:
                self._call()
            except Exception as error:
                self._failed(error)

    def close(self, timeout: float = 10.0) -> bool:
        """End the thread; return whether it ended in time."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()
