"""Selection of detected objects by a text: a small transformer over words and boxes.

As in two-stage referring expression comprehension (MAttNet, Yu et al., arXiv 1801.08186): selecting among a few boxes
by class, appearance and position needs far fewer training images than detection.
"""

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.features import ImageFeatures, Prompts

PLACE = 10  # features of position, size and score of a box


class BoxChooser(nn.Module):
    """Scores each box, and each class, for each text.

    The agreement of a text with a class is the cosine of their embeddings (`sharpness`, `offset`), corrected by a
    linear layer: "something to sit on" is not close to any name of a chair.
    """

    def __init__(self, language_dim: int, channels: int, kinds: int = 80, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.register_buffer('kind_text', torch.zeros(kinds, language_dim))
        self.kind_text: Tensor
        self.sharpness = nn.Parameter(torch.tensor(10.0))
        self.offset = nn.Parameter(torch.tensor(0.5))
        self.correct = nn.Linear(language_dim, kinds)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)
        self.name = nn.Linear(language_dim, channels)
        self.look = nn.Linear(channels, channels)
        self.place = nn.Linear(PLACE + 1, channels)
        self.pooled = nn.Linear(language_dim, channels)
        self.word = nn.Linear(channels, channels)
        layer = nn.TransformerEncoderLayer(
            channels, heads, 2 * channels, 0.0, F.gelu, batch_first=True, norm_first=True
        )
        self.mix = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(channels)
        self.score = nn.Linear(channels, 1)

    def agreement(self, pooled: Tensor) -> Tensor:
        """Return (K, C), how much each text means each class, 0..1."""
        unit = F.normalize(pooled, dim=1)
        cosine = unit @ self.kind_text.to(unit.dtype).T
        return torch.sigmoid(self.sharpness * (cosine - self.offset) + self.correct(unit))

    def forward(self, image: ImageFeatures, prompts: Prompts, agreement: Tensor, image_of: Tensor) -> Tensor:
        """Return (K, N) logits; missing boxes have a very low one. image_of: (K,)."""
        boxes, kinds = image.boxes, image.box_kinds
        assert boxes is not None and kinds is not None and prompts.pooled is not None
        sure = kinds.amax(2)  # (B, N)
        share = kinds.square() / kinds.square().sum(2, keepdim=True).clamp_min(1e-6)
        means = torch.einsum('kc,knc->kn', agreement, share[image_of])  # (K, N)
        thing = self.name(share @ self.kind_text.to(share.dtype)) + self.look(box_means(image.embedding, boxes))
        here = torch.cat([_place(boxes, sure)[image_of], means[..., None]], 2)
        things = thing[image_of] + self.place(here)
        words = torch.cat([self.pooled(prompts.pooled)[:, None], self.word(prompts.sparse)], 1)
        there = sure[image_of] > 0
        live = torch.ones(words.shape[:2], dtype=torch.bool, device=words.device)
        if prompts.mask is not None:
            live[:, 1:] = prompts.mask
        mixed = self.mix(torch.cat([words, things], 1), src_key_padding_mask=~torch.cat([live, there], 1))
        logits = self.score(self.norm(mixed[:, words.shape[1] :]))[..., 0] + torch.logit(means, 1e-3)
        out: Tensor = logits.masked_fill(~there, -20.0)
        return out


def coverage(boxes: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Return (B, N, rows) and (B, N, columns): how much of each row and column of a grid each box covers."""
    x0, y0, x1, y1 = boxes.unbind(2)

    def along(low: Tensor, high: Tensor, cells: int) -> Tensor:
        edge = torch.arange(cells + 1, device=boxes.device, dtype=boxes.dtype) / cells
        inside = torch.minimum(high[..., None], edge[1:]) - torch.maximum(low[..., None], edge[:-1])
        return (inside * cells).clamp(0, 1)

    return along(y0, y1, rows), along(x0, x1, columns)


def box_means(embedding: Tensor, boxes: Tensor) -> Tensor:
    """Return (B, N, C), the mean of a (B, C, h, w) embedding in each box."""
    high, wide = coverage(boxes, *embedding.shape[2:])
    total = torch.einsum('bnh,bnw,bchw->bnc', high, wide, embedding)
    return total / (high.sum(2) * wide.sum(2)).clamp_min(1e-3)[..., None]


def paint(chosen: Tensor, boxes: Tensor, image_of: Tensor, rows: int, columns: int) -> Tensor:
    """Return (K, rows, columns) in 0..1: the boxes (B, N, 4) weighted by the (K, N) logits."""
    high, wide = coverage(boxes, rows, columns)
    weight = torch.sigmoid(chosen)
    out = weight.new_zeros(len(chosen), rows, columns)
    if boxes.shape[0] == 1:
        drawn = (high[0, :, :, None] * wide[0, :, None]).flatten(1)
        return 1 - torch.exp(-1.5 * (weight @ drawn).unflatten(1, (rows, columns)))
    for index in range(boxes.shape[0]):  # the boxes of an image are drawn once for all its texts
        of = torch.nonzero(image_of == index).flatten()
        if of.numel():
            drawn = (high[index, :, :, None] * wide[index, :, None]).flatten(1)
            out = out.index_copy(0, of, (weight[of] @ drawn).unflatten(1, (rows, columns)))
    return 1 - torch.exp(-1.5 * out)


def _place(boxes: Tensor, sure: Tensor) -> Tensor:
    """Return (B, N, PLACE): corners, centre, size, area and score, each about -1..1."""
    x0, y0, x1, y1 = boxes.clamp(-0.2, 1.2).unbind(2)
    w, h = x1 - x0, y1 - y0
    numbers = [
        2 * x0 - 1,
        2 * y0 - 1,
        2 * x1 - 1,
        2 * y1 - 1,
        x0 + x1 - 1,
        y0 + y1 - 1,
        w,
        h,
        (w * h).clamp_min(0).sqrt(),
    ]
    return torch.stack([*numbers, sure], 2)
