"""Candidates for segments: the nodes of a merge tree, and unions of two neighbouring ones.

A thing that falls into two pieces which the tree joins to other things first (a chair behind a table, a dog behind a
leg) is no node, but often a pair of nodes (combinatorial grouping, Pont-Tuset et al., TPAMI 2017).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.network.segments.tree import Floats, MergeTree, common_borders


@dataclass(frozen=True)
class Regions:
    """R regions of one tree, each of one node or two.

    members: (R, 2) nodes, the second -1 where there is one only. area, height, parent_height, perimeter, border: (R,)
    as MergeTree has them. above: (R,) the node that a region is compared with, its parent where it has one.
    """

    tree: MergeTree
    members: NDArray[np.intp]
    area: Floats
    height: Floats
    parent_height: Floats
    perimeter: Floats
    border: Floats
    above: NDArray[np.intp]

    def __len__(self) -> int:
        """Return the number of regions."""
        return len(self.members)

    def sums(self, of_nodes: Floats) -> Floats:
        """Return (R, ...) sums over the members of (N, ...) values of the nodes."""
        single = (self.members[:, 1] < 0).reshape(-1, *[1] * (of_nodes.ndim - 1))
        first, second = of_nodes[self.members[:, 0]], of_nodes[self.members[:, 1]]
        return np.asarray(first + np.where(single, 0, second))

    def mask(self, region: int) -> NDArray[np.bool_]:
        """Return the (h, w) cells of a region."""
        a, b = self.members[region]
        return self.tree.mask(a) | self.tree.mask(b) if b >= 0 else self.tree.mask(a)

    def overlaps(self, masks: NDArray[np.floating]) -> Floats:
        """Return (R, M) IoUs of every region with (M, h, w) masks of 0..1."""
        flat = masks.reshape(len(masks), -1).T.astype(np.float32)
        inside = self.sums(self.tree.sums(self.tree.leaf_sums(flat)))
        return np.asarray(inside / np.maximum(self.area[:, None] + flat.sum(0) - inside, 1e-9))

    def boxes(self) -> Floats:
        """Return (R, 4) x0, y0, x1, y1 of every region in cells, the ends exclusive."""
        boxes = node_boxes(self.tree)
        first, second = boxes[self.members[:, 0]], boxes[self.members[:, 1]]
        second = np.where(self.members[:, 1:] < 0, first, second)
        return np.concatenate([np.minimum(first, second)[:, :2], np.maximum(first, second)[:, 2:]], 1)


def all_nodes(tree: MergeTree) -> Regions:
    """Return the nodes of a tree as regions, in their order."""
    index = np.arange(len(tree))
    members = np.stack([index, np.full(len(tree), -1)], 1)
    above = np.where(tree.parent >= 0, tree.parent, index)
    return Regions(tree, members, tree.area, tree.height, tree.parent_height, tree.perimeter, tree.border, above)


def joined(a: Regions, b: Regions) -> Regions:
    """Return the regions of both, those of `a` first; both are of one tree."""
    names = ('members', 'area', 'height', 'parent_height', 'perimeter', 'border', 'above')
    return Regions(a.tree, *(np.concatenate([getattr(a, name), getattr(b, name)]) for name in names))


def neighbour_pairs(tree: MergeTree, nodes: NDArray[np.intp], boundary: NDArray[np.float32]) -> Regions:
    """Return the unions of two neighbours among nodes that do not overlap; `boundary` is the map that was merged by."""
    leaf = np.full(tree.leaves, len(nodes), np.int64)
    for index, node in enumerate(nodes.tolist()):
        leaf[tree.order[tree.first[node] : tree.last[node]]] = index
    pairs, counts, totals = common_borders(leaf[tree.labels], boundary)
    known = pairs[:, 1] < len(nodes)  # not with what belongs to none of the nodes
    siblings = tree.parent[nodes[pairs[known, 0]]] == tree.parent[nodes[pairs[known, 1]]]  # their union is a node
    pairs, counts, totals = (x[known][~siblings] for x in (pairs, counts, totals))
    a, b = nodes[pairs[:, 0]], nodes[pairs[:, 1]]
    height = np.maximum(totals / np.maximum(counts, 1), np.maximum(tree.height[a], tree.height[b]))
    return Regions(
        tree,
        np.stack([a, b], 1),
        tree.area[a] + tree.area[b],
        height,
        np.maximum(height, np.minimum(tree.parent_height[a], tree.parent_height[b])),
        tree.perimeter[a] + tree.perimeter[b] - 2 * counts,
        tree.border[a] + tree.border[b] - 2 * totals,
        tree.parent[np.where(tree.area[a] > tree.area[b], a, b)],
    )


def node_boxes(tree: MergeTree) -> Floats:
    """Return (N, 4) x0, y0, x1, y1 of every node in cells, the ends exclusive."""
    height, width = tree.labels.shape
    y, x = np.divmod(np.arange(height * width), width)
    labels = tree.labels.ravel()
    ranges = np.stack([tree.first, tree.last], 1).ravel()
    columns = []
    low, high = np.minimum, np.maximum
    for values, reduce, start in ((x, low, width), (y, low, height), (x, high, 0), (y, high, 0)):
        leaf = np.full(tree.leaves, start)
        reduce.at(leaf, labels, values)
        padded = np.append(leaf[tree.order], start)  # so that the last range may end behind the leaves
        columns.append(reduce.reduceat(padded, ranges)[::2] + (reduce is high))
    return np.stack(columns, 1).astype(float)
