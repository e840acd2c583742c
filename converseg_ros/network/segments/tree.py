"""The merge tree of a boundary map: superpixels by steepest descent, merged pairwise.

Superpixels are the catchment basins of the boundary map (drop-of-water principle, Cousty et al., TPAMI 2009). Merging
by the mean boundary along the common border gives an ultrametric tree (Arbelaez et al., TPAMI 2011), here weighted so
that small regions merge early, and with the pixels' votes for the centre of their object.
"""

from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from math import dist, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Point = tuple[float, ...]
SMALL = 40.0  # cells from which a region has nearly full weight
SHALLOW = 0.01  # boundary strength below which two neighbouring basins are merged
VOTE_WEIGHT = 0.3  # weight of the distance between two regions' voted centres, in units of VOTE, in the merging cost
VOTE_MOST = 1.0  # maximum of that distance
VOTERS = 0.3  # share of object cells of a region below which its votes are ignored
KIND_WEIGHT = 0.2  # weight of the distance between two regions' kinds


def superpixels(boundary: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return (h, w) labels 0..k-1 of a boundary map (h, w) in 0..1: each cell flows to its lowest neighbour."""
    smooth = np.asarray(cv2.GaussianBlur(boundary, (0, 0), 0.8))
    floor = np.asarray(cv2.erode(smooth, np.ones((7, 7), np.uint8)))
    count, basins = cv2.connectedComponents((smooth <= floor + SHALLOW).astype(np.uint8), connectivity=4)
    height, width = smooth.shape
    padded = np.pad(smooth, 1, constant_values=np.inf)
    lowest, step = smooth.copy(), np.zeros(smooth.shape, np.intp)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            value = padded[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]
            np.copyto(step, dy * width + dx, where=value < lowest)
            np.minimum(lowest, value, out=lowest)
    here = np.arange(height * width).reshape(height, width)
    to = here + step
    flat, target = basins.ravel(), to.ravel()
    centre = np.zeros(count, np.intp)
    centre[flat[::-1]] = here.ravel()[::-1]  # the first cell of each basin
    target = np.where(flat > 0, centre[flat], target)
    while True:
        further = target[target]
        if np.array_equal(further, target):
            break
        target = further
    labels = np.zeros(height * width, np.int32)
    roots = np.unique(target)
    labels[roots] = np.arange(len(roots))
    return labels[target].reshape(height, width)


@dataclass(frozen=True, slots=True)
class LeafEvidence:
    """Evidence for merging superpixels in addition to their boundary, as sums over their cells.

    weight: (k,) probability that each cell belongs to an object. place: (k, 2) the centres that the cells vote for (x,
    y, in units of VOTE), with the same weights. kinds: (k, 4) the probabilities of KINDS.
    """

    weight: Floats
    place: Floats
    kinds: Floats


@dataclass(frozen=True)
class MergeTree:
    """N nodes over k leaves (superpixels); leaves come first and a parent after its children.

    Attributes:
        labels: (h, w) leaf of each cell.
        area: (N,) cells.
        height: (N,) merging cost of a node (leaves: 0).
        parent: (N,), -1 for a root.
        children: (N, 2), -1 for leaves.
        order: (k,) leaves in the order of the tree; the leaves of a node are order[first : last].
        perimeter: (N,) border cells between a node and the rest.
        border: (N,) sum of the boundary map along them.
    """

    labels: NDArray[np.int32]
    area: Floats
    height: Floats
    parent: NDArray[np.intp]
    children: NDArray[np.intp]
    order: NDArray[np.intp]
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    perimeter: Floats
    border: Floats

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.area)

    @property
    def leaves(self) -> int:
        """Return the number of superpixels."""
        return len(self.order)

    @cached_property
    def rank(self) -> NDArray[np.int32]:
        """Return (h, w): the position of each cell's leaf in the order of the tree; a node is a range of it."""
        rank = np.empty(self.leaves, np.int32)
        rank[self.order] = np.arange(self.leaves, dtype=np.int32)
        return rank[self.labels]

    @cached_property
    def parent_height(self) -> Floats:
        """Return (N,): the height of the parent; 1 for roots, and never below the own height."""
        above = np.where(self.parent >= 0, self.height[self.parent], 1.0)
        return np.asarray(np.maximum(above, self.height))

    def mask(self, node: int) -> NDArray[np.bool_]:
        """Return the (h, w) cells of a node."""
        return np.asarray((self.rank >= self.first[node]) & (self.rank < self.last[node]))

    def sums(self, leaf_values: NDArray[np.floating]) -> Floats:
        """Return (N, ...) sums over each node's leaves of (k, ...) values of the leaves."""
        total = np.zeros((self.leaves + 1, *leaf_values.shape[1:]))
        np.cumsum(leaf_values[self.order], axis=0, out=total[1:])
        return np.asarray(total[self.last] - total[self.first])

    def leaf_sums(self, cells: NDArray[np.floating]) -> Floats:
        """Return (k, C) sums over the cells of each leaf of (h * w, C) values."""
        from scipy.sparse import csr_matrix

        count = self.labels.size
        pick = csr_matrix((np.ones(count, np.float32), self.labels.ravel(), np.arange(count + 1)), (count, self.leaves))
        return np.asarray(pick.T @ cells, np.float64)

    def overlaps(self, masks: NDArray[np.floating]) -> Floats:
        """Return (N, M) IoUs of every node with (M, h, w) masks of 0..1."""
        flat = masks.reshape(len(masks), -1).T.astype(np.float32)
        inside = self.sums(self.leaf_sums(flat))
        return np.asarray(inside / np.maximum(self.area[:, None] + flat.sum(0) - inside, 1e-9))


def merge_tree(
    labels: NDArray[np.int32], boundary: NDArray[np.float32], evidence: LeafEvidence | None = None
) -> MergeTree:
    """Return the merge tree of superpixels (h, w) under a boundary map (h, w) in 0..1 and further evidence."""
    k = int(labels.max()) + 1
    most = 2 * k - 1
    neighbours = _borders(labels, boundary, most)
    area = np.bincount(labels.ravel(), minlength=k).astype(float).tolist() + [0.0] * (k - 1)
    weight, place, kinds = _means(evidence, area) if evidence is not None else ([], [], [])

    def cost(a: int, b: int) -> float:
        count, total = neighbours[a][b]
        own, other = area[a], area[b]
        smaller = own if own < other else other  # min() takes much longer
        value = total / count
        if weight:
            own, other = weight[a], weight[b]
            voters = own if own < other else other
            if voters > VOTERS:
                apart = dist(place[a], place[b])
                value += VOTE_WEIGHT * voters * ((apart if apart < VOTE_MOST else VOTE_MOST) - 0.5 * VOTE_MOST)
            apart = dist(kinds[a], kinds[b])
            value += KIND_WEIGHT * ((apart if apart < 1.0 else 1.0) - 0.5)
        return value * (0.3 + 0.7 * sqrt(smaller / (smaller + SMALL)))

    heap = [(cost(a, b), a, b) for a in range(k) for b in neighbours[a] if a < b]
    heapify(heap)
    height, parent = [0.0] * most, [-1] * most
    children = [(-1, -1)] * most
    perimeter, border = [0.0] * most, [0.0] * most
    for a in range(k):
        perimeter[a], border[a] = _total(neighbours[a])
    alive = bytearray([1] * k + [0] * (k - 1))
    new = k
    while heap:
        price, a, b = heappop(heap)
        if not (alive[a] and alive[b]):
            continue
        alive[a] = alive[b] = 0
        alive[new] = 1
        area[new] = area[a] + area[b]
        children[new] = (a, b)
        parent[a] = parent[b] = new
        height[new] = max(price, height[a], height[b])
        if weight:
            share = area[a] / area[new]
            weight.append(share * weight[a] + (1 - share) * weight[b])
            votes = share * weight[a] / weight[new]
            place.append(_between(place[a], place[b], votes))
            kinds.append(_between(kinds[a], kinds[b], share))
        around = neighbours[new]
        for old, twin in ((a, b), (b, a)):
            for other, pair in neighbours[old].items():
                if other == twin:
                    continue
                held = around.get(other)
                around[other] = pair if held is None else (held[0] + pair[0], held[1] + pair[1])
                del neighbours[other][old]
        for other, pair in around.items():
            neighbours[other][new] = pair
            heappush(heap, (cost(other, new), other, new))
        perimeter[new], border[new] = _total(around)
        new += 1
    order, first, last = _ordered(children[:new], parent[:new], k)
    areas, heights, perimeters, borders = (np.array(v[:new], float) for v in (area, height, perimeter, border))
    return MergeTree(
        labels,
        areas,
        heights,
        np.array(parent[:new], np.intp),
        np.array(children[:new], np.intp).reshape(-1, 2),
        order,
        first,
        last,
        perimeters,
        borders,
    )


def _means(evidence: LeafEvidence, area: list[float]) -> tuple[list[float], list[Point], list[Point]]:
    """Return each superpixel's share of voting cells, their mean vote, and the mean of its kinds."""
    count = len(evidence.weight)
    size = np.array(area[:count])
    weight = np.maximum(evidence.weight, 1e-6)
    place, kinds = evidence.place / weight[:, None], evidence.kinds / size[:, None]
    return (weight / size).tolist(), [*map(tuple, place.tolist())], [*map(tuple, kinds.tolist())]


def _between(a: Point, b: Point, share: float) -> Point:
    """Return share * a + (1 - share) * b."""
    rest = 1 - share
    return tuple([share * p + rest * q for p, q in zip(a, b)])


def _borders(
    labels: NDArray[np.int32], boundary: NDArray[np.float32], most: int
) -> list[dict[int, tuple[float, float]]]:
    """Return for each superpixel its neighbours with the length of the common border and the boundary along it."""
    k = int(labels.max()) + 1
    keys, values = [], []
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        apart = labels[here] != labels[there]
        a, b = labels[here][apart].astype(np.int64), labels[there][apart]
        keys.append(np.minimum(a, b) * k + np.maximum(a, b))
        values.append(np.maximum(boundary[here][apart], boundary[there][apart]))
    pairs, index = np.unique(np.concatenate(keys), return_inverse=True)
    counts = np.bincount(index, minlength=len(pairs))
    totals = np.bincount(index, np.concatenate(values), len(pairs))
    neighbours: list[dict[int, tuple[float, float]]] = [{} for _ in range(most)]
    for pair, count, total in zip(pairs.tolist(), counts.tolist(), totals.tolist()):
        a, b = divmod(pair, k)
        neighbours[a][b] = neighbours[b][a] = (count, total)
    return neighbours


def _total(around: dict[int, tuple[float, float]]) -> tuple[float, float]:
    """Return the length of a region's border and the boundary along it."""
    counts, totals = zip(*around.values()) if around else ((), ())
    return sum(counts), sum(totals)


def _ordered(
    children: list[tuple[int, int]], parent: list[int], k: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return the leaves in the order of the tree, and for each node the range of its leaves in it."""
    count = len(parent)
    size = [1] * k + [0] * (count - k)
    for node in range(k, count):
        size[node] = size[children[node][0]] + size[children[node][1]]
    first, position = [0] * count, 0
    for node in range(count - 1, -1, -1):  # parents come after their children
        if parent[node] < 0:
            first[node] = position
            position += size[node]
        a, b = children[node]
        if a >= 0:
            first[a], first[b] = first[node], first[node] + size[a]
    starts = np.array(first, np.intp)
    order = np.empty(k, np.intp)
    order[starts[:k]] = np.arange(k)
    return order, starts, starts + np.array(size, np.intp)
