"""SAM 3 of transformers (Carion et al., arXiv 2511.16719), from a local folder: masks of every instance of a phrase."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.core.mask import iou
from converseg_ros.network.encoders.pretrained import (
    check_finite,
    image_settings,
    load_model,
    load_tokenizer,
    model_type,
    normalised,
    resized,
)
from converseg_ros.network.grounded.boxes import MAX_BOXES, SAME
from converseg_ros.network.grounded.finder import Drawn
from converseg_ros.network.precision import autocast
from converseg_ros.network.segments.promptable import stability

KINDS = ('sam3', 'sam3_video')  # the released folder has the second kind, which contains the image model
TOKENS = 32  # of a phrase, as in the processor of the model


class Sam3Finder:
    """A `Finder` by transformers' Sam3Model; the features of the last image are cached. Not thread-safe."""

    def __init__(
        self,
        folder: Path,
        *,
        device: torch.device | None = None,
        threshold: float,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Load a folder. threshold: minimum score. dtype: precision, for example bfloat16.

        Raises InputError for a folder of another kind, or if a file is missing.
        """
        from transformers import Sam3Model

        if (kind := model_type(folder)) not in KINDS:
            raise InputError(f'not SAM 3 but {kind!r}', where=str(folder), do='give the folder of a SAM 3 model')
        self._settings, self._tokenizer = image_settings(folder), load_tokenizer(folder)
        self.device = device or torch.device('cpu')
        self.model: Any = load_model(Sam3Model, folder, 'a SAM 3 model of transformers').to(self.device)
        size, side = self._settings.size, self.model.config.vision_config.backbone_config.image_size
        side = int(side if isinstance(side, int) else side[0])
        self._size = int(size.get('height', side)), int(size.get('width', side))
        self.threshold, self.dtype, self.name = threshold, dtype, f'masks by sam3/{folder.name}'
        self._last: tuple[NDArray[np.uint8], Any] | None = None

    def find(self, rgb: NDArray[np.uint8], grid: tuple[int, int], phrases: Sequence[str]) -> dict[str, list[Drawn]]:
        """Return the masks of each phrase above the threshold, best first, without duplicates; see Finder."""
        out = {}
        for phrase in phrases:
            scores, logits = self.detect(rgb, phrase)
            order = [int(i) for i in (-scores).argsort(stable=True) if scores[i] > self.threshold]
            kept: list[Drawn] = []
            for i in order:
                if len(kept) == MAX_BOXES:
                    break
                mask = self.mask(logits[i], grid)
                if mask.any() and all(iou(mask, other.mask) <= SAME for other in kept):
                    kept.append(Drawn(mask, stability(logits[i].cpu().numpy()), float(scores[i])))
            out[phrase] = kept
        return out

    def detect(self, rgb: NDArray[np.uint8], phrase: str) -> tuple[Tensor, Tensor]:
        """Return scores (N,) in 0..1 and mask logits (N, h, w) of all queries of the model for a phrase, in float32.

        The score of an instance is multiplied by that of the presence of the phrase in the image. Raises InputError if
        a number is not finite.
        """
        tokens = self._tokenizer(
            [phrase], padding='max_length', max_length=TOKENS, truncation=True, return_tensors='pt'
        ).to(self.device)
        with torch.inference_mode(), autocast(self.device, self.dtype):
            out = self.model(
                vision_embeds=self._features(rgb),
                input_ids=tokens['input_ids'],
                attention_mask=tokens['attention_mask'],
            )
        scores = out.pred_logits[0].float().sigmoid()
        if out.presence_logits is not None:
            scores = scores * out.presence_logits[0].float().sigmoid()
        return check_finite(scores, self.name).cpu(), check_finite(out.pred_masks[0].float(), self.name)

    @staticmethod
    def mask(logits: Tensor, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Return the (H, W) mask of mask logits (h, w) at another size."""
        resized_mask = F.interpolate(logits.sigmoid()[None, None], size, mode='bilinear', align_corners=False)[0, 0]
        return np.asarray((resized_mask > 0.5).cpu().numpy())

    def _features(self, rgb: NDArray[np.uint8]) -> Any:
        if self._last is None or self._last[0] is not rgb:
            pixels = resized(rgb, self._size, self._settings.resample)[None].to(self.device)
            self._last = rgb, self.model.get_vision_features(pixel_values=normalised(pixels, self._settings))
        return self._last[1]
