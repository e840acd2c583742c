"""A baseline of a detector and a text encoder: boxes whose name is near the words, cut out by GrabCut.

Both are the scored network's own frozen parts (COCO's detector and MiniLM), so that the difference to the network is
what its training adds. Nothing here was chosen on any data scored.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Frame, Prediction, Status
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.datasets.polygons import grab_cut

SURE = 0.3  # least score of a box
NEAR = 0.5  # least cosine of a box's name and the prompt
LONGEST = 320  # of the picture that GrabCut sees


class DetectorMatcher:
    """Find what COCO has a name for."""

    name = 'detector_matching'

    @staticmethod
    def fits(network: SegmentationNetwork) -> bool:
        """Whether the network has a detector to use."""
        inner: Any = getattr(network, 'network', None)
        return getattr(getattr(inner, 'image_encoder', None), 'detector', None) is not None

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Answer each text by the boxes that are called so."""
        boxes, kinds = _detected(network, (view.height, view.width))
        cosine = _cosine(network, texts)  # (K, C)
        return [self._one(view.rgb, boxes, kinds, row) for row in cosine]

    def _one(
        self, rgb: NDArray[np.uint8], boxes: NDArray[np.float32], kinds: NDArray[np.float32], near: NDArray[np.float32]
    ) -> Prediction:
        """Unite the cut-outs of the boxes that agree."""
        mask = np.zeros(rgb.shape[:2], bool)
        sure = kinds.max(1, initial=0.0)
        named = near[kinds.argmax(1)] if len(kinds) else sure
        for index in np.flatnonzero((sure >= SURE) & (named >= NEAR)):
            mask |= _cut_out(rgb, boxes[index])
        score = float((sure * (named >= NEAR)).max(initial=0.0))
        return Prediction(mask, score, Status.OK if mask.any() else Status.NO_TARGET)


def _detected(network: Any, shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (N, 4) boxes in pixels and their (N, 80) probabilities, of the (H, W) image that is set."""
    from converseg_ros.network.preprocess import boxes_to_image

    seen = network.features
    boxes = boxes_to_image(seen.boxes[0].float().cpu().numpy(), shape, network.config.image.image_size)
    return boxes, seen.box_kinds[0].float().cpu().numpy()


def _cosine(network: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return (K, 80) cosines of the prompts and the kinds' names."""
    import torch

    with torch.inference_mode():
        pooled = network.network.encode_text(list(texts)).pooled.float()
        names = network.network.alignment.things.kind_text.float()
        found: NDArray[np.float32] = (torch.nn.functional.normalize(pooled, dim=1) @ names.T).cpu().numpy()
    return found


def _cut_out(rgb: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the (H, W) outline of what is in a box."""
    import cv2

    height, width = rgb.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
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
