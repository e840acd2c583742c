"""Progress of long commands as events: one JSON object per line for programs, text for people."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
import json
import math
from typing import Any

from converseg_ros.core.stages import JobStage


@dataclass(frozen=True, slots=True)
class Progress:
    """One event. values: numbers such as `loss` and `giou`. result: of the command, in its last event."""

    message: str = ''
    stage: JobStage | None = None
    done: int = 0
    total: int = 0
    values: dict[str, float] = field(default_factory=dict)
    result: dict[str, Any] | None = None

    def to_line(self) -> str:
        """Return the event as one line of JSON, without empty fields and numbers that are not finite."""
        data = {k: v for k, v in asdict(self).items() if v}
        data['values'] = {k: v for k, v in self.values.items() if math.isfinite(v)}
        if self.result is not None:
            data['result'] = self.result
        return json.dumps(data, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_line(cls, line: str) -> 'Progress | None':
        """Return the event of a line, or None for other lines (warnings and errors as text)."""
        try:
            data = json.loads(line)
            values = {str(k): float(v) for k, v in (data.get('values') or {}).items()}
            result = data.get('result')
            if not isinstance(result, dict | None):
                return None
            stage = JobStage(data['stage']) if 'stage' in data else None
            numbers = int(data.get('done', 0)), int(data.get('total', 0))
            return cls(str(data.get('message', '')), stage, *numbers, values, result)
        except (ValueError, TypeError, AttributeError):
            return None


Report = Callable[[Progress], None]


def print_event(event: Progress) -> None:
    """Print an event for a program that reads standard output."""
    print(event.to_line(), flush=True)
