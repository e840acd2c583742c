"""Scores on the validation split during training, on the network's grid; `converseg eval` scores at image size."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
import torch

from converseg_ros.core.image_files import write_image
from converseg_ros.core.overlay import Layer, draw_overlay
from converseg_ros.core.status import Status
from converseg_ros.training.converseg.answer import Answerer
from converseg_ros.training.converseg.batches import Batch, PromptSelection, Source, evaluation_rng
from converseg_ros.training.converseg.losses import hard_iou


def batches(answerer: Answerer, source: Source, limit: int, ask: PromptSelection) -> Iterator[Batch]:
    """Yield up to `limit` views with prompts; deterministic, distributed over the source."""
    device = next(answerer.network.parameters()).device
    count = min(limit or len(source), len(source))
    for index in np.unique(np.linspace(0, len(source) - 1, count).round().astype(int)) if count else []:
        yield source.make([(int(index), evaluation_rng(str(index)))], ask).to(device)


def validate(answerer: Answerer, source: Source, *, limit: int, blind: bool = False) -> dict[str, float]:
    """Return gIoU, N-acc, T-acc and by family; giou_mask: on positives, independent of the object score."""
    rows: dict[str, list[float]] = defaultdict(list)
    for batch in batches(answerer, source, limit, PromptSelection(0, 0.5, 0.5, float(blind))):
        if not batch.texts:
            continue
        decoded = answerer.answer(batch)
        reached = hard_iou(decoded.masks[:, 0].float(), batch.target, batch.valid)
        present = decoded.object_score > 0
        for row, positive in enumerate(batch.positive.tolist()):
            says, value = bool(present[row]), float(reached[row])
            score = (value if says else 0.0) if positive else float(not says)
            rows['giou'].append(score)
            rows[f'family/{batch.families[row] or "none"}'].append(score)
            rows['t_acc' if positive else 'n_acc'].append(float(says) if positive else float(not says))
            if positive:
                rows['giou_positive'].append(score)
                rows['giou_mask'].append(value)
                rows[f'mask/{batch.families[row] or "none"}'].append(value)
    return {k: float(np.mean(v)) for k, v in sorted(rows.items())}


def write_panels(answerer: Answerer, source: Source, folder: Path, *, count: int) -> None:
    """Write pictures of `count` views: ground truth on the left, answer on the right, up to four prompts each."""
    for number, batch in enumerate(batches(answerer, source, count, PromptSelection(4, 0.4, 0.25))):
        if not batch.texts:
            continue
        picture = batch.pixels[0].permute(1, 2, 0).cpu().numpy()
        decoded = answerer.answer(batch)
        size = (picture.shape[1], picture.shape[0])
        tiles = []
        for row, text in enumerate(batch.texts):
            logits = decoded.masks[row, 0].float().cpu().numpy()
            answer = cv2.resize(logits, size, interpolation=cv2.INTER_LINEAR) > 0
            truth = cv2.resize(batch.target[row].cpu().numpy(), size, interpolation=cv2.INTER_LINEAR) > 0.5
            score = float(torch.sigmoid(decoded.object_score[row]))
            status = Status.OK if score > 0.5 else Status.NO_TARGET
            tiles.append(
                np.hstack([_tile(picture, truth, text), _tile(picture, answer, f'object {score:.2f}', status)])
            )
        write_image(folder / f'{number:03d}.png', np.vstack(tiles))


def _tile(
    picture: NDArray[np.uint8], mask: NDArray[np.bool_], caption: str, status: Status = Status.OK
) -> NDArray[np.uint8]:
    """Draw one mask with its caption."""
    return draw_overlay(np.ascontiguousarray(picture), [Layer(mask, caption, status=status)])
