"""An image tower and a text tower with a common embedding space: CLIP, SigLIP and SigLIP 2 of transformers.

CLIP (Radford et al., arXiv 2103.00020) and SigLIP (Zhai et al., arXiv 2303.15343; SigLIP 2: arXiv 2502.14786) embed
images and texts in one space; logit = scale x cosine + bias.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import article
from converseg_ros.network.encoders.pretrained import (
    REMEDY,
    check_finite,
    image_settings,
    load_model,
    load_tokenizer,
    model_type,
    normalised,
)
from converseg_ros.network.graphs import Graphs, bucket
from converseg_ros.network.precision import autocast

# siglip2: variable resolution; models with a fixed resolution have the type siglip
KINDS = ('clip', 'siglip', 'siglip2')
CROPS = (8, 16, 24, 32, 48, 64)  # counts of crops that CUDA graphs are recorded for
TEXTS = 32  # encoded at once


class Towers:
    """Embeds square crops and texts; not thread-safe."""

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        """Load a folder; dtype: precision of both towers, for example bfloat16. Raises InputError for another kind."""
        from transformers import AutoModel

        kind = model_type(folder)
        if kind not in KINDS:
            raise InputError(f'{kind!r} has no two towers', where=str(folder), do=f'give one of {", ".join(KINDS)}')
        self._settings, self._tokenizer = image_settings(folder), load_tokenizer(folder)
        self.model = load_model(AutoModel, folder, 'a CLIP or SigLIP model of transformers').to(device)
        self.name, self.kind, self.device, self.dtype = folder.name, kind, device, dtype
        vision, text = self.model.config.vision_config, self.model.config.text_config
        self._longest = int(text.max_position_embeddings)
        self._patch = int(vision.patch_size)
        if kind == 'siglip2':
            self.side = int(vision.num_patches**0.5) * self._patch
        else:
            self.side = int(vision.image_size)
        if self.side < self._patch:
            raise InputError(f'images of {self.side} pixels', where=str(folder), do=REMEDY)
        self.graphs = Graphs(device.type == 'cuda' and kind != 'siglip2', device)
        bias = getattr(self.model, 'logit_bias', None)
        self.scale = float(self.model.logit_scale.detach().exp())
        self.bias = 0.0 if bias is None else float(bias.detach())

    def images(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return unit vectors (S, D) of crops (S, side, side, 3), encoded in one batch."""
        count = len(crops)
        pixels = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float()
        if self.graphs.enabled:  # padded to a recorded count
            pixels = F.pad(pixels, (0, 0, 0, 0, 0, 0, 0, bucket(count, CROPS) - count))
        with torch.inference_mode(), autocast(self.device, self.dtype):
            found: Tensor = self.graphs.run(self.encode, 'look', normalised(pixels, self._settings))
        return self._unit(found[:count])

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit vectors (K, D) of texts; texts beyond the maximum length are truncated."""
        parts = [self._read(texts[i : i + TEXTS]) for i in range(0, len(texts), TEXTS)]
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)

    def logits(self, images: NDArray[np.float32], texts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (S, K), the model's own logits of unit vectors (S, D) and (K, D)."""
        return np.asarray(self.scale * (images @ texts.T) + self.bias, np.float32)

    def caption(self, noun: str) -> str:
        """Return a noun phrase in the sentence of the model's paper or documentation."""
        noun = noun.strip().lower()
        return f'a photo of {article(noun)} {noun}.' if self.kind == 'clip' else f'this is a photo of {noun}.'

    def encode(self, pixels: Tensor) -> Tensor:
        """Return (S, D) the output of the image tower for normalised pixels (S, 3, side, side)."""
        out: Tensor
        if self.kind != 'siglip2':
            out = self.model.get_image_features(pixel_values=pixels).pooler_output
            return out
        count, rows = len(pixels), self.side // self._patch
        cut = pixels.unflatten(3, (rows, self._patch)).unflatten(2, (rows, self._patch))
        patches = cut.permute(0, 2, 4, 3, 5, 1).reshape(count, rows * rows, -1)
        whole = torch.ones(patches.shape[:2], dtype=torch.int32, device=pixels.device)
        shapes = torch.full((count, 2), rows, device=pixels.device)
        seen = self.model.get_image_features(pixel_values=patches, pixel_attention_mask=whole, spatial_shapes=shapes)
        out = seen.pooler_output
        return out

    def _read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        fill = True if self.kind == 'clip' else 'max_length'  # SigLIP was trained on texts of one length
        tokens: Any = self._tokenizer(
            list(texts), padding=fill, max_length=self._longest, truncation=True, return_tensors='pt'
        ).to(self.device)
        given = {k: tokens[k] for k in ('input_ids', 'attention_mask') if k in tokens}  # SigLIP has no mask
        with torch.inference_mode(), autocast(self.device, self.dtype):
            return self._unit(self.model.get_text_features(**given).pooler_output)

    def _unit(self, found: Tensor) -> NDArray[np.float32]:
        return np.asarray(F.normalize(check_finite(found.float(), self.name), dim=1).cpu().numpy())
