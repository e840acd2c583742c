"""The flat cut has no overlaps and the best worth, and parts lie in their things."""

import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.network.segments.selection import MIN_CELLS, MIN_QUALITY, choose, flat_cut
from converseg_ros.network.segments.tree import MergeTree, merge_tree, superpixels


@pytest.fixture(scope='module')
def tree() -> MergeTree:
    boundary = np.random.default_rng(3).random((90, 120)).astype(np.float32)
    return merge_tree(superpixels(boundary), boundary)


def kinds(tree: MergeTree, kind: int = 0) -> NDArray[np.float32]:
    return np.eye(4, dtype=np.float32)[np.full(len(tree), kind)]


@pytest.mark.parametrize('seed', range(5))
def test_the_cut_has_no_overlaps_and_the_best_worth(tree: MergeTree, seed: int) -> None:
    quality = np.random.default_rng(seed).random(len(tree))
    cut = flat_cut(tree, quality)
    assert sum(tree.mask(n).astype(int) for n in cut).max() == 1
    gain = np.sqrt(tree.area) * np.maximum(quality - MIN_QUALITY, 0) * (tree.area >= MIN_CELLS)
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
    chosen = choose(tree, rng.random(len(tree)), rng.random(len(tree)), kinds(tree), most=40, most_parts=5)
    masks = np.stack([tree.mask(n) for n in chosen.nodes])
    assert masks[chosen.flat].sum(0).max() <= 1
    assert (chosen.parent >= 0).sum() <= 5 and (chosen.parent < 0).sum() <= 40
    for i in np.flatnonzero(chosen.parent >= 0):
        of = chosen.parent[i]
        assert chosen.flat[of] and not chosen.flat[i]
        assert not (masks[i] & ~masks[of]).any() and masks[i].sum() < masks[of].sum()


def test_many_small_things_are_all_in_the_cut(tree: MergeTree) -> None:
    """A shelf with 36 jars: each of them can be meant, and none is dropped in favour of an alternative."""
    jars = np.flatnonzero(tree.area[: tree.leaves] >= MIN_CELLS)[:36]
    quality = np.full(len(tree), MIN_QUALITY)
    quality[jars] = 0.3
    quality[-1] = 0.11  # the shelf
    chosen = choose(tree, quality, np.zeros(len(tree)), kinds(tree))
    assert len(jars) == 36 and set(jars) <= set(chosen.nodes[chosen.flat])


def test_walls_have_no_parts(tree: MergeTree) -> None:
    chosen = choose(tree, np.full(len(tree), 0.5), np.full(len(tree), 0.9), kinds(tree, 2))
    assert (chosen.parent < 0).all()


def test_nothing_good_gives_no_segments(tree: MergeTree) -> None:
    nothing = np.zeros(len(tree))
    assert len(choose(tree, nothing, nothing, kinds(tree)).nodes) == 0
