"""The belief about which thing a standing instruction means, after all key frames so far."""

import base64
from dataclasses import dataclass, field
from typing import Any
import zlib

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import decode_rle, encode_rle
from converseg_ros.core.options import check_options, option


@dataclass(frozen=True, slots=True)
class SteadyOptions:
    """Options of the filter that keeps answers to standing instructions steady; evidence is in log-odds."""

    half_life: float = option(1.5, 0.0, 60.0)
    """Seconds after which evidence counts half; a lasting change is followed after about this time. 0: no filter."""
    limit: float = option(2.0, 0.1, 20.0)
    """Maximum evidence of one key frame, because a single image may be misleading."""
    margin: float = option(3.0, 0.0, 20.0)
    """Advantage of the last answer."""
    entering: float = option(2.0, 0.0, 20.0)
    """Disadvantage of what enters the view while the last answer is in view."""
    slack: float = option(1.0, 0.0, 20.0)
    """How much less certain than the last answer was another region may be."""
    fade: float = option(0.2, 0.0, 20.0)
    """Decrease of that certainty per second."""

    def __post_init__(self) -> None:
        """Validate the options."""
        check_options(self, 'steady options')


@dataclass(frozen=True, eq=False)
class Belief:
    """The state of the filter of one instruction; facts/execution/steady.py has the formulas.

    Attributes:
        options: of the filter.
        log_odds: (h, w) float32, that the thing at a pixel is meant, relative to the most probable one, which has 0;
            None before the first key frame.
        frames: how many key frames the log-odds are the sum of, with their weights.
        chosen: (h, w) bool, the last answer; None if there is none, or if it left the view.
        absence: log-odds that the last answer is no target, from all key frames that show it.
        left: whether the thing left the view, and the last answer, if there is one, is less certain than the thing was.
        certainty: log-odds with which single key frames showed the thing, on average; None if there was none.
    """

    options: SteadyOptions = field(default_factory=SteadyOptions)
    log_odds: NDArray[np.float32] | None = None
    frames: float = 0.0
    chosen: NDArray[np.bool_] | None = None
    absence: float = 0.0
    left: bool = False
    certainty: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object of the state, without the options."""
        numbers = {k: getattr(self, k) for k in ('frames', 'absence', 'left', 'certainty')}
        if self.log_odds is not None:
            data = base64.b64encode(zlib.compress(self.log_odds.astype('<f4').tobytes())).decode()
            numbers['log_odds'] = {'size': list(self.log_odds.shape), 'data': data}
        return numbers if self.chosen is None else numbers | {'chosen': encode_rle(self.chosen)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> 'Belief':
        """Return the belief of a JSON object of `to_json`, with default options."""
        log_odds, chosen = data.get('log_odds'), data.get('chosen')
        if log_odds is not None:
            flat = np.frombuffer(zlib.decompress(base64.b64decode(log_odds['data'])), '<f4')
            log_odds = flat.reshape(log_odds['size']).astype(np.float32)
        return cls(
            log_odds=log_odds,
            frames=float(data['frames']),
            chosen=None if chosen is None else decode_rle(chosen),
            absence=float(data['absence']),
            left=bool(data['left']),
            certainty=data['certainty'],
        )
