"""Stage 3: verify the proposed masks, select the best, refine it, and verify the refined mask."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import encode_rle
from converseg_ros.data_engine.contracts import Candidate, Judge, Picture, Region
from converseg_ros.data_engine.proposers.proposer import Proposer


@dataclass(frozen=True)
class VerifiedRegion:
    """A region with a mask (H, W) that the judge accepted."""

    region: Region
    mask: NDArray[np.bool_]
    score: float

    @cached_property
    def rle(self) -> dict[str, Any]:
        """Return COCO's RLE of the mask (core.mask.encode_rle); labels and items share it."""
        return encode_rle(self.mask)


def verify_regions(
    judge: Judge, proposer: Proposer, picture: Picture, candidates: list[list[Candidate]]
) -> tuple[list[VerifiedRegion], list[tuple[Region, str]]]:
    """Return the regions with an accepted mask, and the rejected ones with the judge's last reason."""
    accepted: list[VerifiedRegion] = []
    rejected: list[tuple[Region, str]] = []
    for options in candidates:
        best, reason = choose_mask(judge, picture, options)
        if best is None:
            if options:
                rejected.append((options[0].region, reason))
            continue
        candidate, score = best
        refined = proposer.refine(picture, candidate.mask)
        if refined is candidate.mask or np.array_equal(refined, candidate.mask):
            accepted.append(VerifiedRegion(candidate.region, candidate.mask, score))
            continue
        again = judge.verify(picture, candidate.region, refined)
        if again.ok and again.score >= score - 0.02:
            accepted.append(VerifiedRegion(candidate.region, refined, again.score))
        else:
            accepted.append(VerifiedRegion(candidate.region, candidate.mask, score))
    return accepted, rejected


def choose_mask(judge: Judge, picture: Picture, options: list[Candidate]) -> tuple[tuple[Candidate, float] | None, str]:
    """Return the candidate with the best score of the judge, or None and the reason of the last rejection.

    Candidates are sorted, best first; the search ends at the first certain one, to save calls.
    """
    best: tuple[Candidate, float] | None = None
    reason = 'no mask was proposed'
    for candidate in options:
        verdict = judge.verify(picture, candidate.region, candidate.mask)
        reason = verdict.reason
        if verdict.ok and (best is None or verdict.score > best[1]):
            best = candidate, verdict.score
        if best is not None and best[1] >= 0.9:
            break
    return best, reason
