"""A baseline of a detector and a text encoder: boxes with a name similar to the prompt, segmented by GrabCut.

Both are the frozen parts of the shipped model folder (a detector of COCO's classes, and MiniLM), so that the difference
to a network shows the effect of programs, facts and training. No parameter was chosen on evaluated data.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Frame, Prediction, Status
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.datasets.polygons import grab_cut

FROZEN = 'compact'  # the model that provides detector and text encoder
MIN_SCORE = 0.3  # minimum score of a box
MIN_NAME_SIMILARITY = 0.5  # minimum cosine between the name of a box and the prompt
MAX_GRABCUT_SIDE = 320  # longest side of the image for GrabCut


class DetectorMatcher:
    """Finds objects of COCO's classes."""

    name = 'detector_matching'

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Answer each text with the boxes whose name matches."""
        evidence, encode, names = self._parts
        found = evidence.detect(view.rgb)
        boxes = found.boxes * np.array([view.width, view.height] * 2, np.float32)
        cosine = encode(list(texts)) @ names.T  # (K, 80)
        return [self._one(view.rgb, boxes, found.kinds, row) for row in cosine]

    @cached_property
    def _parts(self) -> tuple[Any, Any, NDArray[np.float32]]:
        """Return the detector, the text encoder, and the (80, D) unit vectors of COCO's class names."""
        from converseg_ros.network.encoders.nanodet import KIND_NAMES
        from converseg_ros.network.names.detector import Evidence
        from converseg_ros.network.registry import find_model
        from converseg_ros.network.segments.backbone import load_backbone
        from converseg_ros.network.weights.things_loader import load_text_encoder

        folder = find_model(FROZEN)
        encode = load_text_encoder(folder)
        names = np.stack([encode([f'a {name}' for name in group]).mean(0) for group in KIND_NAMES])
        names /= np.linalg.norm(names, axis=1, keepdims=True)
        return Evidence(load_backbone(folder).detector), encode, names.astype(np.float32)

    def _one(
        self, rgb: NDArray[np.uint8], boxes: NDArray[np.float32], kinds: NDArray[np.float32], near: NDArray[np.float32]
    ) -> Prediction:
        """Return the union of the segmented matching boxes."""
        mask = np.zeros(rgb.shape[:2], bool)
        sure = kinds.max(1, initial=0.0)
        named = near[kinds.argmax(1)] if len(kinds) else sure
        for index in np.flatnonzero((sure >= MIN_SCORE) & (named >= MIN_NAME_SIMILARITY)):
            mask |= _cut_out(rgb, boxes[index])
        score = float((sure * (named >= MIN_NAME_SIMILARITY)).max(initial=0.0))
        return Prediction(mask, score, Status.OK if mask.any() else Status.NO_TARGET)


def _cut_out(rgb: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the (H, W) segmentation of a box."""
    import cv2

    height, width = rgb.shape[:2]
    scale = min(1.0, MAX_GRABCUT_SIDE / max(height, width))
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    x0, y0, x1, y1 = (round(float(v) * scale) for v in box)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, size[0]), min(y1, size[1])
    state = np.full((size[1], size[0]), cv2.GC_BGD, np.uint8)
    state[y0:y1, x0:x1] = cv2.GC_PR_FGD
    if x1 - x0 < 2 or y1 - y0 < 2 or (state != cv2.GC_BGD).all():
        return np.asarray(cv2.resize((state != cv2.GC_BGD).astype(np.uint8), (width, height)) > 0)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = grab_cut(small, state, 3)
    return np.asarray(cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0)
