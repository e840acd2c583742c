"""Run a command of this package in a separate process, with progress events and cancellation."""

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
    """`python -m converseg_ros ARGUMENTS` in its own process group; cancelled by SIGINT, then SIGKILL.

    result: of the last event. last: the last line that is not an event; it describes the error if the job failed.
    """

    GRACE = 10.0  # seconds between SIGINT and SIGKILL

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
        """Read the output of the job until it ends; return its exit status."""
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
        """Cancel the job: send SIGINT, and SIGKILL after GRACE; committed work remains and can be resumed."""
        if self._process.poll() is None and not self.cancelled:
            self.cancelled = True
            self._signal(signal.SIGINT)
            timer = threading.Timer(self.GRACE, self._signal, (signal.SIGKILL,))
            timer.daemon = True
            timer.start()

    def kill(self) -> None:
        """Kill the process group of the job immediately."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
