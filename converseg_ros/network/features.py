"""The data types that the parts of ConverSeg-Net exchange."""

from typing import NamedTuple

import torch
from torch import Tensor


class ImageFeatures(NamedTuple):
    """embedding: (B, C, h, w). high_res: (B, C/8, 4h, 4w) and (B, C/4, 2h, 2w).

    words: (B, D, h, w), each position in the space of the language encoder, if the encoder provides it. If there is a
    detector of C classes: kinds (B, C, h, w), the probability of each class at each position; boxes (B, N, 4), x0, y0,
    x1, y1 in 0..1 of the network's input; box_kinds (B, N, C), all 0 if there are fewer than N objects.
    """

    embedding: Tensor
    high_res: tuple[Tensor, Tensor]
    words: Tensor | None = None
    kinds: Tensor | None = None
    boxes: Tensor | None = None
    box_kinds: Tensor | None = None

    def tensors(self) -> list[Tensor]:
        """Return all existing tensors, in the order of the fields."""
        return [self.embedding, *self.high_res, *(t for t in self[2:] if t is not None)]

    def like(self, tensors: list[Tensor]) -> 'ImageFeatures':
        """Return features with `tensors` in place of those of `tensors()`."""
        embedding, s0, s1, *rest = tensors
        return ImageFeatures(embedding, (s0, s1), *(None if t is None else rest.pop(0) for t in self[2:]))

    def take(self, index: Tensor) -> 'ImageFeatures':
        """Return the features of the images `index` (K,), one row each."""
        return self.like([t[index] for t in self.tensors()])


class LanguageFeatures(NamedTuple):
    """tokens: (K, T, D), last hidden states of the text. mask: (K, T) bool, False where padded. pooled: (K, D)."""

    tokens: Tensor
    mask: Tensor
    pooled: Tensor


class Prompts(NamedTuple):
    """The prompts of the mask decoder. sparse: (K, T, C). mask: (K, T) bool, or None without padding. dense: (K, C).

    pooled: (K, D), the vector of the language encoder, for networks with an alignment map; otherwise None.
    """

    sparse: Tensor
    mask: Tensor | None
    dense: Tensor
    pooled: Tensor | None = None

    def take(self, rows: Tensor) -> 'Prompts':
        """Return some prompts with the least necessary padding."""
        sparse, mask = self.sparse[rows], None if self.mask is None else self.mask[rows]
        if mask is not None:
            place = torch.arange(1, mask.shape[1] + 1, device=mask.device)
            length = int((mask * place).max())
            sparse, mask = sparse[:, :length], mask[:, :length]
        return Prompts(sparse, mask, self.dense[rows], None if self.pooled is None else self.pooled[rows])


class Guidance(NamedTuple):
    """The guidance of an alignment for the mask decoder: maps, coarse mask logits, and selected objects.

    maps: (K, M, h, w). coarse: (K, h, w). With a detector: chosen (K, N) logits; painted (K, 4h, 4w) in 0..1, the boxes
    of selected objects; present (K,), the addition to the logit of the object score.
    """

    maps: Tensor
    coarse: Tensor
    chosen: Tensor | None = None
    painted: Tensor | None = None
    present: Tensor | None = None

    def take(self, rows: Tensor) -> 'Guidance':
        """Return the guidance of some prompts."""
        chosen, painted, present = (None if t is None else t[rows] for t in self[2:])
        return Guidance(self.maps[rows], self.coarse[rows], chosen, painted, present)


class Decoded(NamedTuple):
    """masks: (K, M, 4h, 4w) logits of the requested tokens. iou: (K, M). object_score: (K,) logit."""

    masks: Tensor
    iou: Tensor
    object_score: Tensor
