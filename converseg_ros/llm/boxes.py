"""Box conventions of families of vision-language models.

Qwen2.5-VL was trained on absolute pixels of its input image (arXiv 2502.13923, section 2.2); Qwen2-VL, Qwen3-VL and
InternVL on thousandths; Gemini and PaliGemma on thousandths with the top first (their documentation of `box_2d`).
"""

from dataclasses import dataclass
import re
from typing import Literal

import numpy as np

THOUSAND = 1000.0


@dataclass(frozen=True, slots=True)
class BoxConvention:
    """The unit and the order of the four numbers of a box."""

    unit: Literal['thousandths', 'pixels'] = 'thousandths'
    order: Literal['left first', 'top first'] = 'left first'

    def words(self, width: int, height: int) -> str:
        """Return the request for a box, for an image that is sent with this size."""
        names = '[left, top, right, bottom]' if self.order == 'left first' else '[top, left, bottom, right]'
        if self.unit == 'pixels':
            return f'{names} in pixels of the image, which is {width} wide and {height} high'
        return f"{names} in thousandths of the image's width and height"

    def write(self, share: list[float], size: tuple[int, int]) -> list[int]:
        """Return a box of shares (left, top, right, bottom; 0..1) in this convention; `size` is (width, height)."""
        scale = size if self.unit == 'pixels' else (THOUSAND, THOUSAND)
        box = [round(v * scale[i % 2]) for i, v in enumerate(share)]
        return box if self.order == 'left first' else [box[1], box[0], box[3], box[2]]

    def read(self, boxes: list[list[float]], size: tuple[int, int]) -> list[list[float]]:
        """Return the boxes of one reply as shares (left, top, right, bottom).

        The numbers of all boxes decide whether the model used the requested unit. Shares are within 0..1 and not all
        integers. Numbers beyond 1000 that all fit the image are pixels; numbers outside of the image, but not beyond
        1000, are thousandths.
        """
        if not boxes:
            return []
        values = np.asarray(boxes, np.float64)
        if self.order == 'top first':
            values = values[:, [1, 0, 3, 2]]
        finite = values[np.isfinite(values).all(1)]
        if not len(finite):
            return [[float(x) for x in box] for box in values]
        limits = np.array([*size, *size], np.float64)
        within = bool((finite >= 0).all() and (finite <= limits * 1.01).all())
        if (finite >= 0).all() and (finite <= 1.0).all() and (finite % 1 != 0).any():
            scale = np.ones(4)
        elif self.unit == 'pixels' and not within and (finite >= 0).all() and (finite <= THOUSAND).all():
            scale = np.full(4, THOUSAND)
        elif self.unit == 'pixels' or (within and (finite > THOUSAND).any()):
            scale = limits
        else:
            scale = np.full(4, THOUSAND)
        return [[float(x) for x in box] for box in values / scale]


FAMILIES: tuple[tuple[str, BoxConvention], ...] = (
    (r'qwen-?2[._]5[-_]?(vl|omni)', BoxConvention('pixels')),
    (r'gemini|paligemma', BoxConvention('thousandths', 'top first')),
)


def convention_of(model: str) -> BoxConvention:
    """Return the convention of the family of a model by its name; thousandths, left first, if it is unknown."""
    return next((c for pattern, c in FAMILIES if re.search(pattern, model.lower())), BoxConvention())
