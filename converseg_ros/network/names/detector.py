"""Evidence of a detector of COCO's 80 classes for segments."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
import torch

from converseg_ros.core.mask import mask_box
from converseg_ros.network.encoders.nanodet import (
    CLASSES,
    MEAN,
    STD,
    STRIDES,
    Detections,
    NanoDet,
    best_boxes,
    kinds_map,
)
from converseg_ros.network.precision import autocast

LONGEST, MULTIPLE = 512, 32  # sides of the input image of the detector
COUNT = 32  # boxes
FIT = (0.3, 0.8)  # IoU of box and segment from which a box counts, and from which it has full weight
GRID = 64  # columns of the grid for averaging the class map over segments
EVIDENCE = 2 * CLASSES


class Detected(NamedTuple):
    """boxes (N, 4): x0, y0, x1, y1 as shares of the image. kinds (N, 80), and where (80, h, w): probabilities."""

    boxes: NDArray[np.float32]
    kinds: NDArray[np.float32]
    where: NDArray[np.float32]


class Evidence:
    """Runs the detector on an image, and matches its output with segments."""

    def __init__(self, detector: NanoDet, dtype: torch.dtype = torch.float32) -> None:
        """Create the evidence with a frozen detector; dtype: precision, for example bfloat16."""
        self.detector, self.dtype = detector, dtype

    def __call__(self, rgb: NDArray[np.uint8], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return (S, 160) for the (S, H, W) masks of an image (H, W, 3): see `match`."""
        return match(self.detect(rgb), masks)

    def detect(self, rgb: NDArray[np.uint8]) -> Detected:
        """Run the detector on an (H, W, 3) image, resized to 512 pixels on its longer side."""
        scale = LONGEST / max(rgb.shape[:2])
        rows, columns = (max(1, round(n * scale / MULTIPLE)) * MULTIPLE for n in rgb.shape[:2])
        resized = cv2.resize(rgb, (columns, rows), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        weight = next(self.detector.parameters())
        pixels = torch.from_numpy(np.ascontiguousarray(resized[..., ::-1])).to(weight.device)
        mean, std = (torch.tensor(v, device=weight.device)[:, None, None] for v in (MEAN, STD))
        pixels = ((pixels.permute(2, 0, 1).float() - mean) / std)[None].contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), autocast(weight.device, self.dtype):
            return detected(self.detector(pixels.to(weight.dtype)))


def detected(levels: list[Detections]) -> Detected:
    """Return what the detector found in the first image of its input, from its output."""
    rows, columns = (n * STRIDES[0] for n in levels[0].logits.shape[-2:])
    found, where = best_boxes(levels, COUNT), kinds_map(levels)
    boxes = found.boxes[0].float().cpu().numpy() / np.array([columns, rows] * 2, np.float32)
    return Detected(boxes.astype(np.float32), found.kinds[0].float().cpu().numpy(), where[0].float().cpu().numpy())


def match(seen: Detected, masks: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return (S, 160): for each class, the probability of the best fitting box, and the mean in the segment."""
    height, width = masks.shape[1:]
    boxes = np.array([mask_box(m) for m in masks], np.float32).reshape(-1, 4) / np.array([width, height] * 2)
    low = np.maximum(boxes[:, None, :2], seen.boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], seen.boxes[None, :, 2:])
    inside = np.clip(high - low, 0, None).prod(2)
    areas = [np.clip(b[:, 2:] - b[:, :2], 0, None).prod(1) for b in (boxes, seen.boxes)]
    iou = inside / np.maximum(areas[0][:, None] + areas[1] - inside, 1e-9)
    fit = np.clip((iou - FIT[0]) / (FIT[1] - FIT[0]), 0, 1)
    by_box = (fit[..., None] * seen.kinds).max(1, initial=0)
    grid = (GRID, max(1, round(GRID * height / width)))
    small = np.stack([cv2.resize(m.view(np.uint8) * 255, grid, interpolation=cv2.INTER_AREA) for m in masks])
    share = small.reshape(len(masks), -1).astype(np.float32)
    share /= np.maximum(share.sum(1, keepdims=True), 1e-3)
    where = cv2.resize(seen.where.transpose(1, 2, 0), grid).reshape(-1, seen.where.shape[0])
    return np.concatenate([by_box, share @ where], 1).astype(np.float32)
