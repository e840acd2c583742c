"""The answer to one instruction on one frame: what the node publishes, the evaluation scores and the tests assert."""

from dataclasses import dataclass, field
import math

from converseg_ros.core.geometry import NOT_COMPUTED, Geometry
from converseg_ros.core.instruction import Instruction
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.status import Status


@dataclass(frozen=True, slots=True)
class Region:
    """An instruction, the network's prediction for it, and the prediction's geometry.

    stamp_ns: stamp of the frame it is valid for. segmented_ns: stamp of the frame the network saw (earlier than
    stamp_ns if the tracker carried it here). valid_until_ns: stamp_ns + max age.
    """

    id: str
    instruction: Instruction
    prediction: Prediction
    geometry: Geometry = NOT_COMPUTED
    stamp_ns: int = 0
    frame_id: str = ''
    segmented_ns: int = 0
    valid_until_ns: int = 0
    model: str = ''
    stage_ms: dict[str, float] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """How the instruction was answered."""
        return self.prediction.status

    @property
    def confidence(self) -> float:
        """What clouds and the confidence image say of its pixels, in [0, 1].

        The calibrated score; 1 where there is none (a network without calibration, a carried answer), because consumers
        drop what is below their threshold, and nothing that was found may be dropped for want of a number.
        """
        score = self.prediction.score
        return min(max(score, 0.0), 1.0) if self.prediction.calibrated and math.isfinite(score) else 1.0

    @property
    def tracked(self) -> bool:
        """Whether the tracker carried this region here from an earlier frame."""
        return self.segmented_ns != self.stamp_ns

    def stale(self, now_ns: int) -> bool:
        """Whether `now_ns` is past the time the answer may be used."""
        return bool(self.valid_until_ns) and now_ns > self.valid_until_ns
