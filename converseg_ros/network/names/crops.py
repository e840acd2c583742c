"""Square crops around segments, the input of the trunk."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import mask_box

TRAINING_SIDE = 128  # pixels of a crop in training
INFERENCE_SIDE = 160  # of one of a view: things appear larger than in augmented training crops (arXiv 1906.06423)
MARGIN = 1.25  # side of the window relative to the longer side of the segment's box
MIN_SIDE = 24.0  # pixels of the image: a smaller window is too blurred
GREY = 127.0  # value of the background, and the trunk's mean
PLAIN, FADED, MASKED = 1.0, 0.35, 0.0  # share of the background that remains


class Window(NamedTuple):
    """A square of the image: its centre (x, y) and side in pixels."""

    x: float
    y: float
    side: float


def window(mask: NDArray[np.bool_], margin: float = MARGIN, least: float = MIN_SIDE) -> Window:
    """Return the square around an (H, W) mask; an empty mask gives the smallest square, at the origin."""
    box = mask_box(mask)
    side = max(box.x1 - box.x0, box.y1 - box.y0) * margin
    return Window((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, max(side, least))


def look(image: NDArray[Any], where: Window, size: int, border: int = cv2.BORDER_REFLECT) -> NDArray[Any]:
    """Resample a window of an (H, W[, C]) image to (size, size[, C]); `border` is the mode outside of the image."""
    half = where.side / 2
    x0, y0 = max(0, int(where.x - half) - 2), max(0, int(where.y - half) - 2)
    part = image[y0 : int(where.y + half) + 3, x0 : int(where.x + half) + 3]
    x, y, scale = where.x - x0, where.y - y0, size / where.side
    shrink = 0.5 if scale < 0.5 else 1.0
    while scale < shrink / 2:
        shrink /= 2
    if shrink < 1:  # linear interpolation alone would skip pixels
        rows, columns = (max(1, round(n * shrink)) for n in part.shape[:2])
        x, y, part = x * columns / part.shape[1], y * rows / part.shape[0], _smaller(part, rows, columns)
        scale /= shrink
    move = np.array([[scale, 0, size / 2 - scale * x], [0, scale, size / 2 - scale * y]], np.float32)
    return cv2.warpAffine(np.ascontiguousarray(part), move, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)


def _smaller(image: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    return cv2.resize(np.ascontiguousarray(image), (columns, rows), interpolation=cv2.INTER_AREA)


def cut(
    rgb: NDArray[np.uint8], masks: NDArray[np.bool_], background: float = PLAIN, size: int = TRAINING_SIDE
) -> NDArray[np.uint8]:
    """Return a crop (S, size, size, 3) around each of the (S, h, w) masks, which cover the image.

    background: share of the surroundings that remains; the rest is grey, with a soft edge.
    """
    (crops,) = cut_with(rgb, masks, (background,), size)
    return crops


def cut_with(
    rgb: NDArray[np.uint8], masks: NDArray[np.bool_], backgrounds: Sequence[float], size: int = TRAINING_SIDE
) -> list[NDArray[np.uint8]]:
    """Return the crops (S, size, size, 3) of `cut` for each of the backgrounds; the image is resampled once."""
    out = [np.empty((len(masks), size, size, 3), np.uint8) for _ in backgrounds]
    values, shares, grey = (np.empty((size, size, 3), np.float32) for _ in range(3))  # reused: new arrays are slow
    sy, sx = rgb.shape[0] / masks.shape[1], rgb.shape[1] / masks.shape[2]
    for index, mask in enumerate(masks):
        where = window(mask, least=MIN_SIDE / sx)
        crop = look(rgb, Window(where.x * sx, where.y * sy, where.side * sx), size)
        if min(backgrounds) < 1:
            inside = look(mask.view(np.uint8) * np.uint8(255), where, size, cv2.BORDER_CONSTANT)
            grown = cv2.dilate(inside, np.ones((5, 5), np.uint8))
            weight = cv2.GaussianBlur(grown.astype(np.float32) / 255, (0, 0), 1.5)
            np.copyto(values, crop)
        for target, background in zip(out, backgrounds):
            if background < 1:
                share = background + (1 - background) * weight
                cv2.cvtColor(share, cv2.COLOR_GRAY2BGR, shares)
                cv2.cvtColor(GREY * (1 - share), cv2.COLOR_GRAY2BGR, grey)
                np.add(np.multiply(values, shares, out=shares), grey, out=shares)
                target[index] = shares
            else:
                target[index] = crop
    return out
