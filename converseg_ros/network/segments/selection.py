"""Selection of nodes of the merge tree: a flat cut without overlaps, alternatives, and parts."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from converseg_ros.network.segments.tree import MergeTree

MAX_WHOLES, MAX_PARTS = 40, 12
MIN_CELLS = 16  # of the working grid: smaller regions are noise
MIN_QUALITY, MIN_PART_QUALITY = 0.1, 0.15  # predicted IoU
SAME = 0.75  # area ratio of nested nodes above which they are duplicates
PART_SHARE = 0.75  # maximum area of a part as a share of its object


@dataclass(frozen=True, slots=True)
class Chosen:
    """Nodes of a tree, flat ones first. flat: (S,) bool. parent: (S,) index into `nodes` of a part's whole, or -1."""

    nodes: NDArray[np.intp]
    flat: NDArray[np.bool_]
    parent: NDArray[np.intp]


class _Ranges(NamedTuple):
    """The leaves first : last and the area of each node, as lists: single items of arrays are slow."""

    first: list[int]
    last: list[int]
    area: list[float]

    def nested(self, a: int, b: int) -> bool:
        """Return whether one node contains the other."""
        first, last = self.first, self.last
        return (first[a] <= first[b] and last[b] <= last[a]) or (first[b] <= first[a] and last[a] <= last[b])

    def same(self, a: int, b: int) -> bool:
        """Return whether two nodes are nearly the same region."""
        one, other = self.area[a], self.area[b]
        alike = one > SAME * other if one < other else other > SAME * one
        return alike and self.nested(a, b)

    @classmethod
    def of(cls, tree: MergeTree) -> '_Ranges':
        """Return the ranges of the nodes of a tree."""
        return cls(tree.first.tolist(), tree.last.tolist(), tree.area.tolist())


def gain_of(area: NDArray[np.floating], quality: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the gain of regions of predicted IoU q: sqrt(area) (q - MIN_QUALITY), at least 0.

    With the area itself, a small error in the quality of a table would outweigh all objects on it; without area, an
    object would be divided into its parts.
    """
    return np.asarray(np.sqrt(area) * np.maximum(quality - MIN_QUALITY, 0))


def flat_cut(tree: MergeTree, quality: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return nodes (K,) without overlaps and with the maximum total gain, by dynamic programming over the tree.

    quality: (N,) of each node of the tree. Nodes without gain are excluded, and those of fewer than MIN_CELLS cells.
    """
    gain = np.where(tree.area >= MIN_CELLS, gain_of(tree.area, quality), 0).tolist()
    children = tree.children.tolist()
    best, keep = [0.0] * len(tree), bytearray(len(tree))
    for node, (a, b) in enumerate(children):
        own = gain[node]
        below = best[a] + best[b] if a >= 0 else 0.0
        keep[node] = own > below
        best[node] = max(own, below)
    chosen, stack = [], np.flatnonzero(tree.parent < 0).tolist()
    while stack:
        node = stack.pop()
        if keep[node]:
            chosen.append(node)
        elif best[node] > 0:
            stack += children[node]
    return np.array(sorted(chosen), np.intp)


def choose(
    tree: MergeTree,
    whole: NDArray[np.floating],
    part: NDArray[np.floating],
    kinds: NDArray[np.floating],
    *,
    most: int = MAX_WHOLES,
    most_parts: int = MAX_PARTS,
) -> Chosen:
    """Select segments by the predicted IoU of each node as a whole region and as a part, (N,) each.

    kinds: (N, 4). Of `most` wholes, the best ones of the flat cut come first; the others are the best remaining nodes,
    which are alternatives (a stack and its boxes). Parts are inside of flat objects and not nested.
    """
    usable, ranges = tree.area >= MIN_CELLS, _Ranges.of(tree)
    cut = flat_cut(tree, whole)
    flat = cut[np.argsort(-whole[cut], kind='stable')][:most].tolist()
    chosen = list(flat)
    for node in np.argsort(-np.where(usable, whole, -1), kind='stable').tolist():
        if len(chosen) >= most or whole[node] < MIN_QUALITY:
            break
        if usable[node] and not any(ranges.same(node, other) for other in chosen):
            chosen.append(node)
    parent = [-1] * len(chosen)
    parts = _parts(tree, ranges, part, kinds, flat, most_parts)
    nodes = chosen + [node for node, _ in parts]
    parent += [of for _, of in parts]
    is_flat = np.arange(len(nodes)) < len(flat)
    return Chosen(np.array(nodes, np.intp), is_flat, np.array(parent, np.intp))


def _parts(
    tree: MergeTree,
    ranges: _Ranges,
    part: NDArray[np.floating],
    kinds: NDArray[np.floating],
    flat: list[int],
    most: int,
) -> list[tuple[int, int]]:
    """Return (node, index of its flat object) of the best parts."""
    found: list[tuple[int, int]] = []
    of_thing = [(i, n) for i, n in enumerate(flat) if kinds[n].argmax() != 2]  # parts of walls are not useful
    owner = np.full(len(tree), -1)
    for index, node in of_thing:
        inside = (tree.first >= tree.first[node]) & (tree.last <= tree.last[node])
        owner[inside & (tree.area < PART_SHARE * tree.area[node])] = index
    score = np.where((owner >= 0) & (tree.area >= MIN_CELLS), part, -1)
    for node in np.argsort(-score, kind='stable').tolist():
        if len(found) >= most or score[node] < MIN_PART_QUALITY:
            break
        if not any(ranges.nested(node, other) for other, _ in found):
            found.append((node, int(owner[node])))
    return found
