"""Where the image's features agree with the text: a coarse map that tells the mask decoder where to look first.

It costs a thousandth of a decoded mask, so that training can supervise it with every prompt of an image, and a few
hundred photographs teach words. Without it the decoder has to learn what its own attention is for.
"""

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.features import ImageFeatures

EXTRA = 2  # maps beside the heads': the cosine with the image's words, as it is and relative to its mean


class Alignment(nn.Module):
    """Scaled dot products of projected text and image (several heads), and the cosine with the image's words map.

    The image's side knows where each place is, so that 'on the left' can agree with it too.
    """

    def __init__(self, language_dim: int, channels: int, heads: int, head_dim: int = 32, eps: float = 1e-5) -> None:
        super().__init__()
        self.heads = heads
        width = heads * head_dim
        self.text_norm = nn.LayerNorm(language_dim, eps=eps)
        self.query = nn.Sequential(nn.Linear(language_dim, width), nn.SiLU(), nn.Linear(width, width))
        self.key = nn.Conv2d(channels, width, 1)
        self.place = nn.Conv2d(5, width, 1, bias=False)
        self.mix = nn.Sequential(nn.Conv2d(heads + EXTRA, channels, 1), nn.SiLU(), nn.Conv2d(channels, channels, 1))
        self.score = nn.Conv2d(heads + EXTRA, 1, 1)

    def forward(self, image: ImageFeatures, pooled: Tensor, image_of: Tensor | None = None) -> Tensor:
        """Return the maps (K, heads + 2, h, w) for `pooled` (K, D).

        image: one row for all texts, or `image_of` (K,) says which.
        """
        batch, _, rows, columns = image.embedding.shape
        count = pooled.shape[0]
        keys = self.key(image.embedding) + self.place(_places(rows, columns, image.embedding))
        keys = keys.view(batch, self.heads, -1, rows * columns)  # (B, H, d, N)
        query = self.query(self.text_norm(pooled)).view(count, self.heads, 1, -1)  # (K, H, 1, d)
        unit = F.normalize(pooled, dim=1)
        words = None if image.words is None else F.normalize(image.words, dim=1).flatten(2)  # (B, D, N)
        if image_of is None:
            agree = query @ keys
            cosine = None if words is None else unit @ words[0]
        else:
            agree = query.new_empty(count, self.heads, 1, rows * columns)
            cosine = None if words is None else query.new_empty(count, rows * columns)
            for index in range(batch):  # an image's keys are never copied for each of its texts
                of = torch.nonzero(image_of == index).flatten()
                if of.numel():
                    agree = agree.index_copy(0, of, query[of] @ keys[index])
                    if cosine is not None and words is not None:
                        cosine = cosine.index_copy(0, of, unit[of] @ words[index])
        agree = agree.view(count, self.heads, rows, columns) / keys.shape[2] ** 0.5
        if cosine is None:
            cosine = agree.new_zeros(count, rows * columns)
        centred = cosine - cosine.mean(1, keepdim=True)  # relative to this image
        extra = torch.stack([5 * cosine, 10 * centred], 1).view(count, EXTRA, rows, columns)
        return torch.cat([agree, extra], 1)

    def bias(self, maps: Tensor) -> Tensor:
        """Return what is added to the image embedding, (K, C, h, w)."""
        out: Tensor = self.mix(maps)
        return out

    def logits(self, maps: Tensor) -> Tensor:
        """Return coarse mask logits, (K, h, w)."""
        out: Tensor = self.score(maps)[:, 0]
        return out

    @torch.no_grad()
    def shift(self, by: float) -> None:
        """Add `by` to all mask logits from now on: the coarse logits are added to every mask."""
        assert self.score.bias is not None
        self.score.bias += by


def _places(rows: int, columns: int, like: Tensor) -> Tensor:
    """Return (1, 5, rows, columns): x, y, their squares and the distance from the centre, in -1..1."""
    y = torch.linspace(-1, 1, rows, device=like.device, dtype=like.dtype)[:, None].expand(rows, columns)
    x = torch.linspace(-1, 1, columns, device=like.device, dtype=like.dtype)[None].expand(rows, columns)
    return torch.stack([x, y, x * x, y * y, (x * x + y * y).sqrt() - 1])[None]
