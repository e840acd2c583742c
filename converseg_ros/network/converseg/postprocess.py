"""From logits to predictions: masks at image size, scores, and the status."""

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

from converseg_ros.core import Prediction, Status
from converseg_ros.network.calibration import Calibration, decide
from converseg_ros.network.config import Outline, Preprocess
from converseg_ros.network.converseg.preprocess import cell_pixels, to_image
from converseg_ros.network.guided_filter import follow_image, without_specks


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer before the decision: mask and probability (H, W), area in pixels, scores in [0, 1].

    Both scores are NaN if the logits of the network were not finite.
    """

    mask: NDArray[np.bool_]
    probability: NDArray[np.float32] | None
    area: int
    mask_score: float
    object_score: float

    def prediction(self, calibration: Calibration | None, recall: bool, milliseconds: dict[str, float]) -> Prediction:
        """Return the prediction. recall: a safety instruction, for which a miss costs more than a false alarm."""
        verdict = decide(
            calibration, area=self.area, object_score=self.object_score, mask_score=self.mask_score, recall=recall
        )
        if verdict.status == Status.ERROR:
            empty = np.zeros_like(self.mask)
            return Prediction(empty, verdict.score, verdict.status, verdict.reason, stage_ms=dict(milliseconds))
        mask = self.mask if verdict.status != Status.NO_TARGET else np.zeros_like(self.mask)
        return Prediction(
            mask,
            verdict.score,
            verdict.status,
            verdict.reason,
            calibration is not None,
            self.object_score,
            self.probability,
            dict(milliseconds),
            mask_score=self.mask_score,
        )


def read(
    logits: Tensor,
    objects: Tensor,
    rgb: NDArray[np.uint8],
    *,
    size: tuple[int, int],
    preprocess: Preprocess,
    outline: Outline,
    threshold: float,
    maps: bool,
    recall: Sequence[bool],
) -> list[Answer]:
    """Resize (K, h, w) logits to an (H, W, 3) image and threshold them; objects: (K,) object score logits.

    size: of the network's input. outline: the outlines of masks. threshold: foreground probability of a pixel. maps:
    return probabilities. recall: whether each is a safety instruction, whose components are all kept. There is one
    transfer each for masks, maps and numbers.
    """
    shape = (int(rgb.shape[0]), int(rgb.shape[1]))
    full = to_image(logits, shape, size, preprocess)
    probabilities: NDArray[np.float32] | None
    if outline == 'image':
        cell = cell_pixels(shape, (logits.shape[1], logits.shape[2]))
        sharp = follow_image(full.sigmoid_().cpu().numpy(), rgb, cell)
        masks, probabilities = sharp > threshold, sharp if maps else None
        for k in np.flatnonzero(~np.asarray(recall)):
            masks[k] = without_specks(masks[k])
    else:
        masks = (full > math.log(threshold / (1 - threshold))).cpu().numpy()
        probabilities = full.sigmoid_().cpu().numpy() if maps else None
    coarse = logits.float().sigmoid().flatten(1)
    inside = coarse > threshold
    mean = (coarse * inside).sum(1) / inside.sum(1).clamp_min(1)
    scores = torch.stack([mean, objects.float().sigmoid()], 1)
    # One number that is not finite invalidates the complete answer; a NaN compares false and would mean "no mask".
    finite = logits.isfinite().flatten(1).all(1) & objects.isfinite()
    numbers = scores.masked_fill(~finite[:, None], float('nan')).tolist()
    return [
        Answer(
            masks[k],
            None if probabilities is None else probabilities[k],
            int(np.count_nonzero(masks[k])),
            *numbers[k],
        )
        for k in range(len(masks))
    ]
