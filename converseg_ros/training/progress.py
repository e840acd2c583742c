"""The progress of a run: lines of text, events for programs, TensorBoard, and the scores of validations."""

from collections import deque
from collections.abc import Callable
import json
from pathlib import Path
import time
from typing import Any

from converseg_ros.core.progress import Progress, Report
from converseg_ros.core.stages import JobStage


class Log:
    """Reports a run from step `first` to `steps`; `report` gets lines, `progress` gets events.

    folder: of the run; None in all processes but the main one, which report nothing.
    """

    def __init__(
        self, folder: Path | None, steps: int, first: int, report: Callable[[str], None], progress: Report | None
    ) -> None:
        self.folder, self.steps, self.first = folder, steps, first
        self.report, self.progress = report, progress
        self.board = None if folder is None else _tensorboard(folder / 'tensorboard')
        self.recent: deque[float] = deque(maxlen=50)
        self.started = time.monotonic()

    def update(self, step: int, parts: dict[str, float], rate: float) -> None:
        """Report the losses and the learning rate of an update; `step`: updates done."""
        self.recent.append(parts['total'])
        if step % 10 == 0:
            self._draw('loss', step, parts)
            self._draw('', step, {'lr': rate})
        if self.folder is None or (step % 50 and step != self.first + 5):
            return
        pace = (time.monotonic() - self.started) / (step - self.first)
        mean = sum(self.recent) / len(self.recent)
        self._event(JobStage.TRAINING, step, {'loss': mean})
        losses = _text({k: v for k, v in parts.items() if k != 'total'})
        losses = f' ({losses})' if losses else ''
        left = _clock(pace * (self.steps - step))
        self.report(f'step {step}/{self.steps} loss {mean:.3f}{losses} {pace:.2f} s/step, {left} left')

    def validation(self, step: int, values: dict[str, float]) -> None:
        """Report the values of a validation and append them to scores.jsonl."""
        if self.folder is None or not values:
            return
        self._event(JobStage.VALIDATION, step, values)
        self.report(f'step {step}: {_text({k: v for k, v in values.items() if "/" not in k})}')
        self._draw('val', step, values)
        with (self.folder / 'scores.jsonl').open('a') as f:
            f.write(json.dumps({'step': step, **values}) + '\n')

    def close(self) -> None:
        """Flush TensorBoard's file."""
        if self.board is not None:
            self.board.close()

    def _event(self, stage: JobStage, step: int, values: dict[str, float]) -> None:
        if self.progress is not None:
            self.progress(Progress(stage=stage, done=step, total=self.steps, values=values))

    def _draw(self, group: str, step: int, values: dict[str, float]) -> None:
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(f'{group}/{name}'.lstrip('/'), value, step)


def _tensorboard(folder: Path) -> Any:
    """Return a TensorBoard writer, or None if tensorboard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))


def _text(values: dict[str, float]) -> str:
    return ', '.join(f'{name} {value:.3f}' for name, value in values.items())


def _clock(seconds: float) -> str:
    """Return h:mm:ss."""
    whole = int(seconds)
    return f'{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}'
