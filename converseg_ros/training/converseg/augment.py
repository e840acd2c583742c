"""Augmented views of an image for training: crop, mirror, lens distortion, and degradation."""

from dataclasses import dataclass
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Family, Item
from converseg_ros.network.converseg.preprocess import inner_size, offset, resize
from converseg_ros.training.converseg.config import AugmentConfig

Size = tuple[int, int]  # rows, columns
Rng = np.random.Generator
SWAP = {'left': 'right', 'right': 'left', 'leftmost': 'rightmost', 'rightmost': 'leftmost'}
SWAP |= {f'{a}-hand': f'{b}-hand' for a, b in (('left', 'right'), ('right', 'left'))}
SIDES = re.compile(r'\b(left-hand|right-hand|leftmost|rightmost|left(?! over)|right(?! now))\b', re.IGNORECASE)
# families whose ground truth depends on other objects in the image
WHOLE_IMAGE = (Family.SPATIAL, Family.RELATIONS, Family.PHYSICS)


@dataclass(frozen=True, slots=True)
class View:
    """A view of an image: the visible rectangle (x0, y0, x1, y1), mirroring, and lens distortion."""

    rectangle: tuple[int, int, int, int]
    mirrored: bool = False
    lens: float = 0.0
    plain: bool = False  # the complete image as in inference: aspect ratio kept, padded


def draw_view(shape: Size, config: AugmentConfig, rng: Rng) -> View:
    """Draw a view of an image of `shape`: a crop whose aspect ratio changes by at most a quarter."""
    height, width = shape
    scale = 1 - config.crop * rng.random()
    stretch = 1 + 0.25 * (rng.random() - 0.5) * (config.crop > 0)
    w = int(min(width, max(32, width * scale * stretch)))
    h = int(min(height, max(32, height * scale / stretch)))
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    lens = float(rng.uniform(-0.12, 0.12)) if rng.random() < config.lens else 0.0
    return View((x, y, x + w, y + h), bool(rng.random() < config.flip), lens)


def plain_view(shape: Size) -> View:
    """Return the view of inference."""
    return View((0, 0, shape[1], shape[0]), plain=True)


def see_image(rgb: NDArray[np.uint8], view: View, size: Size) -> NDArray[np.uint8]:
    """Return (size, 3) uint8 of an (H, W, 3) image."""
    if view.plain:
        inner = inner_size((rgb.shape[0], rgb.shape[1]), size)
        top, left = offset(inner, size)
        canvas = np.zeros((*size, 3), np.uint8)
        canvas[top : top + inner[0], left : left + inner[1]] = resize(rgb, inner)
        return canvas
    x0, y0, x1, y1 = view.rectangle
    out = resize(np.ascontiguousarray(rgb[y0:y1, x0:x1]), size)
    return _bend(out[:, ::-1] if view.mirrored else out, view.lens)


def see_mask(mask: NDArray[np.bool_], view: View, size: Size, grid: Size) -> NDArray[np.uint8]:
    """Return the share of each cell of `grid` that an (H, W) mask covers, 0..255."""
    if view.plain:
        inner = inner_size((mask.shape[0], mask.shape[1]), size)
        top, left = offset(inner, size)
        canvas: NDArray[Any] = np.zeros(size, np.float32)
        small = cv2.resize(mask.astype(np.float32), (inner[1], inner[0]), interpolation=cv2.INTER_AREA)
        canvas[top : top + inner[0], left : left + inner[1]] = small
    else:
        x0, y0, x1, y1 = view.rectangle
        part = np.ascontiguousarray(mask[y0:y1, x0:x1]).astype(np.float32)
        canvas = cv2.resize(part, (size[1], size[0]), interpolation=cv2.INTER_AREA)
        canvas = _bend(np.ascontiguousarray(canvas[:, ::-1] if view.mirrored else canvas), view.lens)
    small = cv2.resize(canvas, (grid[1], grid[0]), interpolation=cv2.INTER_AREA)
    return np.round(255 * np.clip(small, 0, 1)).astype(np.uint8)


def valid_cells(shape: Size, view: View, size: Size, grid: Size) -> NDArray[np.uint8]:
    """Return 1 for the cells of `grid` inside the image, 0 for padding."""
    seen = see_mask(np.ones(shape, bool), View(view.rectangle, view.mirrored, 0.0, view.plain), size, grid)
    return (seen > 127).astype(np.uint8)


def _bend(image: NDArray[Any], lens: float) -> NDArray[Any]:
    """Distort radially, r' = r (1 + lens r^2) with r = 1 at the half diagonal; the border is replicated."""
    if not lens:
        return np.ascontiguousarray(image)
    rows, columns = image.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    cy, cx = (rows - 1) / 2, (columns - 1) / 2
    r2 = ((x - cx) ** 2 + (y - cy) ** 2) / (cx**2 + cy**2)
    factor = (1 + lens * r2) / (1 + max(lens, 0.0))
    return cv2.remap(
        np.ascontiguousarray(image),
        (cx + (x - cx) * factor).astype(np.float32),
        (cy + (y - cy) * factor).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def seen_prompt(item: Item, view: View, covered: float) -> tuple[str, bool] | None:
    """Return the prompt and whether it has a target in this view, or None if the ground truth is no longer certain.

    covered: the share of the target's pixels inside the view (1 for a negative).
    """
    text = mirror_text(item.prompt) if view.mirrored else item.prompt
    if not item.positive:
        return text, False
    if view.plain or covered > 0.95:
        return text, True
    if item.family in WHOLE_IMAGE and item.phase != 'literal':
        return None
    if covered > 0.5:
        return text, True
    if covered == 0 and item.phase == 'literal' and item.family not in WHOLE_IMAGE:
        return text, False  # the complete target is outside
    return None


def mirror_text(text: str) -> str:
    """Swap left and right in a text."""

    def swap(match: re.Match[str]) -> str:
        word = match.group(0)
        other = SWAP[word.lower()]
        return other.capitalize() if word[0].isupper() else other

    return SIDES.sub(swap, text)


def worsen(rgb: NDArray[np.uint8], config: AugmentConfig, rng: Rng) -> NDArray[np.uint8]:
    """Return (H, W, 3) with changed exposure, colour cast, saturation, blur, noise and compression."""
    image: NDArray[Any] = rgb.astype(np.float32) / 255
    a = config.colour
    if a:
        image = image ** float(np.exp(rng.uniform(-a, a) * 0.6))
        image = image * (1 + rng.uniform(-a, a, 3).astype(np.float32) * 0.4) * float(np.exp(rng.uniform(-a, a) * 0.7))
        grey = image.mean(2, keepdims=True)
        image = grey + (image - grey) * float(1 + rng.uniform(-1.5 * a, a))
        image = (image - image.mean()) * float(1 + rng.uniform(-a, a) * 0.7) + image.mean()
    if rng.random() < config.blur:
        if rng.random() < 0.5:
            image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.6)))
        else:  # motion
            length = int(rng.integers(3, 8))
            kernel: NDArray[Any] = np.zeros((length, length), np.float32)
            kernel[length // 2] = 1 / length
            turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(rng.uniform(0, 180)), 1)
            kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
            image = cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1e-6))
    if rng.random() < config.noise:
        image = image + rng.normal(0, rng.uniform(0.005, 0.05), image.shape).astype(np.float32)
    out = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
    if rng.random() < config.jpeg:
        _, data = cv2.imencode('.jpg', out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(out)
