"""Selection of the decoder's mask.

token0: the single-mask token, which training supervises. best: the multimask token with the best score (the reference's
inference; these scores were not trained, so they are not a confidence). stable: token 0 if its border is sharp, else
best (SAM 2's rule, arXiv 2408.00714).
"""

import torch
from torch import Tensor

from converseg_ros.network.config import Select
from converseg_ros.network.features import Decoded

DELTA, SHARP = 0.05, 0.98  # SAM 2's stability margin (logits) and threshold


def tokens(select: Select, multimask: int) -> tuple[int, ...]:
    """Return the mask tokens that `select` needs; the others are not decoded."""
    if select == 'token0':
        return (0,)
    return tuple(range(1 if select == 'best' else 0, multimask + 1))


def choose(decoded: Decoded, select: Select) -> tuple[Tensor, Tensor]:
    """Return (K, h, w) logits and (K,) unsupervised IoU scores; `decoded` has the masks of `tokens(select, ...)`."""
    masks, scores = decoded.masks, decoded.iou
    if select == 'token0':
        return masks[:, 0], scores[:, 0]
    rows = torch.arange(masks.shape[0], device=masks.device)
    if select == 'best':
        best = scores.argmax(1)
        return masks[rows, best], scores[rows, best]
    single = masks[:, 0].flatten(1)
    inner, outer = (single > DELTA).sum(1), (single > -DELTA).sum(1)
    stable = (inner >= SHARP * outer) | (outer == 0)
    best = torch.where(stable, torch.zeros_like(inner), 1 + scores[:, 1:].argmax(1))
    return masks[rows, best], scores[rows, best]
