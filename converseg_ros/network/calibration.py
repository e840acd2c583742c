"""The decision between OK, LOW_CONFIDENCE and NO_TARGET, and the meaning of the score.

The network gives two pieces of evidence that a target exists: the object score and the mean foreground probability
inside the mask. Platt scaling (Platt 1999) of their log-odds gives a probability, and three thresholds on it decide.
They are fitted on labelled images with and without targets and stored in calibration.json in the folder of the weights.
An empty mask alone is not NO_TARGET: with a probability at or above the threshold the answer is LOW_CONFIDENCE without
a mask, because something may be there. Scores that are not finite are an ERROR. Without the file, an answer is
NO_TARGET only if its mask is empty. The IoU scores of the mask decoder are not used, because they are not supervised in
the released weights.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
import json
import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from converseg_ros.core import InputError, Status
from converseg_ros.core.errors import parsing
from converseg_ros.core.files import write_json
from converseg_ros.core.probability import log_odds
from converseg_ros.network.thresholds import best_threshold, held_out_report, precision_threshold, recall_threshold

FORMAT = 1
CLIP = 1e-4  # minimum distance of probabilities from 0 and 1 before taking log-odds
UNCALIBRATED = 'not calibrated: only an empty mask counts as no target'


@dataclass(frozen=True, slots=True)
class Calibration:
    """p(target) = sigmoid(object_weight * logit(object score) + mask_weight * logit(mask score) + bias).

    no_target: the answer is NO_TARGET below it. recall: the same for safety instructions, for few missed targets.
    confident: the answer is OK from it on, and LOW_CONFIDENCE between the two. mask_threshold: foreground probability
    of a pixel. report: metrics on held-out images. provenance: the calibration data.
    """

    object_weight: float
    mask_weight: float
    bias: float
    no_target: float
    recall: float
    confident: float
    mask_threshold: float = 0.5
    report: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Validate that the thresholds are probabilities in order."""
        values = (self.recall, self.no_target, self.confident)
        if not all(math.isfinite(v) for v in (self.object_weight, self.mask_weight, self.bias)):
            raise InputError(
                f'weights {self.object_weight}, {self.mask_weight} and bias {self.bias} are not finite numbers',
                where='calibration',
                do='calibrate again: converseg eval items ... --calibrate',
            )
        if (
            not all(0 <= v <= 1 for v in values)
            or not 0 < self.mask_threshold < 1
            or not values[0] <= values[1] <= values[2]
        ):
            raise InputError(
                f'thresholds recall {self.recall}, no_target {self.no_target}, confident {self.confident} are not in'
                ' order between 0 and 1',
                where='calibration',
                do='calibrate again: converseg eval items ... --calibrate',
            )

    def probability(self, object_score: ArrayLike, mask_score: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that a target exists, from scores in [0, 1]."""
        linear = (
            self.object_weight * log_odds(object_score, CLIP)
            + self.mask_weight * log_odds(mask_score, CLIP)
            + self.bias
        )
        return np.asarray(expit(linear))

    def save(self, path: Path) -> None:
        """Write calibration.json."""
        write_json(path, {'format': FORMAT, **asdict(self)})

    @classmethod
    def load(cls, path: Path) -> 'Calibration':
        """Read calibration.json."""
        with parsing('a calibration', path, 'calibrate again: converseg eval items ... --calibrate'):
            data = json.loads(path.read_text())
            if data.pop('format', FORMAT) > FORMAT:
                raise InputError('the format is newer than this program', where=str(path), do='update converseg')
            known = {f.name for f in fields(cls)}
            return cls(**{k: v for k, v in data.items() if k in known})


class ScoredAnswer(Protocol):
    """The input of a calibration: an answer with its ground truth (evaluation's Score)."""

    @property
    def image_id(self) -> str:
        """Return the image id; answers of one image stay together."""
        ...

    @property
    def positive(self) -> bool | None:
        """Return whether the item has a target."""
        ...

    @property
    def iou(self) -> float:
        """Return the IoU of mask and ground truth."""
        ...

    @property
    def weight(self) -> float:
        """Return how much the answer counts."""
        ...

    @property
    def object_score(self) -> float | None:
        """Return Prediction.object_score."""
        ...

    @property
    def mask_score(self) -> float | None:
        """Return Prediction.mask_score."""
        ...

    @property
    def evidence(self) -> dict[str, float]:
        """Return Prediction.evidence."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status and reason of an answer.

    score: the number in [0, 1] that decided whether there is a target. confidence: probability that the mask is right,
    or None if it is not known. absence: log-odds against an answer, positive for NO_TARGET, or None if they are not
    known.
    """

    status: Status
    score: float
    reason: str = ''
    confidence: float | None = None
    absence: float | None = None


def decide(
    calibration: Calibration | None, *, area: int, object_score: float, mask_score: float, recall: bool = False
) -> Verdict:
    """Return the status of one answer; `area` of the thresholded mask in pixels; recall: a safety instruction.

    Scores that are not finite represent logits that are not finite (see postprocess.read); the answer is then an ERROR.
    """
    if not (math.isfinite(object_score) and math.isfinite(mask_score)):
        return Verdict(Status.ERROR, 0.0, 'the network answered with numbers that are not finite')
    if calibration is None:
        if area == 0:
            return Verdict(Status.NO_TARGET, 0.0, f'the mask is empty ({UNCALIBRATED})')
        return Verdict(Status.OK, 1.0, UNCALIBRATED)
    p = float(calibration.probability(object_score, mask_score))
    threshold = calibration.recall if recall else calibration.no_target
    if p < threshold:
        return Verdict(Status.NO_TARGET, p, f'probability {p:.2f} of a target is below {threshold:.2f}')
    if area == 0:
        # The two parts of the answer contradict each other; NO_TARGET would hide the stronger one.
        return Verdict(
            Status.LOW_CONFIDENCE, p, f'something may be there (probability {p:.2f} of a target), but it has no mask'
        )
    if p < calibration.confident:
        return Verdict(
            Status.LOW_CONFIDENCE, p, f'probability {p:.2f} of a target is below {calibration.confident:.2f}'
        )
    return Verdict(Status.OK, p)


def fit_calibration(
    object_scores: ArrayLike,
    is_positive: ArrayLike,
    ious: ArrayLike,
    *,
    mask_scores: ArrayLike | None = None,
    groups: Sequence[str] | None = None,
    recall: float = 0.98,
    precision: float = 0.5,
    provenance: dict[str, Any] | None = None,
) -> Calibration:
    """Fit on N answers of an uncalibrated predictor.

    Args:
        object_scores: (N,) in [0, 1].
        is_positive: (N,) bool, whether the image has a target.
        ious: (N,) of the mask with the ground truth; ignored without a target.
        mask_scores: (N,) in [0, 1]; without them, the mask's evidence has no weight.
        groups: (N,) image ids; answers on one image stay together in the cross-validated report.
        recall: share of targets that the safety threshold keeps.
        precision: share of OK answers with an IoU of 0.5 or more.

    Raises:
        InputError: fewer than ten targets or ten images without.
    """
    objects = np.asarray(object_scores, np.float64).ravel()
    truth = np.asarray(is_positive, bool).ravel()
    overlap = np.nan_to_num(np.asarray(ious, np.float64).ravel())
    masks = np.full_like(objects, 0.5) if mask_scores is None else np.asarray(mask_scores, np.float64).ravel()
    if not objects.size == truth.size == overlap.size == masks.size:
        raise InputError('the arrays have different lengths', where='calibration')
    quality = np.where(truth, overlap, 0.0)
    if truth.sum() < 10 or (~truth).sum() < 10:
        raise InputError(
            f'{int(truth.sum())} items with and {int((~truth).sum())} without a target are too few to calibrate on',
            where='calibration',
            do='give at least ten of each, better hundreds',
        )
    names = [str(i) for i in range(truth.size)] if groups is None else list(groups)
    held_out = _cross_validated(objects, masks, truth, names)
    weights = _platt(objects, masks, truth)
    p = _apply(weights, objects, masks)
    no_target = best_threshold(p, truth, quality)
    safe = min(recall_threshold(p, truth, recall), no_target)
    confident = max(precision_threshold(p, quality, precision), no_target)
    report = held_out_report(held_out, truth, no_target=no_target, recall=safe)
    a, b, c = weights.tolist()
    return Calibration(a, b, c, no_target, safe, confident, report=report, provenance=provenance or {})


def _apply(weights: NDArray[np.float64], objects: ArrayLike, masks: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities for weights (object, mask, bias)."""
    a, b, c = weights.tolist()
    return Calibration(a, b, c, 0.0, 0.0, 0.0).probability(objects, masks)


def _platt(objects: ArrayLike, masks: ArrayLike, truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit a logistic regression by Newton's method, with Platt's smoothed targets and a weak ridge on the slopes."""
    x = np.stack([log_odds(objects, CLIP), log_odds(masks, CLIP), np.ones(truth.size)], 1)
    positive = truth.sum()
    target = np.where(truth, (positive + 1) / (positive + 2), 1 / (truth.size - positive + 2))
    ridge = np.diag([1e-2, 1e-2, 1e-6])
    weights = np.zeros(3)
    for _ in range(100):
        p = expit(x @ weights)
        gradient = x.T @ (p - target) + ridge @ weights
        hessian = (x * (p * (1 - p) + 1e-9)[:, None]).T @ x + ridge
        step = np.linalg.solve(hessian, gradient)
        weights = weights - step * min(1.0, 5.0 / (np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    # More evidence must never mean a lower probability: a slope with the wrong sign is noise.
    if (weights[:2] < 0).any():
        keep = weights[:2] >= 0
        if not keep.any():
            return np.array([0.0, 0.0, math.log((positive + 1) / (truth.size - positive + 1))])
        half = np.full(truth.size, 0.5)
        return np.asarray(_platt(objects if keep[0] else half, masks if keep[1] else half, truth) * [*keep, True])
    return weights


def _cross_validated(
    objects: NDArray[np.float64], masks: NDArray[np.float64], truth: NDArray[np.bool_], groups: Sequence[str]
) -> NDArray[np.float64]:
    """Return each answer's probability under a fit on the other images (five folds)."""
    order = {name: i % 5 for i, name in enumerate(dict.fromkeys(groups))}
    fold = np.array([order[g] for g in groups])
    p = np.zeros(truth.size)
    for f in range(5):
        test = fold == f
        if test.any():
            p[test] = _apply(_platt(objects[~test], masks[~test], truth[~test]), objects[test], masks[test])
    return p
