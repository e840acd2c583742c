"""A `Namer` for noun phrases in the context of the whole image: CLIPSeg of transformers.

CLIPSeg (Lüddecke and Ecker, arXiv 2112.10003) computes a relevance map for a text; its mean over a region scores the
region. Each phrase costs a pass of the decoder, so CLIPSeg scores the phrases that a program names; the namer of the
model folder scores the long lists of nouns of a tag, and names the regions.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.core.frame import Frame
from converseg_ros.core.probability import log_odds
from converseg_ros.core.segments import Namer, NameScores, Posterior, Segments
from converseg_ros.network.encoders.pretrained import (
    check_finite,
    image_settings,
    load_model,
    load_tokenizer,
    model_type,
    normalised,
    resized,
)
from converseg_ros.network.names.scores import MIN_PROBABILITY
from converseg_ros.network.precision import autocast

MAX_NOUNS = 8  # nouns per request; a longer list comes from a tag
TEXTS = 256  # cached conditional vectors
SLOW = 1.0  # seconds per view from which a namer reports its time


class ClipSeg:
    """Relevance maps of texts on an image; not thread-safe."""

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        """Load a folder; dtype: precision, for example bfloat16. Raises InputError for a folder of another kind."""
        from transformers import CLIPSegForImageSegmentation

        if (kind := model_type(folder)) != 'clipseg':
            raise InputError(f'{kind!r} is not CLIPSeg', where=str(folder), do='give its folder')
        self._settings, self._tokenizer = image_settings(folder), load_tokenizer(folder)
        size = self._settings.size
        self._size = int(size.get('height', 352)), int(size.get('width', 352))
        self.model: Any = load_model(CLIPSegForImageSegmentation, folder, 'a CLIPSeg model of transformers').to(device)
        self.name, self.device, self.dtype = folder.name, device, dtype
        self._texts: OrderedDict[str, Tensor] = OrderedDict()
        self._activations: list[Tensor] = []

    def set_image(self, rgb: NDArray[np.uint8]) -> None:
        """Encode an (H, W, 3) image, stretched to the input square of the model as by its processor."""
        self.set_pixels(
            normalised(resized(rgb, self._size, self._settings.resample)[None].to(self.device), self._settings)
        )

    def set_pixels(self, pixels: Tensor) -> None:
        """Encode an image given as the normalised input (1, 3, h, w) of the model."""
        with torch.inference_mode(), autocast(self.device, self.dtype):
            seen = self.model.clip.get_image_features(
                pixel_values=pixels, interpolate_pos_encoding=True, output_hidden_states=True
            )
        self._activations = [seen.hidden_states[i + 1] for i in self.model.extract_layers]

    def maps(self, texts: Sequence[str]) -> Tensor:
        """Return relevance logits (K, h, w) float32 of texts on the current image, on the device."""
        out = []
        for text in texts:  # one by one: a batch is not faster on a CPU and needs more memory
            with torch.inference_mode(), autocast(self.device, self.dtype):
                found = self.model.decoder(tuple(self._activations), self._condition(text)).logits
            out.append(check_finite(found.float().reshape(found.shape[-2:]), self.name))
        return torch.stack(out)

    def _condition(self, text: str) -> Tensor:
        if text not in self._texts:
            longest = int(self.model.config.text_config.max_position_embeddings)
            tokens = self._tokenizer([text], truncation=True, max_length=longest, return_tensors='pt').to(self.device)
            self._texts[text] = self.model.get_conditional_embeddings(
                1, input_ids=tokens['input_ids'], attention_mask=tokens['attention_mask']
            )
        while len(self._texts) > TEXTS:
            self._texts.popitem(last=False)
        return self._texts[text]


class ClipSegNamer:
    """Scores noun phrases by CLIPSeg and lists by another namer; the last view is cached."""

    def __init__(self, network: ClipSeg, other: Namer) -> None:
        """Create a namer from CLIPSeg and the namer for lists of nouns and for names of regions."""
        self.network, self.other = network, other
        self._last: tuple[Frame, Segments, dict[str, NDArray[np.float32]]] | None = None
        self.note = self._measured()

    def score(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NameScores:
        """Return the log-odds of each noun phrase for each region."""
        scores = self.other.score(view, segments, nouns)
        if len(nouns) > MAX_NOUNS or not len(segments) or tuple(nouns) == ('thing',):
            return scores
        found = self._pooled(view, segments, nouns)
        return NameScores(tuple(nouns), found, np.ones(len(nouns), bool), scores.best)

    def posterior(self, view: Frame, segments: Segments) -> Posterior:
        """Return the probabilities of the other namer: relevance maps of different nouns are not exclusive."""
        return self.other.posterior(view, segments)

    def _pooled(self, view: Frame, segments: Segments, nouns: Sequence[str]) -> NDArray[np.float32]:
        """Return (S, N): log-odds of the mean relevance inside each region."""
        if self._last is None or self._last[0] is not view or self._last[1] is not segments:
            self.network.set_image(view.rgb)
            self._last = view, segments, {}
        known = self._last[2]
        new = [n for n in dict.fromkeys(nouns) if n not in known]
        if new:
            relevance = self.network.maps(new).sigmoid()[None]
            size = segments.masks.shape[1:]
            drawn = F.interpolate(relevance, size, mode='bilinear', align_corners=False)[0].cpu().numpy()
            inside = segments.masks.reshape(len(segments), -1).astype(np.float32)
            means = drawn.reshape(len(new), -1) @ inside.T / np.maximum(inside.sum(1), 1)
            known.update(zip(new, np.asarray(log_odds(means, MIN_PROBABILITY), np.float32)))
        return np.stack([known[n] for n in nouns], 1)

    def _measured(self) -> str:
        if self.network.device.type != 'cpu':
            return ''
        start = perf_counter()
        self.network.set_image(np.zeros((480, 640, 3), np.uint8))
        seen = perf_counter()
        self.network.maps(['a thing'])
        each = perf_counter() - seen
        if seen - start + each < SLOW:
            return ''
        return f'{self.network.name} takes about {seen - start:.1f} s a view and {each:.1f} s a noun on this CPU'
