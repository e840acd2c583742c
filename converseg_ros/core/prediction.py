"""The answer of a network to one instruction on one image."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.core.errors import InputError
from converseg_ros.core.mask import Box, mask_area, mask_box
from converseg_ros.core.status import Status


@dataclass(frozen=True)
class Candidate:
    """A region that was considered: its name, position, and degree of membership (0 to 1)."""

    name: str
    score: float
    box: Box
    note: str = ''


@dataclass(frozen=True)
class Prediction:
    """A mask at image size with its status and score.

    Attributes:
        mask: (H, W) bool.
        probability: (H, W) float32 foreground probability of each pixel, or None.
        score: the number that decided whether there is a target, in [0, 1]; a probability only if `calibrated`.
        object_score: probability that a target exists, or None if the network does not predict it.
        mask_score: mean foreground probability inside the mask before thresholding; with object_score, the input of the
            calibration.
        program: JSON object of the executed program, or None if the network has no programs.
        program_text: the same program in words.
        candidates: the regions that were considered, best first.
        evidence: named numbers about the existence of a target and the quality of the mask; input of the calibration.
        withheld: the mask that was removed because the status is NO_TARGET; for evaluation only.
        confidence: calibrated probability that the mask is right (has an IoU of at least 0.5 with what was meant), or
            None if it is not known.
        belief: what all key frames up to this one say about a standing instruction, or None.
    """

    mask: NDArray[np.bool_]
    score: float
    status: Status
    reason: str = ''
    calibrated: bool = False
    object_score: float | None = None
    probability: NDArray[np.float32] | None = None
    stage_ms: dict[str, float] = field(default_factory=dict)
    mask_score: float | None = None
    program: dict[str, Any] | None = None
    program_text: str = ''
    candidates: tuple[Candidate, ...] = ()
    evidence: dict[str, float] = field(default_factory=dict)
    withheld: NDArray[np.bool_] | None = None
    confidence: float | None = None
    belief: Belief | None = None

    def __post_init__(self) -> None:
        """Validate the mask; an answer without a target has none."""
        if self.mask.dtype != np.bool_ or self.mask.ndim != 2:
            raise InputError(f'mask is {self.mask.dtype} {self.mask.shape}, not bool (H, W)', where='prediction')
        if self.status in (Status.NO_TARGET, Status.ERROR) and self.mask.any():
            raise InputError(f'status is {self.status.name} but the mask is not empty', where='prediction')

    @cached_property
    def area(self) -> int:
        """Return the number of pixels in the mask."""
        return mask_area(self.mask, self.box)

    @cached_property
    def box(self) -> Box:
        """Return the tightest box around the mask."""
        return mask_box(self.mask)

    def with_mask(self, mask: NDArray[np.bool_], box: Box, **changes: Any) -> 'Prediction':
        """Return a copy of this answer with another mask (H, W), whose box is known, and other changes."""
        changed = replace(self, mask=mask, **changes)
        changed.__dict__['box'] = box  # set the cached property; assignment is blocked because the fields are frozen
        return changed
