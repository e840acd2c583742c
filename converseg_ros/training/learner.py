"""The network for the training loop: losses and answers of a batch; frozen parameters are not optimized."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from converseg_ros.core import InputError
from converseg_ros.network.compact import CompactImageEncoder
from converseg_ros.network.features import Decoded, Guidance, ImageFeatures, LanguageFeatures, Prompts
from converseg_ros.network.model import ConverSegNet
from converseg_ros.network.preprocess import normalise
from converseg_ros.network.selection import tokens
from converseg_ros.training.batches import Batch
from converseg_ros.training.config import LossConfig
from converseg_ros.training.losses import Losses, compute
from converseg_ros.training.texts import TextCache


class Learner(nn.Module):
    """Wraps a ConverSegNet in a single forward function for data parallelism; supervises the inference masks."""

    def __init__(self, network: ConverSegNet, trainable: Sequence[str], loss: LossConfig) -> None:
        """Create a learner; `trainable`: prefixes or patterns (`*.lora_*`) of the names of trained parameters."""
        super().__init__()
        self.network, self.loss = network, loss
        chosen: set[str] = set()
        for pattern in trainable:
            found = {n for n, _ in network.named_parameters() if n.startswith(pattern) or fnmatchcase(n, pattern)}
            if not found:
                raise InputError(f'no parameter is called {pattern!r}', where='trainable')
            chosen |= found
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name in chosen)
            if parameter.requires_grad and parameter.dtype != torch.float32:
                parameter.data = parameter.data.float()  # float32 master weights, because bfloat16 loses small updates
        self.trains_image = any(n.startswith('image_encoder') for n in chosen)
        self.trains_trunk = any(n.startswith('image_encoder.trunk') for n in chosen)
        self.trains_language = any(n.startswith('language_encoder') for n in chosen)
        self.answers = tokens(network.config.select, network.config.decoder.multimask_outputs)
        self.texts = TextCache()
        self.disturb = (0.0, 0.0)  # share of dropped tokens and noise on the pooled vector in training
        if network.decoder.sam.iou_token.weight.requires_grad and len(self.answers) == 1:
            self._freeze_unused()

    def _freeze_unused(self) -> None:
        """Freeze the heads of masks that are never selected, because they get no gradient."""
        for index, head in enumerate(self.network.decoder.sam.output_hypernetworks_mlps):
            if index not in self.answers:
                head.requires_grad_(False)

    def trainable_state(self) -> dict[str, Tensor]:
        """Return the trained parameters by name."""
        return {n: p for n, p in self.network.named_parameters() if p.requires_grad}

    def forward(self, batch: Batch) -> Losses:
        """Return the losses of a batch."""
        image, prompts = self._image(batch), self.network.prompts(self._language(batch))
        alignment = self.network.alignment
        guidance = None if alignment is None else alignment(image, prompts, batch.image_of)
        if not bool(batch.decoded.any()):
            return compute(None, batch, guidance, image.boxes, self.loss)
        if bool(batch.decoded.all()):
            decoded = self._decode(image, prompts, batch.image_of, guidance)
        else:
            rows = torch.nonzero(batch.decoded).flatten()
            part = None if guidance is None else guidance.take(rows)
            decoded = self._decode(image, prompts.take(rows), batch.image_of[rows], part)
        return compute(decoded, batch, guidance, image.boxes, self.loss)

    def answer(self, batch: Batch) -> Decoded:
        """Answer all prompts of a batch."""
        return self._decode(self._image(batch), self.network.prompts(self._language(batch)), batch.image_of, None)

    def _decode(self, image: ImageFeatures, prompts: Prompts, image_of: Tensor, guidance: Guidance | None) -> Decoded:
        return self.network.decode(image, prompts, image_of=image_of, tokens=self.answers, guidance=guidance)

    def _image(self, batch: Batch) -> ImageFeatures:
        """Encode the views, or use the cached trunk features of the batch."""
        encoder: Any = self.network.image_encoder
        if batch.trunk is not None:
            assert isinstance(encoder, CompactImageEncoder)
            features: ImageFeatures = encoder.pyramid(batch.trunk)
            return features
        assert batch.pixels is not None
        settings = self.network.config.image
        dtype = next(encoder.parameters()).dtype
        pixels = normalise(batch.pixels, settings.mean, settings.std, dtype)
        if isinstance(encoder, CompactImageEncoder) and self.trains_image and not self.trains_trunk:
            with torch.no_grad():
                trunk = encoder.trunk_output(pixels)
            features = encoder.pyramid(trunk)
            return features
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
        features = self.texts.get(batch.texts, batch.target.device)
        return self._disturb(features) if self.training else features

    def _disturb(self, features: LanguageFeatures) -> LanguageFeatures:
        """Drop tokens and add noise in training, against overfitting to the prompts of a small data set."""
        drop, noise = self.disturb
        mask = features.mask
        if drop:
            mask = mask & (torch.rand(mask.shape, device=mask.device) >= drop)
            mask[:, 0] = True
        if noise:
            spread = noise * features.pooled.std()
            pooled = features.pooled + torch.randn_like(features.pooled) * spread
            features = features._replace(pooled=pooled)
        return features._replace(mask=mask)

    def _seeing(self, batch: Batch, encoder: Any) -> LanguageFeatures:
        """Encode the texts of each view together with its image (a vision-language model)."""
        assert batch.pixels is not None
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
