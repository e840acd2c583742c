"""Conversion between camera images and network inputs, and between their coordinates.

pad: the image is resized with its aspect ratio and centred on black (the reference's demo; downscaling averages areas,
upscaling is bilinear). stretch: it is resized to the input without keeping the aspect ratio (the reference's
evaluation; antialiased bilinear in float).
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
from torch.nn import functional as F

from converseg_ros.core import InputError
from converseg_ros.network.config import Preprocess
from converseg_ros.network.graphs import constant

Size = tuple[int, int]  # rows, columns


def inner_size(shape: Size, size: Size) -> Size:
    """Return the largest size with `shape`'s aspect ratio within a network input of `size`."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def offset(inner: Size, size: Size) -> Size:
    """Return top and left of a centred image."""
    return (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2


def resize(rgb: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Resize (H, W, 3) to `size`: area average when the longer side shrinks, else bilinear."""
    if rgb.shape[:2] == size:
        return rgb
    method = cv2.INTER_AREA if max(rgb.shape[:2]) > max(size) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (size[1], size[0]), interpolation=method), np.uint8)


def to_input(rgb: NDArray[np.uint8], size: Size, mode: Preprocess) -> Tensor:
    """Return the network input of an (H, W, 3) uint8 image: (1, 3, size) uint8 (pad) or float32 in 0..255 (stretch)."""
    if mode == 'stretch':
        image = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].to(torch.float32)
        return F.interpolate(image, size=size, mode='bilinear', align_corners=False, antialias=True)
    if mode != 'pad':
        raise InputError(f'preprocess is {mode!r}', where='network', do='use pad or stretch')
    inner = inner_size(rgb.shape[:2], size)
    if inner == size:
        canvas = np.ascontiguousarray(resize(rgb, inner))
    else:
        top, left = offset(inner, size)
        canvas = np.zeros((*size, 3), np.uint8)
        canvas[top : top + inner[0], left : left + inner[1]] = resize(rgb, inner)
    return torch.from_numpy(canvas).permute(2, 0, 1)[None]


def normalise(
    images: Tensor, mean: tuple[float, ...], std: tuple[float, ...], dtype: torch.dtype = torch.float32
) -> Tensor:
    """Return (B, 3, H, W) normalized pixels of (B, 3, H, W) in 0..255, on the images' device."""
    shift, scale = (constant(v, images.device).view(1, 3, 1, 1) for v in (mean, std))
    return ((images.to(torch.float32) / 255 - shift) / scale).to(dtype)


@lru_cache(maxsize=32)
def back_matrices(shape: Size, size: Size, grid: Size, mode: Preprocess, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return (H, rows of grid) and (columns of grid, W): left @ logits @ right are the logits at image size.

    shape: of the image. size: of the network's input. grid: of the logits. Bilinear interpolation is linear and
    separable, so upsampling to the input, cropping the padding and resizing to the image are one product. In stretch
    mode the logits are resized to the image directly; both as in the reference.
    """
    if mode == 'stretch':
        left, right = (_bilinear(grid[i], shape[i]) for i in (0, 1))
        return left.to(device), right.T.contiguous().to(device)
    inner = inner_size(shape, size)
    start = offset(inner, size)
    left, right = (
        _bilinear(inner[i], shape[i]) @ _bilinear(grid[i], size[i])[start[i] : start[i] + inner[i]] for i in (0, 1)
    )
    return left.to(device), right.T.contiguous().to(device)


def clear_caches() -> None:
    """Release the tensors that are kept on devices; those that another network still needs are computed again."""
    back_matrices.cache_clear()
    constant.cache_clear()


def _bilinear(source: int, target: int) -> Tensor:
    """Return the (target, source) matrix of bilinear interpolation with half-pixel centres, as in torch."""
    eye = torch.eye(source, dtype=torch.float64)[None]
    matrix = F.interpolate(eye, size=target, mode='linear', align_corners=False)[0].T
    return matrix.to(torch.float32).contiguous()


def to_image(logits: Tensor, shape: Size, size: Size, mode: Preprocess) -> Tensor:
    """Return (K, H, W) float32 logits at image size of (K, h, w) logits of a network input of `size`."""
    left, right = back_matrices(shape, size, (logits.shape[1], logits.shape[2]), mode, logits.device)
    return left @ logits.to(torch.float32) @ right


def cell_pixels(shape: Size, grid: Size) -> float:
    """Return the number of image pixels per cell of the logits' grid, along the side that fills the input."""
    return max(shape[0] / grid[0], shape[1] / grid[1])
