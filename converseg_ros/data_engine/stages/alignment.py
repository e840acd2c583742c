"""Stage 5: combine a prompt with its mask, and let the judge decide whether the mask answers it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.data_engine.contracts import Judge, Picture, PromptDraft, Verdict
from converseg_ros.data_engine.stages.verification import VerifiedRegion


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt with its mask (H, W); an empty mask answers a negative."""

    draft: PromptDraft
    mask: NDArray[np.bool_]
    verdict: Verdict


def align(judge: Judge, picture: Picture, draft: PromptDraft, regions: dict[str, VerifiedRegion]) -> Pair:
    """Return the pair with the verdict of the judge; the mask is the union of the draft's regions."""
    mask = np.zeros((picture.height, picture.width), bool)
    for key in draft.regions:
        mask |= regions[key].mask
    return Pair(draft, mask, judge.align(picture, draft.text, mask))
