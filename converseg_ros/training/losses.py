"""Losses: BCE and Dice as in the paper (arXiv 2602.13195, section 4), object score and IoU."""

from typing import NamedTuple

import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.network.features import Decoded, Guidance
from converseg_ros.network.things import coverage
from converseg_ros.training.batches import Batch
from converseg_ros.training.config import LossConfig


class Losses(NamedTuple):
    """The minimized sum and its parts."""

    total: Tensor
    bce: Tensor
    dice: Tensor
    object_score: Tensor
    iou: Tensor
    coarse: Tensor
    things: Tensor


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


def compute(
    decoded: Decoded | None, batch: Batch, guidance: Guidance | None, boxes: Tensor | None, config: LossConfig
) -> Losses:
    """Return the losses of a batch of K prompts.

    decoded: the answers of the decoder to the decoded prompts; it contains the masks used at inference, and each is
    supervised. guidance: output of the alignment for all prompts, if the network has one. boxes: (B, N, 4), those of
    the detector, if there is one.
    """
    zero = batch.target.new_zeros(())
    losses = Losses(*[zero] * len(Losses._fields))
    if decoded is not None:
        losses = _fine(decoded, batch, config)
    if guidance is not None and config.coarse:
        loss = _coarse(guidance.coarse, batch)
        losses = losses._replace(total=losses.total + config.coarse * loss, coarse=loss.detach())
    if guidance is not None and guidance.chosen is not None and boxes is not None and config.things:
        loss = _things(guidance.chosen, boxes, batch)
        if guidance.present is not None:
            loss = loss + F.binary_cross_entropy_with_logits(guidance.present, batch.positive.float())
        losses = losses._replace(total=losses.total + config.things * loss, things=loss.detach())
    return losses


def _fine(decoded: Decoded, batch: Batch, config: LossConfig) -> Losses:
    """Return the losses of the decoded prompts."""
    rows = batch.decoded
    target, valid, positive = batch.target[rows], batch.valid[rows], batch.positive[rows]
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
    return Losses(total, bce.detach(), overlap.detach(), presence.detach(), score.detach(), zero, zero)


def _coarse(logits: Tensor, batch: Batch) -> Tensor:
    """Return BCE over all prompts plus Dice over those with a target, at the resolution of the coarse map."""
    size = (logits.shape[1], logits.shape[2])
    target = F.adaptive_avg_pool2d(batch.target[:, None], size)[:, 0]
    valid = F.adaptive_avg_pool2d(batch.valid[:, None], size)[:, 0]
    some = batch.positive.float().sum().clamp_min(1)
    overlap = (dice(logits.float(), target, valid) * batch.positive).sum() / some
    return bce_map(logits.float(), target, valid).mean() + overlap


def _things(chosen: Tensor, boxes: Tensor, batch: Batch) -> Tensor:
    """Return the cross entropy of the selection of boxes (K, N); boxes: (B, N, 4). Missing boxes have no weight.

    A box is correct to the degree that the target fills it (an object fills at least half of its box) or that their IoU
    is high.
    """
    target = F.avg_pool2d(batch.target[:, None], 2)[:, 0]
    rows, columns = target.shape[1:]
    high, wide = (t[batch.image_of] for t in coverage(boxes, rows, columns))
    inside = torch.einsum('knh,knw,khw->kn', high, wide, target)
    area = (high.sum(2) * wide.sum(2)).clamp_min(1e-3)
    both = (area + target.sum((1, 2))[:, None] - inside).clamp_min(1e-3)
    right = torch.maximum((inside / area - 0.2) / 0.35, (inside / both - 0.2) / 0.3).clamp(0, 1)
    there = (chosen > -19).float()
    loss = F.binary_cross_entropy_with_logits(chosen, right, reduction='none') * there
    weight = there * (1 + 2 * right)  # few boxes are correct
    return (loss * (1 + 2 * right)).sum() / weight.sum().clamp_min(1)
