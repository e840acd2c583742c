"""The speed of this machine during a measurement; shared cores can lose half of their speed."""

from statistics import median
from threading import Event, Thread
import time

ADDITIONS = 10_000  # a third of a millisecond
BEST_OF_S, EVERY_S = 0.5, 0.05


def _loop_s() -> float:
    """Return the CPU time of a fixed loop in this thread."""
    begin = time.thread_time()
    total = 0
    for n in range(ADDITIONS):
        total += n
    return time.thread_time() - begin


class Pace:
    """Time a fixed loop twenty times a second in a separate thread while the context is open.

    Only CPU time of the loop is counted, so that waiting for a core or for the interpreter lock has no effect.
    """

    def __init__(self) -> None:
        """Measure the best time of the loop over half a second."""
        end = time.monotonic() + BEST_OF_S
        self._best = _loop_s()
        while time.monotonic() < end:
            self._best = min(self._best, _loop_s())
        self._times: list[float] = []
        self._ended = Event()
        self._thread = Thread(target=self._run, name='pace', daemon=True)

    def __enter__(self) -> 'Pace':
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            self._times.append(_loop_s())

    @property
    def speed(self) -> float:
        """Return the median speed of the machine as a share of its best."""
        times = self._times or [self._best]
        return min(self._best, *times) / median(times)
