"""The alignment of image features and text: a coarse map that guides the mask decoder.

It costs a thousandth of a decoded mask, so that training can supervise it with every prompt of an image, even with a
few hundred photographs.
"""

import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.network.features import Guidance, ImageFeatures, Prompts
from converseg_ros.network.things import BoxChooser, paint

EXTRA = 2  # maps in addition to the heads: the cosine with the image's words, absolute and relative to its mean
THINGS = 2  # maps of a detector: the classes that the text means, and the selected boxes


class Alignment(nn.Module):
    """Scaled dot products of projected text and image (several heads), and the cosine with the image's words.

    Image features include the position, so that 'on the left' can agree too. With a detector, the text also selects
    classes and boxes. The combination predicts whether there is a target.
    """

    def __init__(
        self,
        language_dim: int,
        channels: int,
        heads: int,
        head_dim: int = 32,
        eps: float = 1e-5,
        *,
        things: bool = False,
    ) -> None:
        super().__init__()
        self.heads = heads
        width = heads * head_dim
        self.text_norm = nn.LayerNorm(language_dim, eps=eps)
        self.query = nn.Sequential(nn.Linear(language_dim, width), nn.SiLU(), nn.Linear(width, width))
        self.key = nn.Conv2d(channels, width, 1)
        self.place = nn.Conv2d(5, width, 1, bias=False)
        maps = heads + EXTRA + (THINGS if things else 0)
        self.mix = nn.Sequential(nn.Conv2d(maps, channels, 1), nn.SiLU(), nn.Conv2d(channels, channels, 1))
        self.score = nn.Conv2d(maps, 1, 1)
        self.things: BoxChooser | None = None
        if things:
            self.things = BoxChooser(language_dim, channels)
            self.edge = nn.Parameter(torch.ones(()))
            self.exists = nn.Linear(2 * maps + 1, 1)
            nn.init.zeros_(self.exists.weight)
            nn.init.zeros_(self.exists.bias)

    def forward(self, image: ImageFeatures, prompts: Prompts, image_of: Tensor | None = None) -> Guidance:
        """Return the guidance for K prompts.

        image: one row for all prompts, or `image_of` (K,) gives the row of each.
        """
        assert prompts.pooled is not None
        maps = self._agree(image, prompts.pooled, image_of)
        if self.things is None:
            return Guidance(maps, self._coarse(maps))
        assert image.kinds is not None and image.boxes is not None
        count, (rows, columns) = prompts.pooled.shape[0], image.embedding.shape[2:]
        of = prompts.pooled.new_zeros(count, dtype=torch.long) if image_of is None else image_of
        agreement = self.things.agreement(prompts.pooled)
        chosen = self.things(image, prompts, agreement, of)
        painted = paint(chosen, image.boxes, of, 4 * rows, 4 * columns)
        if image_of is None:
            kinds = (agreement @ image.kinds[0].flatten(1)).unflatten(1, (rows, columns))
        else:
            kinds = torch.einsum('kc,kchw->khw', agreement, image.kinds[of])
        small = F.avg_pool2d(painted[:, None], 4)
        maps = torch.cat([maps, 4 * kinds[:, None], 4 * small], 1)
        return Guidance(maps, self._coarse(maps), chosen, painted, self._present(maps, chosen))

    def _agree(self, image: ImageFeatures, pooled: Tensor, image_of: Tensor | None) -> Tensor:
        """Return the maps (K, heads + 2, h, w) of pooled texts (K, D)."""
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
            for index in range(batch):  # the keys of an image are not copied for each of its texts
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
        """Return the addition to the image embedding, (K, C, h, w)."""
        out: Tensor = self.mix(maps)
        return out

    def fine(self, guidance: Guidance) -> Tensor:
        """Return the addition to the mask logits at stride 4, (K, 4h, 4w)."""
        size = [4 * n for n in guidance.coarse.shape[1:]]
        out = F.interpolate(guidance.coarse[:, None], size=size, mode='bilinear', align_corners=False)[:, 0]
        return out if guidance.painted is None else out + self.edge * (2 * guidance.painted)

    def _coarse(self, maps: Tensor) -> Tensor:
        """Return coarse mask logits, (K, h, w)."""
        out: Tensor = self.score(maps)[:, 0]
        return out

    def _present(self, maps: Tensor, chosen: Tensor) -> Tensor:
        """Return the logit that there is a target, from the guidance alone, (K,)."""
        flat, best = maps.flatten(2), chosen.amax(1, keepdim=True).clamp_min(-6)
        out: Tensor = self.exists(torch.cat([flat.amax(2), flat.mean(2), best], 1))[:, 0]
        return out

    @torch.no_grad()
    def shift(self, by: float) -> None:
        """Add `by` to all future mask logits, through the coarse logits."""
        assert self.score.bias is not None
        self.score.bias += by


def _places(rows: int, columns: int, like: Tensor) -> Tensor:
    """Return (1, 5, rows, columns): x, y, their squares and the distance from the centre, in -1..1."""
    y = torch.linspace(-1, 1, rows, device=like.device, dtype=like.dtype)[:, None].expand(rows, columns)
    x = torch.linspace(-1, 1, columns, device=like.device, dtype=like.dtype)[None].expand(rows, columns)
    return torch.stack([x, y, x * x, y * y, (x * x + y * y).sqrt() - 1])[None]
