"""The data types that the parts of ConverSeg-Net exchange."""

from typing import NamedTuple

from torch import Tensor


class ImageFeatures(NamedTuple):
    """embedding: (B, C, h, w). high_res: (B, C/8, 4h, 4w) and (B, C/4, 2h, 2w)."""

    embedding: Tensor
    high_res: tuple[Tensor, Tensor]

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the embedding and the high-resolution maps."""
        return self.embedding, *self.high_res

    def take(self, index: Tensor) -> 'ImageFeatures':
        """Return the features of the images `index` (K,), one row each."""
        s4, s8 = self.high_res
        return ImageFeatures(self.embedding[index], (s4[index], s8[index]))


class LanguageFeatures(NamedTuple):
    """tokens: (K, T, D), last hidden states of the text. mask: (K, T) bool, False where padded. pooled: (K, D)."""

    tokens: Tensor
    mask: Tensor
    pooled: Tensor


class Prompts(NamedTuple):
    """The prompts of the mask decoder. sparse: (K, T, C). mask: (K, T) bool, or None without padding. dense: (K, C)."""

    sparse: Tensor
    mask: Tensor | None
    dense: Tensor


class Decoded(NamedTuple):
    """masks: (K, M, 4h, 4w) logits of the requested tokens. iou: (K, M). object_score: (K,) logit."""

    masks: Tensor
    iou: Tensor
    object_score: Tensor
