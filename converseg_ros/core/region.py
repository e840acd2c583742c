"""The answer to one instruction on one frame, as published by the node and scored by the evaluation."""

from dataclasses import dataclass, field
import math

from converseg_ros.core.geometry import NOT_COMPUTED, Geometry
from converseg_ros.core.instruction import Instruction
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.status import Status


@dataclass(frozen=True, slots=True)
class Region:
    """An instruction, its prediction, and the geometry of the prediction.

    Attributes:
        stamp_ns: stamp of the frame that the region is valid for.
        segmented_ns: stamp of the frame that the network saw; earlier than stamp_ns if the tracker propagated the
            region.
        valid_until_ns: stamp_ns plus the maximum age.
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
        """Return the status of the answer."""
        return self.prediction.status

    @property
    def confidence(self) -> float:
        """Return the confidence in clouds and in the confidence image, in [0, 1].

        This is the probability that the mask is right, otherwise the calibrated score, or 1 if there is none (a network
        without calibration, a propagated answer): consumers drop what is below their threshold, and a region must not
        be dropped because it has no score.
        """
        score = self.prediction.score if self.prediction.confidence is None else self.prediction.confidence
        return min(max(score, 0.0), 1.0) if self.prediction.calibrated and math.isfinite(score) else 1.0

    @property
    def tracked(self) -> bool:
        """Return whether the tracker propagated this region from an earlier frame."""
        return self.segmented_ns != self.stamp_ns

    def stale(self, now_ns: int) -> bool:
        """Return whether the answer is stale at time `now_ns`."""
        return bool(self.valid_until_ns) and now_ns > self.valid_until_ns
