"""Which regions become segments: a flat cut without overlaps, alternatives, and parts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.network.segments.regions import Regions
from converseg_ros.network.segments.tree import Floats, MergeTree

MOST_FLAT, MOST_WHOLES, MOST_PARTS = 32, 40, 12
LEAST_CELLS = 16  # of the working grid: smaller regions are noise
LEAST_QUALITY, LEAST_PART_QUALITY = 0.1, 0.15  # expected IoU
SAME = 0.75  # IoU above which two regions are two readings of one
PART_SHARE = 0.75  # of its thing's area that a part has at most
STRUCTURE = 2  # index of KINDS: walls have no parts of interest


@dataclass(frozen=True, slots=True)
class Chosen:
    """Indices of regions, flat ones first. flat: (S,) bool. parent: (S,) where in `regions` its whole is, or -1."""

    regions: NDArray[np.intp]
    flat: NDArray[np.bool_]
    parent: NDArray[np.intp]


def gains(area: Floats, quality: NDArray[np.floating]) -> Floats:
    """Return what a region of an area and an expected IoU q is worth in a flat cut: sqrt(area) (q - LEAST_QUALITY).

    By area alone a small error in the quality of a table outweighs all that stands on it; without area a thing falls
    into its parts.
    """
    return np.sqrt(area) * np.maximum(np.where(area >= LEAST_CELLS, quality - LEAST_QUALITY, 0), 0)


def flat_cut(tree: MergeTree, quality: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return nodes without overlaps whose gains add up to the most, by dynamic programming over the tree.

    quality: (N,) expected IoUs. Nodes without gain are left out.
    """
    gain = gains(tree.area, quality).tolist()
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


def with_pairs(cut: NDArray[np.intp], pairs: Regions, quality: NDArray[np.floating], first: int) -> list[int]:
    """Return the flat cut with pairs of its nodes in place of them where that is worth more, best first.

    quality: (R,) expected IoUs of all regions, of which the pairs begin at index `first`.
    """
    area = pairs.tree.area
    a, b = pairs.members.T
    gain = gains(pairs.area, quality[first:])
    more = gain - gains(area[a], quality[a]) - gains(area[b], quality[b])
    flat = set(cut.tolist())
    for pair in np.argsort(-more, kind='stable').tolist():
        if more[pair] <= 0:
            break
        if {int(a[pair]), int(b[pair])} <= flat:
            flat -= {int(a[pair]), int(b[pair])}
            flat.add(first + pair)
    return sorted(flat, key=lambda region: (-quality[region], region))


def choose(
    regions: Regions,
    flat: list[int],
    whole: NDArray[np.floating],
    part: NDArray[np.floating],
    kinds: NDArray[np.floating],
) -> Chosen:
    """Choose segments by the expected IoU of each region as a whole and as a part, (R,) each; kinds: (R, 4).

    flat: indices of regions without overlaps, best first; up to MOST_FLAT of them are taken. The others are the best
    remaining regions, which offer another reading (a stack and its boxes). Parts lie in flat things and not in each
    other.
    """
    usable = regions.area >= LEAST_CELLS
    flat = [region for region in flat if usable[region]][:MOST_FLAT]
    chosen = list(flat)
    for region in np.argsort(-np.where(usable, whole, -1), kind='stable').tolist():
        if len(chosen) >= MOST_WHOLES or whole[region] < LEAST_QUALITY:
            break
        if usable[region] and not any(_same(regions, region, other) for other in chosen):
            chosen.append(region)
    parts = _parts(regions, part, kinds, flat)
    index = chosen + [region for region, _ in parts]
    parent = [-1] * len(chosen) + [of for _, of in parts]
    return Chosen(np.array(index, np.intp), np.arange(len(index)) < len(flat), np.array(parent, np.intp))


def _parts(
    regions: Regions, part: NDArray[np.floating], kinds: NDArray[np.floating], flat: list[int]
) -> list[tuple[int, int]]:
    """Return (node, index into `flat` of the thing it lies in) of the best parts."""
    tree = regions.tree
    owner = np.full(len(tree), -1)
    for index, region in enumerate(flat):
        if kinds[region].argmax() == STRUCTURE:
            continue
        for node in regions.members[region]:
            if node >= 0:
                inside = (tree.first >= tree.first[node]) & (tree.last <= tree.last[node])
                owner[inside & (tree.area < PART_SHARE * regions.area[region])] = index
    score = np.where((owner >= 0) & (tree.area >= LEAST_CELLS), part[: len(tree)], -1)
    found: list[tuple[int, int]] = []
    for node in np.argsort(-score, kind='stable').tolist():
        if len(found) >= MOST_PARTS or score[node] < LEAST_PART_QUALITY:
            break
        if not any(_common(tree, node, other) for other, _ in found):
            found.append((node, int(owner[node])))
    return found


def _common(tree: MergeTree, a: int, b: int) -> float:
    """Return how many cells two nodes share: all of the smaller one where it lies in the other, else none."""
    nested = (tree.first[a] <= tree.first[b] and tree.last[b] <= tree.last[a]) or (
        tree.first[b] <= tree.first[a] and tree.last[a] <= tree.last[b]
    )
    return float(min(tree.area[a], tree.area[b])) if nested else 0.0


def _same(regions: Regions, a: int, b: int) -> bool:
    """Say whether two regions are nearly the same."""
    small, large = sorted((regions.area[a], regions.area[b]))
    if small <= SAME * large:
        return False
    common = sum(
        _common(regions.tree, p, q) for p in regions.members[a] for q in regions.members[b] if p >= 0 and q >= 0
    )
    return bool(common > SAME * (small + large - common))
