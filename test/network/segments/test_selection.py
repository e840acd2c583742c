"""The flat cut has no overlaps and the best worth, and parts lie in their things."""

import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.network.segments.regions import all_nodes, joined, neighbour_pairs
from converseg_ros.network.segments.selection import (
    LEAST_CELLS,
    LEAST_QUALITY,
    MOST_FLAT,
    MOST_PARTS,
    MOST_WHOLES,
    choose,
    flat_cut,
    gains,
    with_pairs,
)
from converseg_ros.network.segments.tree import MergeTree, merge_tree, superpixels


@pytest.fixture(scope='module')
def tree() -> MergeTree:
    boundary = np.random.default_rng(3).random((90, 120)).astype(np.float32)
    return merge_tree(superpixels(boundary), boundary)


def kinds(count: int, kind: int = 0) -> NDArray[np.float32]:
    return np.eye(4, dtype=np.float32)[np.full(count, kind)]


@pytest.mark.parametrize('seed', range(5))
def test_the_cut_has_no_overlaps_and_the_best_worth(tree: MergeTree, seed: int) -> None:
    quality = np.random.default_rng(seed).random(len(tree))
    cut = flat_cut(tree, quality)
    assert sum(tree.mask(n).astype(int) for n in cut).max() == 1
    gain = np.sqrt(tree.area) * np.maximum(quality - LEAST_QUALITY, 0) * (tree.area >= LEAST_CELLS)
    assert gain[cut].sum() >= gain[: tree.leaves].sum() - 1e-9  # all leaves do not overlap either
    assert gain[cut].sum() >= gain[-1] - 1e-9  # nor does the root alone


def test_one_good_node_is_in_the_cut(tree: MergeTree) -> None:
    quality = np.full(len(tree), 0.1)
    node = tree.leaves + 40
    quality[node] = 1
    assert node in flat_cut(tree, quality)


@pytest.mark.parametrize('seed', range(5))
def test_chosen_segments_keep_the_contract(tree: MergeTree, seed: int) -> None:
    rng = np.random.default_rng(seed)
    quality, boundary = rng.random(len(tree)), rng.random((90, 120)).astype(np.float32)
    cut = flat_cut(tree, quality)
    pairs = neighbour_pairs(tree, cut, boundary)
    regions = joined(all_nodes(tree), pairs)
    whole, part = np.append(quality, rng.random(len(pairs))), rng.random(len(regions))
    flat = with_pairs(cut, pairs, whole, len(tree))
    assert any(region >= len(tree) for region in flat), 'some pair is worth more than its members'
    assert gains(regions.area, whole)[flat].sum() > gains(tree.area, quality)[cut].sum()
    chosen = choose(regions, flat, whole, part, kinds(len(regions)))
    masks = np.stack([regions.mask(r) for r in chosen.regions])
    assert masks[chosen.flat].sum(0).max() <= 1 and chosen.flat.sum() <= MOST_FLAT
    assert (chosen.parent >= 0).sum() <= MOST_PARTS and (chosen.parent < 0).sum() <= MOST_WHOLES
    for i in np.flatnonzero(chosen.parent >= 0):
        of = chosen.parent[i]
        assert chosen.flat[of] and not chosen.flat[i]
        assert not (masks[i] & ~masks[of]).any() and masks[i].sum() < masks[of].sum()


def test_walls_have_no_parts(tree: MergeTree) -> None:
    half, high = np.full(len(tree), 0.5), np.full(len(tree), 0.9)
    regions, root = all_nodes(tree), [len(tree) - 1]
    assert (choose(regions, root, half, high, kinds(len(tree), 2)).parent < 0).all()
    assert (choose(regions, root, half, high, kinds(len(tree), 0)).parent >= 0).any()


def test_nothing_good_gives_no_segments(tree: MergeTree) -> None:
    nothing = np.zeros(len(tree))
    assert not len(flat_cut(tree, nothing))
    assert not len(choose(all_nodes(tree), [], nothing, nothing, kinds(len(tree))).regions)
