"""Draw regions on an image; shared by the node, the command line, the reports and the console."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.instruction import Role
from converseg_ros.core.palette import color_of
from converseg_ros.core.status import Status


@dataclass(frozen=True, slots=True)
class Layer:
    """One mask to draw: (H, W) bool, a caption, and the attributes that decide its style."""

    mask: NDArray[np.bool_]
    caption: str = ''
    role: Role = Role.PLAIN
    status: Status = Status.OK


def draw_overlay(rgb: NDArray[np.uint8], layers: Sequence[Layer], *, alpha: float = 0.45) -> NDArray[np.uint8]:
    """Return a copy of the (H, W, 3) image with tinted and outlined masks and one caption line per layer below it.

    Safety masks are also hatched, and a status other than OK is written as text, so that no information depends on
    colour alone.
    """
    import cv2

    out = rgb.copy()
    height, width = rgb.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width] if any(a.role == Role.SAFETY for a in layers) else (None, None)
    for index, layer in enumerate(layers):
        if not layer.mask.any():
            continue
        color = np.array(color_of(index, layer.role), np.float32)
        tint = layer.mask
        if layer.role == Role.SAFETY and rows is not None and columns is not None:
            tint = layer.mask & ((rows + columns) % 8 < 5)
        out[tint] = (out[tint] * (1 - alpha) + color * alpha).astype(np.uint8)
        contours, _ = cv2.findContours(layer.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        thickness = 1 if layer.status == Status.LOW_CONFIDENCE else 2
        cv2.drawContours(out, contours, -1, tuple(int(c) for c in color), thickness, cv2.LINE_AA)
    if not any(layer.caption for layer in layers):
        return out
    line, scale = 22, 0.5
    footer = np.full((line * len(layers) + 6, width, 3), 24, np.uint8)
    for index, layer in enumerate(layers):
        top = 4 + line * index
        cv2.rectangle(footer, (6, top + 3), (20, top + 17), color_of(index, layer.role), -1)
        note = '' if layer.status == Status.OK else f'  [{layer.status.name.replace("_", " ").lower()}]'
        text = (layer.caption + note).encode('ascii', 'replace').decode()
        cv2.putText(footer, text, (28, top + 15), cv2.FONT_HERSHEY_SIMPLEX, scale, (235, 235, 235), 1, cv2.LINE_AA)
    return np.vstack([out, footer])
