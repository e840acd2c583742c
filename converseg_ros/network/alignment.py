"""Where the image's features agree with the text: a map that tells the mask decoder where to look first.

Without it the decoder has to learn what its own attention is for; with it, a few hundred photographs teach words.
"""

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.features import ImageFeatures


class Alignment(nn.Module):
    """Scaled dot products of projected text and image (several heads), and the cosine with the image's words map.

    The agreement maps are mapped to C channels and added to the image embedding.
    """

    def __init__(self, language_dim: int, channels: int, heads: int, head_dim: int = 32, eps: float = 1e-5) -> None:
        super().__init__()
        self.heads = heads
        self.text_norm = nn.LayerNorm(language_dim, eps=eps)
        self.query = nn.Linear(language_dim, heads * head_dim)
        self.key = nn.Conv2d(channels, heads * head_dim, 1)
        self.mix = nn.Sequential(nn.Conv2d(heads + 2, channels, 1), nn.SiLU(), nn.Conv2d(channels, channels, 1))

    def forward(self, image: ImageFeatures, pooled: Tensor, image_of: Tensor | None = None) -> Tensor:
        """Return (K, C, h, w) for `pooled` (K, D); `image` has one row for all, or `image_of` (K,) says which."""
        keys = self.key(image.embedding).unflatten(1, (self.heads, -1))  # (B, H, d, h, w)
        query = self.query(self.text_norm(pooled)).unflatten(1, (self.heads, -1))  # (K, H, d)
        words = image.words if image.words is not None else image.embedding.new_zeros(1)
        if image_of is not None:
            keys = keys[image_of]
            words = words[image_of] if words.ndim > 1 else words
        agree = (keys * query[..., None, None]).sum(2) / keys.shape[2] ** 0.5  # (K, H, h, w)
        count, _, rows, columns = agree.shape
        if words.ndim > 1:
            cosine = (F.normalize(words, dim=1) * F.normalize(pooled, dim=1)[:, :, None, None]).sum(1, keepdim=True)
            cosine = cosine.expand(count, 1, rows, columns)
            centred = cosine - cosine.mean((2, 3), keepdim=True)  # relative to this image
        else:
            cosine = centred = agree.new_zeros(count, 1, rows, columns)
        out: Tensor = self.mix(torch.cat([agree, 5 * cosine, 10 * centred], 1))
        return out
