"""Evaluation metrics as objects with `update`, `reset` and `compute`.

gIoU is the mean of the items' IoU, where two empty masks have an IoU of 1; cIoU is the sum of intersections over the
sum of unions (LISA, arXiv 2308.00692; GRES, arXiv 2306.00968). N-acc and T-acc are those of GRES, boundary F is that of
DAVIS (Perazzi et al., CVPR 2016).
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import InputError, Status
from converseg_ros.network.thresholds import RIGHT_IOU

Mask = NDArray[np.bool_]
BOUNDARY_TOLERANCE = 0.008  # relative to the diagonal of the image, as in DAVIS


def mask_boundary(mask: Mask) -> Mask:
    """Return the pixels of (H, W) `mask` with a 4-neighbour outside; the border of the image is not a boundary."""
    padded = np.pad(mask, 1, mode='edge')
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def boundary_f(predicted: Mask, truth: Mask, tolerance: float = BOUNDARY_TOLERANCE) -> float:
    """Return the F-measure of boundary precision and recall within `tolerance` of the diagonal; 1 if both are empty."""
    import cv2

    if predicted.shape != truth.shape:
        raise InputError(f'the mask is {predicted.shape}, the truth {truth.shape}', where='metrics')
    if not predicted.any() or not truth.any():
        return float(predicted.any() == truth.any())
    ours, theirs = mask_boundary(predicted), mask_boundary(truth)
    if not ours.any() or not theirs.any():  # a mask that fills the image has no boundary
        return float(ours.any() == theirs.any())
    radius = max(1, round(tolerance * float(np.hypot(*truth.shape))))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    near_theirs = cv2.dilate(theirs.astype(np.uint8), disc).astype(bool)
    near_ours = cv2.dilate(ours.astype(np.uint8), disc).astype(bool)
    precision = np.count_nonzero(ours & near_theirs) / np.count_nonzero(ours)
    recall = np.count_nonzero(theirs & near_ours) / np.count_nonzero(theirs)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


class MeanIoU:
    """gIoU: the mean of the items' IoU."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the metric."""
        self.total, self.count = 0.0, 0

    def update(self, intersection: int, union: int, *, failed: bool = False) -> None:
        """Add one item; a failed item scores 0, even without a target."""
        self.total += 0.0 if failed else (intersection / union if union else 1.0)
        self.count += 1

    def compute(self) -> float | None:
        """Return the mean, None without items."""
        return self.total / self.count if self.count else None


class CumulativeIoU:
    """cIoU: the sum of intersections divided by the sum of unions, so that large masks have more weight."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the metric."""
        self.intersection, self.union, self.count = 0, 0, 0

    def update(self, intersection: int, union: int) -> None:
        """Add one item."""
        self.intersection += intersection
        self.union += union
        self.count += 1

    def compute(self) -> float | None:
        """Return the ratio; 1 if all masks are empty, None without items."""
        if not self.count:
            return None
        return self.intersection / self.union if self.union else 1.0


class NoTargetAccuracy:
    """N-acc and T-acc: accuracy of the decision whether there is a target."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the metric."""
        self.right = {True: 0, False: 0}
        self.count = {True: 0, False: 0}

    def update(self, positive: bool, refused: bool, *, failed: bool = False) -> None:
        """Add one item: whether it has a target, and whether the answer was NO_TARGET; a failure is incorrect."""
        self.count[positive] += 1
        self.right[positive] += int(not failed and refused != positive)

    def compute(self) -> tuple[float | None, float | None]:
        """Return (N-acc, T-acc); None if there is no item of that kind."""
        n, t = (self.right[k] / self.count[k] if self.count[k] else None for k in (False, True))
        return n, t


class OkAccuracy:
    """The share of the answers that are OK, and the share of those that are right (an IoU of at least 0.5)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the metric."""
        self.count, self.ok, self.right = 0, 0, 0

    def update(self, ok: bool, iou: float) -> None:
        """Add one item: whether the answer has the status OK, and its IoU."""
        self.count += 1
        self.ok += ok
        self.right += ok and iou >= RIGHT_IOU

    def compute(self) -> tuple[float | None, float | None]:
        """Return (share OK, share of the OK answers that are right); None if there is nothing to divide by."""
        return self.ok / self.count if self.count else None, self.right / self.ok if self.ok else None


class MeanBoundaryF:
    """The mean boundary F of the items with a target."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset the metric."""
        self.total, self.count = 0.0, 0

    def update(self, value: float) -> None:
        """Add the boundary F of one item."""
        self.total += value
        self.count += 1

    def compute(self) -> float | None:
        """Return the mean, None without items."""
        return self.total / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one answer to one item.

    positive: whether the item has a target, None if the ground truth could not be read. swapped: mean IoU of the
    answers to other prompts of the same image with the ground truth of this item (language sensitivity), None without
    such prompts. recall: share of the ground truth in the answer. marked: share of the image in the answer. image_id:
    the unit of the bootstrap. step: the step that failed (evaluation/ladder.py), '' if unknown. weight: how much the
    answer counts in a calibration; metrics do not use it.
    """

    id: str
    image_id: str
    prompt: str
    positive: bool | None
    refused: bool = False
    status: str = ''
    intersection: int = 0
    union: int = 0
    boundary: float = 0.0
    recall: float = 0.0
    marked: float = 0.0
    family: str = ''
    sub_concept: str = ''
    score: float = 0.0
    object_score: float | None = None
    mask_score: float | None = None
    evidence: dict[str, float] = field(default_factory=dict)
    swapped: float | None = None
    step: str = ''
    ms: float = 0.0
    error: str = ''
    weight: float = 1.0

    @property
    def ok(self) -> bool:
        """Return whether the answer has the status OK."""
        return self.status == Status.OK.name and not self.error

    @property
    def iou(self) -> float:
        """Return the IoU of the item; 0 if it failed."""
        if self.error:
            return 0.0
        return self.intersection / self.union if self.union else 1.0


class Summary:
    """All metrics of a set of scored items, in total and by group."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Reset all metrics."""
        self.scores: list[Score] = []

    def update(self, score: Score) -> None:
        """Add one item."""
        self.scores.append(score)

    def compute(self) -> dict[str, Any]:
        """Return giou, ciou, giou_positive, n_acc, t_acc, boundary_f, language_sensitivity and counts."""
        return summarize(self.scores)

    def grouped(self, key: str) -> dict[str, dict[str, Any]]:
        """Return `compute()` of the items with each value of attribute `key`; items without a value are skipped."""
        groups: dict[str, list[Score]] = defaultdict(list)
        for score in self.scores:
            if name := getattr(score, key):
                groups[name].append(score)
        return {name: summarize(groups[name]) for name in sorted(groups)}


def summarize(scores: list[Score]) -> dict[str, Any]:
    """Return the metrics of `scores`; a metric without items is None."""
    mean, mean_positive, cumulative = MeanIoU(), MeanIoU(), CumulativeIoU()
    no_target, boundary, sure = NoTargetAccuracy(), MeanBoundaryF(), OkAccuracy()
    differences = []
    for s in scores:
        failed = bool(s.error)
        mean.update(s.intersection, s.union, failed=failed)
        cumulative.update(s.intersection, s.union)
        sure.update(s.ok, s.iou)
        if s.positive is None:
            continue
        no_target.update(s.positive, s.refused, failed=failed)
        if s.positive:
            mean_positive.update(s.intersection, s.union, failed=failed)
            boundary.update(0.0 if failed else s.boundary)
            if s.swapped is not None:
                differences.append(s.iou - s.swapped)
    n_acc, t_acc = no_target.compute()
    ok_share, ok_right = sure.compute()
    return {
        'giou': mean.compute(),
        'ciou': cumulative.compute(),
        'giou_positive': mean_positive.compute(),
        'n_acc': n_acc,
        't_acc': t_acc,
        'ok_share': ok_share,
        'ok_right': ok_right,
        'boundary_f': boundary.compute(),
        'recall': float(np.mean([s.recall for s in scores if s.positive])) if no_target.count[True] else None,
        'marked': float(np.mean([s.marked for s in scores])) if scores else None,
        'language_sensitivity': float(np.mean(differences)) if differences else None,
        'n_items': len(scores),
        'n_positive': no_target.count[True],
        'n_negative': no_target.count[False],
        'n_sensitivity': len(differences),
        'n_failed': sum(bool(s.error) for s in scores),
    }
