"""What the parts of ConverSeg-Net hand to each other."""

from typing import NamedTuple

from torch import Tensor


class ImageFeatures(NamedTuple):
    """embedding: (B, C, h, w). high_res: (B, C/8, 4h, 4w) and (B, C/4, 2h, 2w).

    words: (B, D, h, w), what each place looks like in the language encoder's space, if the encoder knows it.
    """

    embedding: Tensor
    high_res: tuple[Tensor, Tensor]
    words: Tensor | None = None

    def take(self, index: Tensor) -> 'ImageFeatures':
        """Return the features of the images `index` (K,), one row each."""
        s0, s1 = self.high_res
        words = None if self.words is None else self.words[index]
        return ImageFeatures(self.embedding[index], (s0[index], s1[index]), words)


class LanguageFeatures(NamedTuple):
    """tokens: (K, T, D), last hidden states of the text. mask: (K, T) bool, False where padded. pooled: (K, D)."""

    tokens: Tensor
    mask: Tensor
    pooled: Tensor


class Prompts(NamedTuple):
    """The mask decoder's prompts. sparse: (K, T, C). mask: (K, T) bool, or None if nothing is padded. dense: (K, C).

    pooled: (K, D), the language encoder's vector itself, for networks with an alignment map; None without one.
    """

    sparse: Tensor
    mask: Tensor | None
    dense: Tensor
    pooled: Tensor | None = None


class Decoded(NamedTuple):
    """masks: (K, M, 4h, 4w) logits of the asked-for tokens. iou: (K, M). object_score: (K,) logit."""

    masks: Tensor
    iou: Tensor
    object_score: Tensor
