"""One command of this package in a process of its own: progress while it runs, cancel, and what came of it."""

from collections.abc import Callable
import contextlib
from dataclasses import dataclass, field
import json
import os
import re
import signal
import subprocess
import sys
import threading
from typing import Any

_FRACTION = re.compile(r'(\d+)\s*(?:/|of)\s*(\d+)')
_VALUE = {
    'loss': re.compile(r'\bloss[ =:]+([0-9.]+(?:e-?\d+)?)', re.IGNORECASE),
    'giou': re.compile(r'\bg_?iou[ =:]+([0-9.]+)', re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of a job, understood as far as it can be."""

    message: str
    stage: str = ''
    done: int = 0
    total: int = 0
    values: dict[str, float] = field(default_factory=dict)
    result: dict[str, Any] | None = None


def read_progress(line: str) -> Progress:
    """Understand a line: JSON with stage, done, total, message or result; or text with `n/m`, loss and gIoU."""
    text = line.strip()
    if text.startswith('{'):
        try:
            row = json.loads(text)
            if isinstance(row.get('result'), dict):
                return Progress('', 'done', result=row['result'])
            numbers = int(row.get('done', 0)), int(row.get('total', 0))
            return Progress(str(row.get('message', '')), str(row.get('stage', '')), *numbers)
        except (ValueError, TypeError, AttributeError):
            pass
    found = _FRACTION.search(text)
    done, total = (int(found[1]), int(found[2])) if found else (0, 0)
    values = {name: float(hit[1]) for name, rule in _VALUE.items() if (hit := rule.search(text))}
    return Progress(text, '', done, total, values)


class Job:
    """`python -m converseg_ros ARGUMENTS`, in a process group of its own, ended by SIGINT and at last by SIGKILL."""

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
                self.last = line.strip()
                progress = read_progress(line)
                if progress.result is not None:
                    self.result = progress.result
                self._on_progress(progress)
        return self._process.wait()

    def cancel(self) -> None:
        """Ask the job to end, and make sure of it; what it has committed stays and is gone on from."""
        if self._process.poll() is None and not self.cancelled:
            self.cancelled = True
            self._signal(signal.SIGINT)
            timer = threading.Timer(self.GRACE, self._signal, (signal.SIGKILL,))
            timer.daemon = True
            timer.start()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
