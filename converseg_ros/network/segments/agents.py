"""Masks of the people and animals in the detector's boxes: a mask network on the maps of the boundary network.

Regions of interest, a small convolutional network and a mask for each box are those of Mask R-CNN (arXiv 1703.06870),
the predicted IoU that of Mask Scoring R-CNN (arXiv 1903.00241). The votes of the pixels, relative to the box, tell the
agent of a box from its neighbours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor, nn
import torch.nn.functional as F

from converseg_ros.core.segments import KINDS
from converseg_ros.network.segments.boundary import NECK, PIXEL, VOTE, BoundaryMaps, separable

SIDE = 28  # cells of the mask of a box
MARGIN = 0.15  # added around a box on each side, as a share of its size
WIDTH = 64
MIN_SCORE, MAX_BOXES = 0.15, 16  # of the detector
MAX_VOTE = 2.0  # distance of a vote from the centre of the box, in sides of the box
INPUT = PIXEL + len(KINDS) + 7 + NECK  # the seven: vote (2), boundary, place in the box (2), size of the box (2)


@dataclass(frozen=True, slots=True)
class Agents:
    """The people and animals of D boxes: masks (D, h, w), probability of each cell; quality (D,), the predicted IoU."""

    masks: NDArray[np.float32]
    quality: NDArray[np.float32]


class AgentNet(nn.Module):
    """About 45,000 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.Conv2d(INPUT, WIDTH, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU())
        self.blocks = nn.ModuleList([separable(WIDTH, WIDTH, dilation=dilation) for dilation in (1, 2, 4, 2, 1)])
        self.context = nn.Linear(WIDTH, WIDTH)
        self.mask = nn.Conv2d(WIDTH, 1, 1)
        self.quality = nn.Sequential(nn.Linear(WIDTH + 4, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))

    def forward(self, regions: Tensor, score: Tensor) -> tuple[Tensor, Tensor]:
        """Map regions of interest and the detector's scores (N,) to logits of masks and of their IoUs.

        regions: (N, INPUT, SIDE, SIDE). Returns (N, SIDE, SIDE) and (N,).
        """
        x = self.enter(regions)
        for index, block in enumerate(self.blocks):
            if index == 2:
                x = x + self.context(x.mean((2, 3)))[:, :, None, None]
            x = x + block(x)
        logits = self.mask(x)[:, 0]
        p = logits.sigmoid().detach()
        total = p.sum((1, 2)).clamp_min(1e-3)
        inside = (x * (p / total[:, None, None])[:, None]).sum((2, 3))
        certain = [p.mean((1, 2)), ((p - 0.5).abs() * 2).mean((1, 2)), (p * p).sum((1, 2)) / total, score]
        return logits, self.quality(torch.cat([inside, torch.stack(certain, 1)], 1))[:, 0]


def regions_of_interest(maps: BoundaryMaps, neck: Tensor, boxes: Tensor) -> Tensor:
    """Return the input (N, INPUT, SIDE, SIDE) of the network for the boxes of one image.

    maps: of the image (batch of 1). neck: (1, NECK, h, w), the finest level of the detector's neck. boxes: (N, 4) x0,
    y0, x1, y1 as shares of the image.
    """
    height, width = maps.boundary.shape[-2:]
    places = places_of_cells(with_margin(boxes))
    pixels = _sampled(maps.pixels, places)
    kinds = _sampled(maps.kind.float().softmax(1), places)
    vote = _sampled(maps.vote, places) * (VOTE / torch.tensor([width, height], device=boxes.device))[:, None, None]
    boundary = _sampled(maps.boundary[:, None].float().sigmoid(), places)
    size = (boxes[:, 2:] - boxes[:, :2]).clamp_min(1e-3)[:, :, None, None]
    centre = ((boxes[:, 2:] + boxes[:, :2]) / 2)[:, :, None, None]
    where = places.permute(0, 3, 1, 2)
    target = ((where + vote - centre) / size).clamp(-MAX_VOTE, MAX_VOTE)
    channels = [pixels, kinds, target, boundary, (where - centre) / size, size.log().expand(-1, -1, SIDE, SIDE)]
    return torch.cat([*channels, _sampled(F.group_norm(neck.float(), 1), places)], 1)


def with_margin(boxes: Tensor) -> Tensor:
    """Return boxes (N, 4) with MARGIN around them, the area of their masks."""
    margin = MARGIN * (boxes[:, 2:] - boxes[:, :2])
    return torch.cat([boxes[:, :2] - margin, boxes[:, 2:] + margin], 1)


def agents_of(network: AgentNet, maps: BoundaryMaps, neck: Tensor, boxes: Tensor) -> Agents:
    """Return the agents of boxes (N, 5), shares of the image and scores, on the grid of the boundaries."""
    height, width = maps.boundary.shape[-2:]
    if not len(boxes):
        return Agents(np.zeros((0, height, width), np.float32), np.zeros(0, np.float32))
    logits, quality = network(regions_of_interest(maps, neck, boxes[:, :4]), boxes[:, 4])
    masks = placed(logits.float().sigmoid(), boxes[:, :4], (height, width))
    return Agents(np.asarray(masks.cpu().numpy()), np.asarray(quality.float().sigmoid().cpu().numpy()))


def placed(masks: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return masks (N, SIDE, SIDE) of boxes (N, 4, shares of the image) on a grid (h, w), 0 elsewhere."""
    within = with_margin(boxes)
    y, x = ((torch.arange(n, device=boxes.device) + 0.5) / n for n in size)
    u = 2 * (x - within[:, :1]) / (within[:, 2:3] - within[:, :1]).clamp_min(1e-6) - 1
    v = 2 * (y - within[:, 1:2]) / (within[:, 3:] - within[:, 1:2]).clamp_min(1e-6) - 1
    shape = (len(boxes), *size)
    grid = torch.stack([u[:, None].expand(shape), v[:, :, None].expand(shape)], -1)
    found: Tensor = F.grid_sample(masks[:, None], grid, align_corners=False)[:, 0]
    return found


def places_of_cells(boxes: Tensor) -> Tensor:
    """Return the places (N, SIDE, SIDE, 2), x and y as shares of the image, of the cells of boxes (N, 4)."""
    place = (torch.arange(SIDE, device=boxes.device) + 0.5) / SIDE
    x = boxes[:, :1] + (boxes[:, 2:3] - boxes[:, :1]) * place
    y = boxes[:, 1:2] + (boxes[:, 3:] - boxes[:, 1:2]) * place
    return torch.stack([x[:, None].expand(-1, SIDE, -1), y[:, :, None].expand(-1, -1, SIDE)], -1)


def _sampled(values: Tensor, places: Tensor) -> Tensor:
    """Return (N, C, SIDE, SIDE) of (1, C, h, w) at places (N, SIDE, SIDE, 2), as shares of the image."""
    count = len(places)
    flat = (2 * places - 1).reshape(1, count * SIDE, SIDE, 2)
    found = F.grid_sample(values.float(), flat, align_corners=False, padding_mode='border')[0]
    return found.reshape(len(found), count, SIDE, SIDE).transpose(0, 1)
