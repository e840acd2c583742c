"""What the parts of ConverSeg-Net hand to each other."""

from typing import NamedTuple

import torch
from torch import Tensor


class ImageFeatures(NamedTuple):
    """embedding: (B, C, h, w). high_res: (B, C/8, 4h, 4w) and (B, C/4, 2h, 2w).

    words: (B, D, h, w), what each place looks like in the language encoder's space, if the encoder knows it.
    What a detector of C kinds of things saw, if the encoder has one: kinds (B, C, h, w), how likely each kind is at
    each place; boxes (B, N, 4), x0, y0, x1, y1 in 0..1 of the network's input; box_kinds (B, N, C), all 0 where there
    are fewer than N things.
    """

    embedding: Tensor
    high_res: tuple[Tensor, Tensor]
    words: Tensor | None = None
    kinds: Tensor | None = None
    boxes: Tensor | None = None
    box_kinds: Tensor | None = None

    def tensors(self) -> list[Tensor]:
        """Return all that is there, in the order of the fields."""
        return [self.embedding, *self.high_res, *(t for t in self[2:] if t is not None)]

    def like(self, tensors: list[Tensor]) -> 'ImageFeatures':
        """Return `tensors` in the places that `tensors()` took this one's from."""
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
    """The mask decoder's prompts. sparse: (K, T, C). mask: (K, T) bool, or None if nothing is padded. dense: (K, C).

    pooled: (K, D), the language encoder's vector itself, for networks with an alignment map; None without one.
    """

    sparse: Tensor
    mask: Tensor | None
    dense: Tensor
    pooled: Tensor | None = None

    def take(self, rows: Tensor) -> 'Prompts':
        """Return some prompts, with no more padding than they need."""
        sparse, mask = self.sparse[rows], None if self.mask is None else self.mask[rows]
        if mask is not None:
            place = torch.arange(1, mask.shape[1] + 1, device=mask.device)
            length = int((mask * place).max())
            sparse, mask = sparse[:, :length], mask[:, :length]
        return Prompts(sparse, mask, self.dense[rows], None if self.pooled is None else self.pooled[rows])


class Guidance(NamedTuple):
    """Where an alignment tells the mask decoder to look: maps, coarse mask logits, and the things it would choose.

    maps: (K, M, h, w). coarse: (K, h, w). With a detector: chosen (K, N) logits; painted (K, 4h, 4w) in 0..1, the
    chosen things' boxes; present (K,), what is added to the object score's logit.
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
    """masks: (K, M, 4h, 4w) logits of the asked-for tokens. iou: (K, M). object_score: (K,) logit."""

    masks: Tensor
    iou: Tensor
    object_score: Tensor
