"""Superpixels and the merge tree: regions nest, cover the view, and follow the boundaries."""

import cv2
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.network.segments.tree import LeafEvidence, MergeTree, merge_tree, superpixels

RECTANGLES = ((20, 20, 70, 60), (90, 30, 150, 100), (30, 80, 60, 110))  # x0, y0, x1, y1


def boundary_map(seed: int = 0, noise: float = 0.05) -> NDArray[np.float32]:
    """Return the outlines of three rectangles in weak noise, (120, 160)."""
    out = np.random.default_rng(seed).random((120, 160), np.float32) * np.float32(noise)
    for x0, y0, x1, y1 in RECTANGLES:
        cv2.rectangle(out, (x0, y0), (x1, y1), 0.9, 1)
    return out


def rectangle(x0: int, y0: int, x1: int, y1: int) -> NDArray[np.float32]:
    mask = np.zeros((120, 160), np.float32)
    mask[y0 : y1 + 1, x0 : x1 + 1] = 1
    return mask


@pytest.fixture(scope='module')
def tree() -> MergeTree:
    boundary = boundary_map()
    return merge_tree(superpixels(boundary), boundary)


def test_every_rectangle_is_a_node(tree: MergeTree) -> None:
    iou = tree.overlaps(np.stack([rectangle(*r) for r in RECTANGLES])).max(0)
    assert (iou > 0.9).all()


def test_nodes_are_the_union_of_their_children(tree: MergeTree) -> None:
    for node in range(tree.leaves, len(tree), 7):
        a, b = tree.children[node]
        assert (tree.mask(node) == (tree.mask(a) | tree.mask(b))).all()
        assert not (tree.mask(a) & tree.mask(b)).any()
        assert tree.parent[a] == tree.parent[b] == node
        assert tree.mask(node).sum() == tree.area[node] == tree.area[a] + tree.area[b]


def test_the_root_is_the_whole_view_and_heights_rise(tree: MergeTree) -> None:
    roots = np.flatnonzero(tree.parent < 0)
    assert tree.mask(roots[-1]).all() and len(roots) == 1
    inner = np.flatnonzero(tree.parent >= 0)
    assert (tree.height[inner] <= tree.height[tree.parent[inner]] + 1e-12).all()


def test_sums_are_those_of_the_cells(tree: MergeTree) -> None:
    values = np.random.default_rng(1).random((tree.labels.size, 2)).astype(np.float32)
    sums = tree.sums(tree.leaf_sums(values))
    for node in (0, tree.leaves + 5, len(tree) - 1):
        assert np.allclose(sums[node], values[tree.mask(node).ravel()].sum(0), rtol=1e-4)


def test_border_is_measured_along_the_outline(tree: MergeTree) -> None:
    best = int(tree.overlaps(rectangle(*RECTANGLES[1])[None])[:, 0].argmax())
    assert tree.border[best] / tree.perimeter[best] > 0.6
    assert tree.perimeter[len(tree) - 1] == 0


@given(st.integers(0, 1000), st.floats(0, 0.5))
def test_superpixels_cover_the_view_and_are_numbered_without_gaps(seed: int, noise: float) -> None:
    labels = superpixels(boundary_map(seed, noise))
    assert labels.shape == (120, 160) and labels.min() == 0
    assert len(np.unique(labels)) == labels.max() + 1


def test_a_view_without_boundaries_is_one_region() -> None:
    flat = np.zeros((30, 40), np.float32)
    tree = merge_tree(superpixels(flat), flat)
    assert len(tree) == tree.leaves == 1 and tree.mask(0).all()


def test_the_same_map_gives_the_same_tree(tree: MergeTree) -> None:
    again = merge_tree(superpixels(boundary_map()), boundary_map())
    assert (again.labels == tree.labels).all() and (again.children == tree.children).all()


def test_votes_for_one_centre_hold_a_thing_together() -> None:
    """A thing that a strong line cuts in two stays whole where both halves vote for one centre."""
    boundary = np.zeros((60, 120), np.float32)
    cv2.rectangle(boundary, (20, 10), (100, 50), 0.5, 1)
    boundary[10:51, 60] = 0.55
    labels = superpixels(boundary)
    k = int(labels.max()) + 1
    y, x = np.mgrid[:60, :120].astype(np.float32)
    inside = ((x >= 20) & (x <= 100) & (y >= 10) & (y <= 50)).astype(np.float32)
    thing = np.zeros((60, 120), np.float32)
    thing[10:51, 20:101] = 1

    def best(place: NDArray[np.float32]) -> float:
        weight = inside + 1e-6
        sums = [np.bincount(labels.ravel(), v.ravel(), k) for v in (weight, place * weight, 0.5 * weight)]
        evidence = LeafEvidence(sums[0], np.stack(sums[1:], 1), np.ones((k, 4)))
        return float(merge_tree(labels, boundary, evidence).overlaps(thing[None]).max())

    together, apart = best(0 * x + 1), best(np.where(x < 60, 0, 3).astype(np.float32))
    assert together > 0.9 > apart
