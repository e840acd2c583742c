"""One command of this package in a process of its own: progress while it runs, cancel, and what came of it."""

from collections.abc import Callable
import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from converseg_ros.core.progress import Progress


class Job:
    """`python -m converseg_ros ARGUMENTS`, in a process group of its own, ended by SIGINT and at last by SIGKILL.

    result: of its last event. last: the last line that is no event, which says what went wrong where something did.
    """

    GRACE = 10.0  # seconds from being asked to end to being killed

    def __init__(self, arguments: list[str], on_progress: Callable[[Progress], None]) -> None:
        self.arguments = arguments
        self.cancelled = False
        self.result: dict[str, Any] = {}
        self.last = ''
        self._on_progress = on_progress
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'converseg_ros', *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            start_new_session=True,
            env=os.environ | {'PYTHONUNBUFFERED': '1'},
        )

    def wait(self) -> int:
        """Read the job's lines until it ends; return its exit status."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip():
                event = Progress.from_line(line)
                if event is None:
                    self.last = line.strip()
                    event = Progress(self.last)
                elif event.result is not None:
                    self.result = event.result
                self._on_progress(event)
        return self._process.wait()

    def cancel(self) -> None:
        """Ask the job to end, and make sure of it; what it has committed stays and is gone on from."""
        if self._process.poll() is None and not self.cancelled:
            self.cancelled = True
            self._signal(signal.SIGINT)
            timer = threading.Timer(self.GRACE, self._signal, (signal.SIGKILL,))
            timer.daemon = True
            timer.start()

    def kill(self) -> None:
        """End the job and what it started at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
