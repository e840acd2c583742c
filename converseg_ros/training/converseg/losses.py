"""Losses: BCE and Dice as in the paper (arXiv 2602.13195, section 4), object score and IoU."""

from typing import NamedTuple

import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.network.features import Decoded
from converseg_ros.training.converseg.batches import Batch
from converseg_ros.training.converseg.config import LossConfig


class Losses(NamedTuple):
    """The minimized sum and its parts."""

    total: Tensor
    bce: Tensor
    dice: Tensor
    object_score: Tensor
    iou: Tensor


def erode(target: Tensor, size: int) -> Tensor:
    """Erode (K, h, w) targets with a square once, as in the paper; outside of the border counts as foreground."""
    if not size:
        return target
    return -F.max_pool2d(-target[:, None], size, stride=1, padding=size // 2)[:, 0]


def bce_map(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return (K,) mean binary cross entropy over the valid cells."""
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none') * valid
    return loss.flatten(1).sum(1) / valid.flatten(1).sum(1).clamp_min(1)


def dice(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return (K,) 1 - 2|A B| / (|A| + |B|) (Milletari et al., arXiv 1606.04797), smoothed by one cell."""
    p, t = (torch.sigmoid(logits) * valid).flatten(1), (target * valid).flatten(1)
    return 1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)


def hard_iou(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Return (K,) IoU of the thresholded masks on the grid."""
    p, t = ((logits > 0) & (valid > 0)).flatten(1), ((target > 0.5) & (valid > 0)).flatten(1)
    return (p & t).sum(1) / (p | t).sum(1).clamp_min(1)


def compute(decoded: Decoded, batch: Batch, config: LossConfig) -> Losses:
    """Return the losses of a batch of K prompts; `decoded` has the masks used at inference, each is supervised."""
    target, valid, positive = batch.target, batch.valid, batch.positive
    truth = erode(target, config.erode)
    weight = positive.float() + (~positive).float() * config.negative_mask
    some = positive.float().sum().clamp_min(1)
    zero = decoded.object_score.new_zeros(())
    bce, overlap, score = zero, zero, zero
    count = decoded.masks.shape[1]
    for token in range(count):
        logits = decoded.masks[:, token].float()
        bce = bce + (bce_map(logits, truth, valid) * weight).sum() / weight.sum().clamp_min(1e-6) / count
        overlap = overlap + (dice(logits, truth, valid) * positive).sum() / some / count
        reached = hard_iou(logits.detach(), target, valid)
        score = score + ((decoded.iou[:, token].float() - reached).square() * positive).sum() / some / count
    presence = F.binary_cross_entropy_with_logits(decoded.object_score.float(), positive.float())
    total = config.bce * bce + config.dice * overlap + config.object_score * presence + config.iou * score
    return Losses(total, bce.detach(), overlap.detach(), presence.detach(), score.detach())
