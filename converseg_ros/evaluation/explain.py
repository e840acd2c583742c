"""A picture of how an answer was computed: the regions, their names, and the candidates."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.palette import REGIONS
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.segments import Segments

FONT, INK, PAPER = cv2.FONT_HERSHEY_SIMPLEX, (20, 20, 20), 250
LINE = 20  # pixels per line of text
PER_LINE = 7.6  # pixels per character at scale 0.45


def draw_explanation(
    rgb: NDArray[np.uint8], segments: Segments, names: Sequence[tuple[str, float]], prediction: Prediction
) -> NDArray[np.uint8]:
    """Return an RGB image of two panels, regions with names and the answer with its candidates, above the text.

    rgb: (H, W, 3). names: for each region, its name and log-odds.
    """
    words = [
        f'understood as: {prediction.program_text}',
        f'{prediction.status.name.replace("_", " ")}, score {prediction.score:.2f}'
        + ('' if prediction.calibrated else ' (not calibrated)')
        + (f': {prediction.reason}' if prediction.reason else ''),
        *(f'{c.name} {c.score:.2f}: {c.note}' for c in prediction.candidates),
    ]
    panels = np.concatenate([_regions(rgb, segments, names), _answer(rgb, prediction)], 1)
    return np.concatenate([panels, _written(words, panels.shape[1])], 0)


def _regions(rgb: NDArray[np.uint8], segments: Segments, names: Sequence[tuple[str, float]]) -> NDArray[np.uint8]:
    out = (rgb * 0.75 + 60).astype(np.uint8)
    height, width = rgb.shape[:2]
    labels = []
    for i in np.flatnonzero(segments.flat).tolist():
        large = cv2.resize(segments.masks[i].view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(out, outlines, -1, REGIONS[i % len(REGIONS)], 1, cv2.LINE_AA)
        if segments.kinds[i].argmax() in (0, 3) and i < len(names):
            y, x = np.argwhere(large).mean(0).astype(int)
            labels.append((names[i][0], int(x), int(y)))
    for text, x, y in labels:
        _label(out, text, x - int(len(text) * PER_LINE / 2), y)
    return out


def _answer(rgb: NDArray[np.uint8], prediction: Prediction) -> NDArray[np.uint8]:
    out = rgb.copy()
    mask = prediction.mask
    out[mask] = (0.45 * out[mask] + 0.55 * np.array(REGIONS[0])).astype(np.uint8)
    for place, candidate in enumerate(prediction.candidates, 1):
        x0, y0, x1, y1 = candidate.box
        cv2.rectangle(out, (x0, y0), (x1, y1), REGIONS[0], 1, cv2.LINE_AA)
        _label(out, f'{place}: {candidate.score:.2f}', x0 + 2, y0 + 12)
    return out


def _label(image: NDArray[np.uint8], text: str, x: int, y: int) -> None:
    x = max(0, min(x, image.shape[1] - int(len(text) * PER_LINE)))
    cv2.putText(image, text, (x, y), FONT, 0.42, (255, 255, 255), 3, cv2.LINE_AA)
    cv2.putText(image, text, (x, y), FONT, 0.42, INK, 1, cv2.LINE_AA)


def _written(lines: Sequence[str], width: int) -> NDArray[np.uint8]:
    most = int(width / PER_LINE)
    cut = [line[i : i + most] for line in lines for i in range(0, max(len(line), 1), most)]
    out = np.full((LINE * len(cut) + 8, width, 3), PAPER, np.uint8)
    for row, line in enumerate(cut):
        cv2.putText(out, line, (6, LINE * (row + 1) - 4), FONT, 0.45, INK, 1, cv2.LINE_AA)
    return out
