"""Stage 5: combine a prompt with its mask, and let the judge decide whether the mask answers it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from converseg_ros.core.mask import encode_rle
from converseg_ros.data_engine.contracts import Judge, Picture, PromptDraft, Verdict
from converseg_ros.data_engine.stages.verification import VerifiedRegion


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt with COCO's RLE of its mask; an empty mask answers a negative."""

    draft: PromptDraft
    rle: dict[str, Any]
    verdict: Verdict


def align(judge: Judge, picture: Picture, draft: PromptDraft, regions: dict[str, VerifiedRegion]) -> Pair:
    """Return the pair with the verdict of the judge; the mask is the union of the draft's regions."""
    chosen = [regions[key] for key in draft.regions]
    if len(chosen) == 1:
        mask, rle = chosen[0].mask, chosen[0].rle
    else:
        mask = np.zeros((picture.height, picture.width), bool)
        for region in chosen:
            mask |= region.mask
        rle = encode_rle(mask)
    return Pair(draft, rle, judge.align(picture, draft.text, mask))
