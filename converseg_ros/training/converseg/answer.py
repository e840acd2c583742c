"""Answers of the network to a batch, as at inference; frozen encoders need no gradients."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from converseg_ros.network.converseg.model import ConverSegNet
from converseg_ros.network.converseg.preprocess import normalise
from converseg_ros.network.converseg.selection import tokens
from converseg_ros.network.features import Decoded, ImageFeatures, LanguageFeatures
from converseg_ros.training.converseg.batches import Batch
from converseg_ros.training.converseg.texts import TextCache


class Answerer:
    """Answers batches by a network; features of texts by a frozen text encoder are cached."""

    def __init__(self, network: ConverSegNet) -> None:
        """Create an answerer for a network whose trained parameters are chosen."""
        self.network = network
        trained = [n for n, p in network.named_parameters() if p.requires_grad]
        self.trains_image = any(n.startswith('image_encoder') for n in trained)
        self.trains_language = any(n.startswith('language_encoder') for n in trained)
        self.tokens = tokens(network.config.select, network.config.decoder.multimask_outputs)
        self.texts = TextCache()

    def answer(self, batch: Batch) -> Decoded:
        """Answer all prompts of a batch."""
        image, prompts = self._image(batch), self.network.prompts(self._language(batch))
        return self.network.decode(image, prompts, image_of=batch.image_of, tokens=self.tokens)

    def _image(self, batch: Batch) -> ImageFeatures:
        """Encode the views."""
        settings = self.network.config.image
        dtype = next(self.network.image_encoder.parameters()).dtype
        pixels = normalise(batch.pixels, settings.mean, settings.std, dtype)
        with torch.set_grad_enabled(self.trains_image and torch.is_grad_enabled()):
            return self.network.encode_image(pixels)

    def _language(self, batch: Batch) -> LanguageFeatures:
        """Encode the texts; a frozen text encoder encodes each text once per run."""
        encoder = self.network.language_encoder
        if encoder.sees:
            return self._seeing(batch, encoder)
        if self.trains_language:
            return self.network.encode_text(batch.texts)
        encoder.eval()  # dropout in a frozen encoder would be noise that does not occur at inference
        self.texts.add(batch.texts, self.network)
        return self.texts.get(batch.texts, batch.target.device)

    def _seeing(self, batch: Batch, encoder: Any) -> LanguageFeatures:
        """Encode the texts of each view together with its image (a vision-language model)."""
        rows: list[LanguageFeatures | None] = [None] * len(batch.texts)
        with torch.set_grad_enabled(self.trains_language and torch.is_grad_enabled()):
            for place in range(batch.pixels.shape[0]):
                of = torch.nonzero(batch.image_of == place).flatten().tolist()
                if not of:
                    continue
                image = encoder.prepare_image(batch.pixels[place].permute(1, 2, 0).cpu().numpy())
                encoded = self.network.encode_text([batch.texts[i] for i in of], image)
                for row, index in enumerate(of):
                    mask = (
                        encoded.mask[row]
                        if encoded.mask is not None
                        else torch.ones_like(encoded.tokens[row, :, 0]).bool()
                    )
                    rows[index] = LanguageFeatures(encoded.tokens[row][mask], mask[mask], encoded.pooled[row])
        return _pad([r for r in rows if r is not None])


def _pad(rows: Sequence[LanguageFeatures]) -> LanguageFeatures:
    """Stack texts of different length."""
    tokens_ = nn.utils.rnn.pad_sequence([r.tokens for r in rows], batch_first=True)
    mask = nn.utils.rnn.pad_sequence([r.mask for r in rows], batch_first=True, padding_value=False)
    return LanguageFeatures(tokens_, mask, torch.stack([r.pooled for r in rows]))
