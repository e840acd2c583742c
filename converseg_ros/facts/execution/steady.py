"""A recursive Bayesian filter over the regions that a standing instruction may mean.

A standing instruction means the same thing in all key frames while nothing changes. Each key frame adds its evidence to
the log-odds of each region. They are stored for each pixel, so that they survive another segmentation of the same
scene, and move with the image (perception/beliefs.py). Older evidence decays exponentially (a forgetting factor as in
Kulhavy and Zarrop, On a general concept of forgetting, 1993), so that a lasting change is followed. The evidence of a
single key frame is limited: it may be misleading, and no answer is ever final.

    belief, moved to the new image --weigh--> log-odds of each region --conclude--> new belief, in view or not

Whether a target exists is filtered in the same way while the last answer is in view; what is known about one thing says
nothing about another one. Another region becomes the answer only if it is about as certain as the thing was.
"""

from dataclasses import dataclass, replace
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief
from converseg_ros.core.mask import mask_box, overlap
from converseg_ros.core.probability import log_odds

LEAST = -12.0  # minimum of stored log-odds
NEVER = 1e-6  # share of the highest degree that counts as 0
SAME = 0.5  # share of the smaller of two masks that lies in the other one from which they may show the same thing
GROWTH = 4.0  # ratio of their areas up to which they may if the new one is improbable


@dataclass(frozen=True, eq=False)
class Weighed:
    """The regions of a key frame under a belief.

    prior: (h, w) log-odds of each pixel before this key frame. evidence: (S,) of this key frame against each region, at
    most 0. log_odds: (S,) of each region after it. certainty: (S,) log-odds of each region in this key frame alone.
    share: (S,) likelihood of each region relative to the one to be selected, per key frame, or its probability in this
    key frame relative to the best one if several regions are meant.
    """

    belief: Belief
    prior: NDArray[np.float32]
    evidence: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    certainty: NDArray[np.float64]
    share: NDArray[np.float64]


def weigh(
    belief: Belief,
    masks: NDArray[np.bool_],
    p: NDArray[np.float64],
    possible: NDArray[np.bool_],
    *,
    several: bool = False,
) -> Weighed:
    """Return the regions with masks (S, h, w) and degrees p (S,) in a key frame under the belief at it, S > 0.

    possible: (S,) regions that may be the last answer although their degree is 0 in this key frame. several: more than
    one region can be meant, so that the evidence for one is not evidence against the others: beside the regions that
    the filter selects, those that this key frame alone would select are meant, if both agree on the best one.
    The prior odds of a region are the mean of those of its pixels. The evidence is the difference between the log-odds
    of the region and of the best one, and is limited. It is weaker if even the best region is less certain than the
    thing was: then the key frame probably does not show the thing well, and the odds have an additional term for that.
    """
    o, shape = belief.options, masks.shape[1:]
    certainty = np.asarray(log_odds(p), np.float64)
    evidence = np.maximum(certainty - certainty.max(), -o.limit)
    if belief.certainty is not None:
        hidden = belief.certainty - o.limit  # log-odds of the additional term
        evidence = np.maximum(evidence, np.logaddexp(certainty, hidden) - np.logaddexp(certainty.max(), hidden))
    if belief.log_odds is None or belief.log_odds.shape != shape:
        prior, before = np.zeros(shape, np.float32), np.zeros(len(p))
        inside = before
    else:
        prior = belief.log_odds
        before = np.log(_means(np.exp(prior), masks) + math.exp(LEAST))
        inside = before * 0 if belief.chosen is None else _means(belief.chosen.astype(np.float32), masks)
    allowed = (p > NEVER * p.max()) | (possible & (inside >= SAME))
    enough = allowed & _enough(belief, masks, certainty, float(certainty.max()))
    allowed = enough if enough.any() else allowed
    after = np.where(allowed, before + evidence, 2 * LEAST)
    preferred = after + o.margin * inside
    share = np.where(allowed, np.exp((preferred - preferred.max()) / (belief.frames + 1)), 0.0)
    if several and p[share.argmax()] >= p.max():
        share = np.maximum(share, np.where(possible, p / p.max(), 0.0))
    return Weighed(belief, prior, evidence, after, certainty, share)


def conclude(
    weighed: Weighed, masks: NDArray[np.bool_], chosen: tuple[int, ...], absence: float
) -> tuple[Belief, bool]:
    """Return the belief after a key frame, and whether the selected regions are the answer.

    masks: (S, h, w) of the regions. chosen: indices of the selected ones, best first.
    absence: log-odds of this key frame alone that there is no target, 0 at the threshold of existence. Key frames
    before the first answer are no evidence about which thing is meant; after it, what is in view while the thing is not
    is another thing. The certainty of such an answer does not count for the thing unless it is higher.
    """
    belief, o = weighed.belief, weighed.belief.options
    certainty = float(weighed.certainty[chosen[0]]) if chosen else LEAST
    mask = np.asarray(masks[list(chosen)].any(0))
    limited = min(max(absence, -o.limit), o.limit)
    same = belief.chosen is not None and _is_same(mask, belief.chosen)
    total = limited + (belief.absence if same else 0.0)
    present = (
        bool(chosen)
        and total <= 0
        and bool(_enough(belief, mask[None], np.array([certainty]), float(weighed.certainty.max()))[0])
    )
    if not present and belief.certainty is None:
        return belief, False
    frames = belief.frames + 1
    after = replace(belief, log_odds=_after(weighed, masks), frames=frames)
    if not present:
        about = limited if same else max(limited, 0.0)  # what another region shows says nothing for the last answer
        return replace(after, absence=0.0 if belief.chosen is None else belief.absence + about), False
    left = belief.left and belief.certainty is not None and certainty < belief.certainty
    average = certainty if belief.certainty is None else belief.certainty
    after = replace(
        after,
        chosen=mask,
        absence=total,
        left=left,
        certainty=average if left else average + (certainty - average) / frames,
    )
    return after, True


def _enough(belief: Belief, masks: NDArray[np.bool_], certainty: NDArray[np.float64], best: float) -> NDArray[np.bool_]:
    """Return (S,) which regions may be the last answer, or are about as certain as the thing was.

    best: highest certainty of a region in this key frame. A mask grows when a thing is no longer cut off or blurred,
    but a region that is improbable in this key frame and much larger is what the thing stands on.
    """
    if belief.certainty is None:
        return np.ones(len(masks), bool)
    enough = certainty >= belief.certainty - belief.options.slack
    if belief.chosen is None or belief.chosen.shape != masks.shape[1:]:
        return np.asarray(enough)
    growth = np.where(certainty >= best - belief.options.limit, np.inf, GROWTH)
    return np.array([e or _is_same(m, belief.chosen, g) for e, m, g in zip(enough, masks, growth.tolist())])


def _is_same(mask: NDArray[np.bool_], other: NDArray[np.bool_], growth: float = math.inf) -> bool:
    """Return whether two masks may show the same thing: SAME of the smaller one lies in the other one.

    growth: ratio of their areas up to which they may.
    """
    smaller, larger = sorted((np.count_nonzero(mask), np.count_nonzero(other)))
    return bool(larger <= growth * smaller and overlap(mask, other)[0] >= SAME * smaller)


def _after(weighed: Weighed, masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return (h, w) the log-odds of each pixel after a key frame; where regions overlap, those of the best one.

    No pixel of a region has less than the region, so that errors of the motion do not wear it off from its outline. A
    pixel may have more: a thing that is not separated from its surroundings in one key frame is not forgotten.
    """
    limit = weighed.belief.options.limit
    after = weighed.prior - np.float32(limit)
    for i in np.argsort(weighed.log_odds, kind='stable'):
        if weighed.log_odds[i] > LEAST:
            at = _place(masks[i])
            own = np.maximum(weighed.prior[at] + np.float32(weighed.evidence[i]), np.float32(weighed.log_odds[i]))
            np.copyto(after[at], own, where=masks[i][at])
    best = np.float32(weighed.log_odds.max())
    return np.asarray(np.maximum(after - best, np.float32(LEAST)), np.float32)


def _means(values: NDArray[np.float32], masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return (S,) the mean of an image (h, w) in each mask, 0 in an empty one."""
    places = [_place(m) for m in masks]  # most masks are much smaller than the image
    return np.array([cv2.mean(values[at], m[at].view(np.uint8))[0] for m, at in zip(masks, places)])


def _place(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return rows and columns of the box around a mask, of one pixel for an empty one."""
    box = mask_box(mask)
    return slice(box.y0, max(box.y1, 1)), slice(box.x0, max(box.x1, 1))
