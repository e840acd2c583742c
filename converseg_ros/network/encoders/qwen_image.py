"""Qwen2.5-VL's image preprocessing in torch, numerically equal to its processor, which needs torchvision."""

from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
from torch.nn import functional as F

from converseg_ros.core import InputError

PATCH, MERGE, TEMPORAL = 14, 2, 2
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class Patches:
    """pixels: (rows * columns, 3 * 2 * 14 * 14) float32 in the vision tower's order; rows, columns: of patches."""

    pixels: Tensor
    rows: int
    columns: int

    @property
    def grid(self) -> tuple[int, int]:
        """Return rows and columns of merged patches, the input of the language model."""
        return self.rows // MERGE, self.columns // MERGE


def smart_size(shape: tuple[int, int], min_pixels: int, max_pixels: int) -> tuple[int, int]:
    """Return the size (rows, columns) that Qwen2-VL resizes to: multiples of 28 with the area within the limits."""
    rows, columns = shape
    factor = PATCH * MERGE
    if max(shape) / min(shape) > 200:
        raise InputError(f'the image is {columns}x{rows}: more than 200 times as long as wide', where='image')
    tall, wide = round(rows / factor) * factor, round(columns / factor) * factor
    if tall * wide > max_pixels:
        beta = math.sqrt(rows * columns / max_pixels)
        tall = max(factor, math.floor(rows / beta / factor) * factor)
        wide = max(factor, math.floor(columns / beta / factor) * factor)
    elif tall * wide < min_pixels:
        beta = math.sqrt(min_pixels / (rows * columns))
        tall, wide = math.ceil(rows * beta / factor) * factor, math.ceil(columns * beta / factor) * factor
    return tall, wide


def patches(rgb: NDArray[np.uint8] | Tensor, size: tuple[int, int]) -> Patches:
    """Resize (H, W, 3) uint8 to `size` (antialiased bicubic on uint8), normalize and split into patches."""
    image = torch.as_tensor(rgb).permute(2, 0, 1)[None]
    if tuple(image.shape[2:]) != size:
        image = F.interpolate(image, size=size, mode='bicubic', antialias=True, align_corners=False)
    mean = torch.tensor(MEAN, device=image.device).view(1, 3, 1, 1) * 255
    std = torch.tensor(STD, device=image.device).view(1, 3, 1, 1) * 255
    pixels = (image.to(torch.float32) - mean) / std
    rows, columns = size[0] // PATCH, size[1] // PATCH
    cut = pixels.reshape(3, rows // MERGE, MERGE, PATCH, columns // MERGE, MERGE, PATCH)
    cut = cut.permute(1, 4, 2, 5, 0, 3, 6).reshape(rows * columns, 3, 1, PATCH * PATCH)
    # A still image is used for both frames of a temporal patch.
    return Patches(cut.expand(-1, -1, TEMPORAL, -1).reshape(rows * columns, -1), rows, columns)
