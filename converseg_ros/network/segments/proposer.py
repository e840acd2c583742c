"""The shipped `SegmentProposer`: segments of a view from its boundaries."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
import torch
import torch.nn.functional as F

from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import KINDS, Segments
from converseg_ros.facts.geometry.planes import Geometry, ViewGeometry, plane_masks, view_geometry
from converseg_ros.network.encoders.nanodet import AGENTS, Detections, best_boxes, kinds_map
from converseg_ros.network.once import OncePerView
from converseg_ros.network.precision import autocast
from converseg_ros.network.segments.agents import MAX_BOXES, MIN_SCORE, AgentNet, Agents, agents_of
from converseg_ros.network.segments.backbone import Backbone, Seen, load_backbone, to_pixels, working_size
from converseg_ros.network.segments.boundary import VOTE, BoundaryMaps, BoundaryNet, channels_last
from converseg_ros.network.segments.composition import composed
from converseg_ros.network.segments.geometry import geometry_channels, network_input
from converseg_ros.network.segments.nodes import ViewMaps, describe
from converseg_ros.network.segments.quality import QualityNet
from converseg_ros.network.segments.selection import MAX_WHOLES, SAME, choose
from converseg_ros.network.segments.tree import MergeTree, merge_tree, superpixels
from converseg_ros.network.segments.weights import load_segments

BOXES = 32  # of the detector
OBJECT, SURFACE, STRUCTURE, AGENT = range(len(KINDS))
PART_BOUNDARY_WEIGHT = 0.5  # weight of part outlines in the map for merging
IN_PLANE = 0.6  # minimum share of a surface's cells in a plane
MAX_PATCHES = 8  # of planes that become additional segments


@dataclass(frozen=True, slots=True)
class Proposals:
    """The intermediate results: maps, the tree, and the features and kinds of each node."""

    maps: ViewMaps
    tree: MergeTree
    numbers: NDArray[np.float32]
    kinds: NDArray[np.float32]


class TreeProposer:
    """Boundaries, watershed, merge tree, learned quality, flat cut, parts and planes. RGB is sufficient."""

    def __init__(
        self,
        backbone: Backbone,
        boundary: BoundaryNet,
        quality: QualityNet,
        agents: AgentNet | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        geometry: Geometry = view_geometry,
    ) -> None:
        """Create a proposer from the networks; `dtype` (bfloat16 or float16): precision of the convolutions.

        agents: masks of people and animals in the detector's boxes; None to propose nodes of the tree only.
        geometry: of a view, from what shares it with others. The output of the backbones for the last view is kept: see
        `detections`.
        """
        self.backbone = channels_last(backbone.eval())
        self.boundary = channels_last(boundary.eval())
        self.quality = quality.eval().cpu()
        self.agents = None if agents is None else agents.eval()
        self.dtype, self.geometry = dtype, geometry
        self._seen = OncePerView(self._see)

    def propose(self, view: Frame) -> Segments:
        """Return the segments of a view; depth and intrinsics are used if available."""
        return self.choose(self.nodes(view), (view.height, view.width))

    def detections(self, view: Frame) -> list[Detections]:
        """Return the output of the detector for a view: that of `propose`, if it was the last view."""
        return self._seen(view).detections

    def choose(self, proposals: Proposals, size: tuple[int, int]) -> Segments:
        """Return the segments that are selected among the nodes of a view; `size` is the view's (H, W)."""
        return segments_of(proposals, self.quality.score(proposals.numbers), size)

    def nodes(self, view: Frame) -> Proposals:
        """Return the merge tree of a view with the features of its nodes."""
        maps = self.maps(view)
        merged_by = np.maximum(maps.boundary, PART_BOUNDARY_WEIGHT * maps.part_boundary)
        labels = superpixels(merged_by)
        tree = merge_tree(labels, merged_by, maps.evidence(labels))
        numbers, kinds = describe(tree, maps)
        return Proposals(maps, tree, numbers, kinds)

    def maps(self, view: Frame) -> ViewMaps:
        """Run the networks on a view."""
        rows, columns = (n // 2 for n in working_size(view.height, view.width))
        geometry = self.geometry(view, rows, columns)
        planes = network_input(None if geometry is None else geometry_channels(geometry), rows, columns)
        seen = self._seen(view)
        with torch.no_grad(), autocast(self._device, self.dtype):
            channels = torch.from_numpy(planes)[None].to(self._device, memory_format=torch.channels_last)
            maps = self.boundary(seen.features, channels)
            boxes, of_agents = detected(seen.detections)
            agents = self._agents(seen, maps, boxes[of_agents])
        return _view_maps(view.rgb, seen, maps, geometry, boxes, agents)

    def _agents(self, seen: Seen, maps: BoundaryMaps, boxes: torch.Tensor) -> Agents | None:
        """Return the agents in the best of their boxes (D, 5)."""
        if self.agents is None:
            return None
        found = boxes[boxes[:, 4] > MIN_SCORE][:MAX_BOXES]
        return agents_of(self.agents, maps, seen.features.neck[0], found)

    def _see(self, view: Frame) -> Seen:
        """Run the backbones on a view."""
        with torch.no_grad(), autocast(self._device, self.dtype):
            found: Seen = self.backbone(to_pixels(_at_working_size(view.rgb)[None], self._device))
        return found

    @property
    def _device(self) -> torch.device:
        return next(self.boundary.parameters()).device


def load_proposer(model: Path, weights: Path, *, dtype: torch.dtype = torch.float32) -> TreeProposer:
    """Return a proposer with the backbones of a model folder and the weights of `segments.safetensors`."""
    return TreeProposer(load_backbone(model), *load_segments(weights), dtype=dtype)


def segments_of(
    proposals: Proposals, score: NDArray[np.float32], size: tuple[int, int], *, most: int = MAX_WHOLES
) -> Segments:
    """Select segments by the predicted IoUs of nodes (N, 2), as an object and as a part, and add patches of planes."""
    tree, maps = proposals.tree, proposals.maps
    chosen = choose(tree, score[:, 0], score[:, 1], proposals.kinds, most=most)
    found = composed(tree, chosen, score, proposals.kinds, maps.agents)
    masks = list(np.take(found.leaves, tree.labels.astype(np.intp), axis=1))  # other integers are converted each time
    return assembled(masks, list(found.kinds), found.quality.tolist(), found.flat, found.parent, maps, size)


def assembled(
    regions: Sequence[NDArray[np.bool_]],
    region_kinds: Sequence[NDArray[np.float32]],
    quality: Sequence[float],
    flat: NDArray[np.bool_],
    parent: NDArray[np.intp],
    maps: ViewMaps,
    size: tuple[int, int],
) -> Segments:
    """Return segments of selected regions, with the planes of the view and their patches.

    regions: (h, w) masks on the grid of the maps. The other arguments are as in Segments.
    """
    found = _Found(list(regions), list(region_kinds), list(quality), [-1] * len(regions))
    view = maps.geometry
    if view is not None:
        _add_planes(found, view, maps)
    added = len(found.masks) - len(regions)
    masks = np.stack(found.masks) if found.masks else np.zeros((0, *maps.boundary.shape), bool)
    kinds = np.array(found.kinds, np.float32).reshape(-1, len(KINDS))
    rows = [] if view is None else [[*p.normal, p.d] for p in view.planes]
    return Segments(
        masks,
        size,
        kinds,
        np.array(found.quality, np.float32),
        np.append(flat, np.zeros(added, bool)),
        np.append(parent, np.full(added, -1, np.intp)),
        np.array(found.plane, np.intp),
        np.array(rows, np.float32).reshape(-1, 4),
        None if view is None or not view.up_known else view.up.astype(np.float32),
        _unexplained(maps, masks, kinds),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Segments under construction."""

    masks: list[NDArray[np.bool_]]
    kinds: list[NDArray[np.float32]]
    quality: list[float]
    plane: list[int]


def _add_planes(found: _Found, view: ViewGeometry, maps: ViewMaps) -> None:
    """Set the plane of each surface, and add the patches of planes that no segment covers similarly.

    The quality of a patch is the agreement of the network that its cells are surface or structure.
    """
    patches = [(mask, index) for index, plane in enumerate(view.planes) for mask in plane_masks(view, plane)]
    patches.sort(key=lambda patch: -int(np.count_nonzero(patch[0])))
    for i, mask in enumerate(found.masks):
        if found.kinds[i].argmax() != SURFACE:
            continue
        shares = np.zeros(len(view.planes))
        for patch, index in patches:
            shares[index] += np.count_nonzero(patch & mask) / mask.sum()
        if shares.max(initial=0) >= IN_PLANE:
            found.plane[i] = int(shares.argmax())
    surfaces = [m for m, kinds in zip(found.masks, found.kinds) if kinds.argmax() in (SURFACE, STRUCTURE)]
    for patch, index in patches[:MAX_PATCHES]:
        if any(np.count_nonzero(patch & m) > SAME * np.count_nonzero(patch | m) for m in surfaces):
            continue
        kinds = maps.kinds[:, patch].mean(1)
        found.masks.append(patch)
        found.kinds.append(kinds)
        found.quality.append(float(kinds[SURFACE] + kinds[STRUCTURE]))
        found.plane.append(index)


def _unexplained(maps: ViewMaps, masks: NDArray[np.bool_], kinds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (h, w): the probability that a cell belongs to an object or agent that no such segment covers."""
    explained = np.zeros(maps.boundary.shape, bool)
    for i in np.flatnonzero(np.isin(kinds.argmax(1), (OBJECT, AGENT))) if len(masks) else ():
        explained |= masks[i]
    return np.where(explained, 0, maps.voting).astype(np.float32)


def _at_working_size(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an (H, W, 3) image at the size of the networks' input."""
    rows, columns = working_size(*rgb.shape[:2])
    how = cv2.INTER_AREA if rows < rgb.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (columns, rows), interpolation=how), np.uint8)


def detected(levels: list[Detections]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the detector's boxes (D, 5) of an image, best first, and which (D,) are those of people and animals.

    The columns are x0, y0, x1, y1 as shares of the image, and the score.
    """
    found = best_boxes(levels, BOXES)
    score, best = found.kinds[0].float().max(1)
    height, width = (s * 8 for s in levels[0].logits.shape[-2:])  # of the detector's input
    boxes = found.boxes[0].float() / torch.tensor([width, height] * 2, device=score.device)
    of_agents = torch.isin(best, torch.tensor(AGENTS, device=best.device))
    return torch.cat([boxes, score[:, None]], 1)[score > 0], of_agents[score > 0]


def _view_maps(
    rgb: NDArray[np.uint8],
    seen: Seen,
    maps: BoundaryMaps,
    geometry: ViewGeometry | None,
    boxes: torch.Tensor,
    agents: Agents | None,
) -> ViewMaps:
    """Return the networks' output on the working grid."""
    size = maps.boundary.shape[-2:]

    def resized(x: torch.Tensor) -> NDArray[np.float32]:
        return np.asarray(F.interpolate(x.float(), size, mode='bilinear', align_corners=False)[0].cpu().numpy())

    def probability(x: torch.Tensor) -> NDArray[np.float32]:
        return np.asarray(x[0].float().sigmoid().cpu().numpy())

    scale = torch.tensor([size[1], size[0]] * 2 + [1], device=boxes.device)
    half = np.asarray(cv2.resize(_at_working_size(rgb), (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8)
    return ViewMaps(
        probability(maps.boundary),
        probability(maps.part_boundary),
        probability(maps.part),
        resized(maps.kind.float().softmax(1)),
        resized(maps.vote) * VOTE,
        resized(kinds_map(seen.detections).amax(1, keepdim=True))[0],
        cv2.cvtColor(half, cv2.COLOR_RGB2LAB).astype(np.float32),
        np.asarray((boxes * scale).cpu().numpy(), np.float32),
        geometry,
        agents,
    )
