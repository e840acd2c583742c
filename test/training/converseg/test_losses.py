"""Losses against their formulas."""

import pytest
import torch

from converseg_ros.network.features import Decoded
from converseg_ros.training.converseg.batches import Batch
from converseg_ros.training.converseg.config import LossConfig
from converseg_ros.training.converseg.losses import bce_map, compute, dice, erode, hard_iou


def batch(target, positive, valid=None) -> Batch:
    """Return a batch of these truths."""
    count = target.shape[0]
    valid = torch.ones_like(target) if valid is None else valid
    ids = [str(k) for k in range(count)]
    pixels = torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    return Batch(pixels, ids, torch.zeros(count).long(), target, valid, torch.tensor(positive), ids, ids)


def test_padding_counts_for_nothing():
    target = torch.zeros(1, 8, 8)
    target[0, 2:5, 2:5] = 1
    valid = torch.ones(1, 8, 8)
    valid[0, 6:] = 0
    one = torch.randn(1, 8, 8)
    two = one.clone()
    two[0, 6:] = 50.0
    for function in (bce_map, dice, hard_iou):
        torch.testing.assert_close(function(one, target, valid), function(two, target, valid))
    torch.testing.assert_close(
        bce_map(one, target, valid)[0],
        torch.nn.functional.binary_cross_entropy_with_logits(one[:, :6], target[:, :6]),
    )


def test_dice_and_iou_of_known_masks():
    target = torch.zeros(1, 10, 10)
    target[0, :5] = 1
    logits = torch.full((1, 10, 10), -30.0)
    logits[0, 2:7] = 30.0
    valid = torch.ones(1, 10, 10)
    assert dice(logits, target, valid).item() == pytest.approx(1 - (2 * 30 + 1) / (50 + 50 + 1))
    assert hard_iou(logits, target, valid).item() == pytest.approx(30 / 70)


def test_erosion_takes_a_border_and_none_at_the_image_s_edge():
    target = torch.zeros(1, 20, 20)
    target[0, 0:10, 5:15] = 1
    assert erode(target, 5).sum() == 8 * 6
    assert erode(target, 0) is target


def test_negatives_teach_the_object_score_and_positives_the_mask():
    config = LossConfig(negative_mask=0.0)
    masks = torch.randn(2, 1, 8, 8, requires_grad=True)
    score = torch.zeros(2, requires_grad=True)
    decoded = Decoded(masks, torch.zeros(2, 1, requires_grad=True), score)
    target = torch.zeros(2, 8, 8)
    target[0, 2:6, 2:6] = 1
    compute(decoded, batch(target, [True, False]), config).total.backward()
    assert masks.grad is not None and masks.grad[0].abs().sum() > 0 and masks.grad[1].abs().sum() == 0
    assert score.grad is not None and score.grad[0] < 0 < score.grad[1]
