"""Evaluate safety at a fixed rate and after each answer, and publish the verdict, independent of the network."""

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
import time
from typing import Any, Protocol

from converseg_ros.core import Frame, Role
from converseg_ros.core.region import Region
from converseg_ros.perception.instructions import InstructionBook
from converseg_ros.perception.safety import SafetyGate, SafetyReport
from converseg_ros.perception.worker import LatestItemWorker, Ticker
from converseg_ros.ros.segmenter.publishers import Outputs
from converseg_ros.ros.settings import Settings


class Guarded(Protocol):
    """The interface of the pipeline for the monitor."""

    active: bool

    def newest(self) -> tuple[Frame | None, list[Region]]:
        """Return the newest answer with its frame; no frame before the first answer and after a reset."""
        ...

    def unanswered(self) -> Frame | None:
        """Return the newest image; called in the worker's thread."""
        ...

    def failed(self, error: Exception) -> None:
        """Log an exception; called in the thread of the watch."""
        ...


class SafetyMonitor:
    """Publishes the safety verdict. A worker of the pipeline evaluates it; the watch thread ensures that it does.

    A timer of the executor instead of the watch thread would need ten times the CPU time. If the evaluation fails or
    takes too long, the monitor publishes that it is not safe.
    """

    def __init__(
        self,
        pipeline: Guarded,
        worker: LatestItemWorker[Any],
        book: InstructionBook,
        outputs: Outputs,
        settings: Settings,
        now_ns: Callable[[], int],
    ) -> None:
        """Start the watch. now_ns: the clock of the stamps."""
        self._pipeline, self._worker, self._book, self._outputs = pipeline, worker, book, outputs
        self._settings, self._now_ns = settings, now_ns
        self.gate = SafetyGate(settings.safety, settings.lift)
        self.report = SafetyReport(False, 'no image yet')
        self._lock = Lock()  # of `_pending`
        self._publishing = Lock()  # one thread at a time publishes a report
        self._judged = time.monotonic()
        self._pending = False
        self._watch = Ticker('watch', 1 / settings['safety_rate'], self._tick, self._blind)

    # --- called in any thread -----------------------------------------------------------------------------------------

    @property
    def guarding(self) -> bool:
        """Return whether a safety instruction is in force."""
        return any(i.role == Role.SAFETY for i in self._book.active())

    def judge_soon(self) -> None:
        """Let the worker evaluate safety, unless that is pending."""
        with self._lock:
            if self._pending:
                return
            self._pending = True
        self._worker.submit(self._judge)

    def interrupted(self) -> None:
        """Accept the next request: an exception may have ended the pending one."""
        self._pending = False

    # --- called in the executor's thread ------------------------------------------------------------------------------

    def apply(self, settings: Settings) -> None:
        """Apply new settings."""
        self._settings = settings
        self.gate = SafetyGate(settings.safety, settings.lift)
        self._watch.every(1 / settings['safety_rate'])

    def close(self) -> bool:
        """End the watch; return whether it ended."""
        return self._watch.close()

    # --- called in the thread of the watch at `safety_rate`, and in the executor's at a reset -------------------------

    def watch(self) -> None:
        """Request an evaluation. If the evaluation hangs, publish that it is not safe."""
        active = self._pipeline.active
        if active and self.guarding:
            self.judge_soon()
            if time.monotonic() - self._judged > max(self._settings['safety.max_age'], 0.5):
                self._unsafe('judging safety takes too long')
            return
        self._judged = time.monotonic()
        reason = 'deactivated' if not active else 'no safety instruction stands, nothing is guarded'
        if self.report.ok or self.report.reason != reason:
            # the last report after guarding contains the whole observed scene
            frame, regions = self._pipeline.newest()
            report = self.gate.assess(frame, regions, self._book.active(), self._now_ns(), active=active)
            with self._publishing:
                self.report = replace(report, ok=False, reason=reason)
                self._outputs.safety(self.report, self._settings.safety.voxel)

    def _tick(self) -> None:
        if self._pipeline.active:
            self.watch()

    def _blind(self, error: Exception) -> None:
        """Publish that it is not safe if the evaluation fails."""
        self._pipeline.failed(error)
        self._unsafe(f'judging safety failed: {type(error).__name__}: {error}')

    def _unsafe(self, reason: str) -> None:
        self.report = SafetyReport(False, reason)
        self._outputs.unsafe()

    # --- called in the worker's thread --------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Evaluate safety and publish the report; before the first answer the whole image is forbidden."""
        with self._lock:
            self._pending = False
        frame, regions = self._pipeline.newest()
        frame = frame or self._pipeline.unanswered()
        active = self._pipeline.active
        report = self.gate.assess(
            frame, regions, self._book.active(), self._now_ns(), active=active, unclear=self._book.unclear
        )
        with self._publishing:  # no report of the active node is published after its last one
            if self._pipeline.active:
                self.report = report
                self._outputs.safety(report, self._settings.safety.voxel)
        self._judged = time.monotonic()
