"""NanoDet-g: a one-stage detector of COCO's 80 classes (github.com/RangiLyu/nanodet, Apache-2.0).

A CSP trunk, a PAN neck and a generalised-focal-loss head. `compact` uses it frozen; it was trained on 118,000 labelled
photographs.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
import torch.nn.functional as F

# Of BGR pixels in 0..255.
MEAN, STD = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
STAGES = ((32, 1), (64, 2), (128, 2), (256, 3))  # width and inner blocks of each stage
NECK, CLASSES, BINS = 128, 80, 11  # BINS: of a side's distance, in cells (generalised focal loss, arXiv 2006.04388)
_NAMES = (
    'person/man/woman|bicycle/bike|car|'
    'motorcycle/motorbike|airplane|bus|train|truck|boat|traffic light|fire hydrant|stop sign|parking meter|'
    'bench|bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe|backpack/rucksack|umbrella|handbag|tie|'
    'suitcase|frisbee|skis|snowboard|ball|kite|baseball bat|baseball glove|skateboard|surfboard|'
    'tennis racket|bottle|wine glass/glass|cup/mug|fork|knife|spoon|bowl|banana|apple|sandwich|orange|'
    'broccoli|carrot|hot dog|pizza|donut|cake|chair|couch/sofa|potted plant/plant|bed|table/dining table|'
    'toilet|television/monitor|laptop|computer mouse|remote control|keyboard|cell phone/smartphone|microwave|'
    'oven/stove|toaster|sink|refrigerator/fridge|book|clock|vase|scissors|teddy bear/toy|hair dryer|'
    'toothbrush'
)
KIND_NAMES = tuple(tuple(group.split('/')) for group in _NAMES.split('|'))
"""Names of each of COCO's 80 classes; the first is the name of the class, up to a word."""
AGENTS = (
    KIND_NAMES.index(('person', 'man', 'woman')),
    *range(KIND_NAMES.index(('bird',)), KIND_NAMES.index(('giraffe',)) + 1),
)
"""The classes of people and animals, in the order of COCO."""
STRIDES = (8, 16, 32)


class Detections(NamedTuple):
    """One level: features (B, 128, h, w) of the neck, class logits (B, 80, h, w), sides (B, 4, h, w) in pixels.

    sides: distances from the centre of a cell to the left, top, right and bottom of its object.
    """

    features: Tensor
    logits: Tensor
    sides: Tensor


class Boxes(NamedTuple):
    """The objects of an image, best first: boxes (B, N, 4) in pixels, kinds (B, N, 80) probabilities, or zeros."""

    boxes: Tensor
    kinds: Tensor


class NanoDet(nn.Module):
    """Trunk, neck and head at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _unit(3, 32, 2)
        self.stages = nn.ModuleList()
        channels = 32
        for index, (width, count) in enumerate(STAGES):
            self.stages.append(CspStage(channels, width, count, stride=1 if index == 0 else 2))
            channels = 2 * width
        self.laterals = nn.ModuleList([nn.Conv2d(2 * width, NECK, 1) for width, _ in STAGES[1:]])
        self.towers = nn.ModuleList([_unit(NECK, NECK) for _ in STRIDES])
        self.outputs = nn.ModuleList([nn.Conv2d(NECK, CLASSES + 4 * BINS, 1) for _ in STRIDES])
        self.register_buffer('distances', torch.arange(BINS, dtype=torch.float32), persistent=False)
        self.distances: Tensor

    def forward(self, pixels: Tensor) -> list[Detections]:
        """Detect in normalized BGR pixels (B, 3, H, W); H and W are multiples of 32."""
        x = F.max_pool2d(self.stem(pixels), 3, 2, 1)
        levels: list[Tensor] = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index:
                levels.append(self.laterals[index - 1](x))
        for index in (1, 0):  # top down, then bottom up (PAN, arXiv 1803.01534)
            levels[index] = levels[index] + resize_like(levels[index + 1], levels[index])
        for index in (1, 2):
            levels[index] = levels[index] + resize_like(levels[index - 1], levels[index])
        found = []
        for level, tower, output, stride in zip(levels, self.towers, self.outputs, STRIDES, strict=True):
            logits, bins = output(tower(level)).split((CLASSES, 4 * BINS), 1)
            share = bins.unflatten(1, (4, BINS)).softmax(2)
            sides = torch.einsum('bskhw,k->bshw', share, self.distances.to(share.dtype)) * stride
            found.append(Detections(level, logits, sides))
        return found


def best_boxes(levels: list[Detections], count: int, *, candidates: int = 128, least: float = 0.08) -> Boxes:
    """Return the `count` best boxes after matrix suppression (SOLOv2, arXiv 2003.10152) with a score of `least`."""
    boxes, kinds = [], []
    for found, stride in zip(levels, STRIDES, strict=True):
        rows, columns = found.logits.shape[2:]
        like = found.sides.float()  # bfloat16 cannot represent integers beyond 256
        y = (torch.arange(rows, device=like.device, dtype=like.dtype) + 0.5) * stride
        x = (torch.arange(columns, device=like.device, dtype=like.dtype) + 0.5) * stride
        left, top, right, bottom = like.unbind(1)
        sides = [x - left, y[:, None] - top, x + right, y[:, None] + bottom]
        boxes.append(torch.stack(sides, -1).flatten(1, 2))
        kinds.append(found.logits.float().sigmoid().flatten(2).transpose(1, 2))
    every, of = torch.cat(boxes, 1), torch.cat(kinds, 1)
    score = of.amax(2)
    score, order = score.topk(min(candidates, score.shape[1]), 1)
    every = every.gather(1, order[..., None].expand(-1, -1, 4))
    overlap = box_ious(every, every).triu(1)  # with the better ones
    most = overlap.amax(1)  # how much each is a duplicate itself
    decay = torch.exp(-(overlap.square() - most.square()[..., None]) / 0.25).amin(1)
    score, best = (score * decay).topk(count, 1)
    order = order.gather(1, best)
    kept = of.gather(1, order[..., None].expand(-1, -1, of.shape[2])) * (score > least)[..., None]
    return Boxes(every.gather(1, best[..., None].expand(-1, -1, 4)), kept)


def box_ious(a: Tensor, b: Tensor) -> Tensor:
    """Return the intersection over union (..., N, M) of boxes (..., N, 4) and (..., M, 4) with x0, y0, x1, y1."""
    a, b = a[..., :, None, :], b[..., None, :, :]
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inside = (high - low).clamp_min(0).prod(-1)
    area_a, area_b = ((x[..., 2:] - x[..., :2]).clamp_min(0).prod(-1) for x in (a, b))
    return inside / (area_a + area_b - inside).clamp_min(1e-6)


def kinds_map(levels: list[Detections]) -> Tensor:
    """Return (B, 80, h, w) at stride 16: the probability of each class at each position, the best of all levels."""
    fine, middle, coarse = (f.logits.sigmoid() for f in levels)
    best = torch.maximum(F.max_pool2d(fine, 2), middle)
    return torch.maximum(best, resize_like(coarse, middle))


class CspStage(nn.Module):
    """Split, transform, concatenate (CSPNet, arXiv 1911.11929); 2 * width channels out."""

    def __init__(self, channels: int, width: int, count: int, stride: int) -> None:
        super().__init__()
        self.enter = _unit(channels, width, stride)
        self.blocks = nn.Sequential(*[CspBlock(width) for _ in range(count)])
        self.leave = _unit(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 2 * width, H / stride, W / stride)."""
        kept = self.enter(x)
        return torch.cat([self.leave(self.blocks(kept)), kept], 1)


class CspBlock(nn.Module):
    """Two consecutive convolutions of half the width, both outputs concatenated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _unit(width, width // 2)
        self.second = _unit(width // 2, width // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape."""
        half = self.first(x)
        return torch.cat([self.second(half), half], 1)


def _unit(channels_in: int, channels: int, stride: int = 1) -> nn.Module:
    """Return a 3x3 convolution (its batch norm folded in) and a leaky ReLU."""
    return nn.Sequential(nn.Conv2d(channels_in, channels, 3, stride, 1), nn.LeakyReLU(0.1))


def resize_like(x: Tensor, like: Tensor) -> Tensor:
    """Resize (B, C, h, w) bilinearly to rows and columns of `like`."""
    return F.interpolate(x, like.shape[-2:], mode='bilinear', align_corners=False)
