"""A person whom the tree divides is one segment; nothing else changes, and flat segments do not overlap."""

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

from converseg_ros.core.segments import KINDS
from converseg_ros.network.segments.agents import Agents
from converseg_ros.network.segments.composition import Composition, composed
from converseg_ros.network.segments.selection import choose
from converseg_ros.network.segments.tree import MergeTree, merge_tree, superpixels

SHAPE = (120, 160)
SHIRT, TROUSERS, CUP = (50, 20, 90, 59), (50, 61, 90, 100), (120, 60, 140, 90)  # x0, y0, x1, y1
BADGE = (60, 30, 75, 45)  # a part of the shirt
REGION_QUALITY = 0.6  # that the tree promises


def rectangle(x0: int, y0: int, x1: int, y1: int) -> NDArray[np.float32]:
    mask = np.zeros(SHAPE, np.float32)
    mask[y0 : y1 + 1, x0 : x1 + 1] = 1
    return mask


PERSON = rectangle(50, 20, 90, 100)


@pytest.fixture(scope='module')
def tree() -> MergeTree:
    boundary = np.random.default_rng(0).random(SHAPE, np.float32) * np.float32(0.05)
    for x0, y0, x1, y1 in (SHIRT, TROUSERS, CUP, BADGE):
        cv2.rectangle(boundary, (x0, y0), (x1, y1), 0.9, 1)
    return merge_tree(superpixels(boundary), boundary)


def kinds_of(tree: MergeTree, person: str = 'agent') -> NDArray[np.float32]:
    """Return the kinds of the nodes: `person` in the person, structure around it."""
    cells = np.zeros((*SHAPE, len(KINDS)), np.float32)
    cells[..., KINDS.index('structure')] = 1 - PERSON
    cells[..., KINDS.index(person)] = PERSON
    return (tree.sums(tree.leaf_sums(cells.reshape(-1, len(KINDS)))) / tree.area[:, None]).astype(np.float32)


def compose(tree: MergeTree, agents: Agents | None, person: str = 'agent') -> Composition:
    """Return the segments of a tree in which shirt, trousers, cup and room are good regions, and the badge a part."""
    room = 1 - np.clip(PERSON + rectangle(*CUP), 0, 1)
    wholes = np.stack([rectangle(*SHIRT), rectangle(*TROUSERS), rectangle(*CUP), room])
    score = np.stack([tree.overlaps(wholes).max(1) ** 4, tree.overlaps(rectangle(*BADGE)[None])[:, 0] ** 4], 1)
    score = (REGION_QUALITY * score).astype(np.float32)
    kinds = kinds_of(tree, person)
    return composed(tree, choose(tree, score[:, 0], score[:, 1], kinds), score, kinds, agents)


def agents_with(mask: NDArray[np.float32], quality: float) -> Agents:
    return Agents(mask[None], np.array([quality], np.float32))


def masks(tree: MergeTree, found: Composition) -> NDArray[np.bool_]:
    return np.asarray(found.leaves[:, tree.labels])


def iou(mask: NDArray[np.bool_], truth: NDArray[np.float32]) -> float:
    own = truth > 0
    return float((mask & own).sum() / (mask | own).sum())


def best_flat(tree: MergeTree, found: Composition, truth: NDArray[np.float32]) -> tuple[int, float]:
    """Return the flat segment that fits a region best, and its IoU."""
    ious = np.where(found.flat, [iou(m, truth) for m in masks(tree, found)], 0)
    return int(ious.argmax()), float(ious.max())


def check(tree: MergeTree, found: Composition) -> None:
    every = masks(tree, found)
    assert every.any((1, 2)).all() and every[found.flat].sum(0).max() <= 1
    for index in np.flatnonzero(found.parent >= 0):
        assert found.flat[found.parent[index]] and not found.flat[index]
        assert not (every[index] & ~every[found.parent[index]]).any(), 'a part lies in its whole'


def test_the_mask_joins_what_the_tree_divides(tree: MergeTree) -> None:
    before = compose(tree, None)
    assert best_flat(tree, before, PERSON)[1] < 0.6 and best_flat(tree, before, rectangle(*SHIRT))[1] > 0.8
    found = compose(tree, agents_with(PERSON, 0.9))
    check(tree, found)
    person, fit = best_flat(tree, found, PERSON)
    assert fit > 0.85 and found.quality[person] == pytest.approx(0.9)
    assert found.kinds[person].argmax() == KINDS.index('agent')
    assert found.flat.sum() == before.flat.sum() - 1
    for other in (SHIRT, TROUSERS):  # still there, as alternatives
        assert max(iou(m, rectangle(*other)) for m in masks(tree, found)[~found.flat]) > 0.8


def test_a_part_of_a_replaced_region_is_a_part_of_the_person(tree: MergeTree) -> None:
    before, found = (compose(tree, agents) for agents in (None, agents_with(PERSON, 0.9)))
    for one, owner in ((before, SHIRT), (found, (50, 20, 90, 100))):
        badge = int(np.argmax([iou(m, rectangle(*BADGE)) * (p >= 0) for m, p in zip(masks(tree, one), one.parent)]))
        assert one.parent[badge] >= 0 and iou(masks(tree, one)[badge], rectangle(*BADGE)) > 0.5
        assert iou(masks(tree, one)[one.parent[badge]], rectangle(*owner)) > 0.8


def test_a_mask_without_promise_changes_nothing(tree: MergeTree) -> None:
    before = compose(tree, None)
    nothing = Agents(np.zeros((0, *SHAPE), np.float32), np.zeros(0, np.float32))
    for agents in (nothing, agents_with(PERSON, 0.3), agents_with(PERSON, 0.05), agents_with(0 * PERSON, 0.9)):
        found = compose(tree, agents)
        assert (found.leaves == before.leaves).all() and (found.flat == before.flat).all()


def test_an_outline_that_the_tree_has_is_kept(tree: MergeTree) -> None:
    before, found = (compose(tree, a) for a in (None, agents_with(rectangle(*SHIRT), 0.9)))
    assert len(found.leaves) == len(before.leaves)


def test_what_is_no_person_for_the_boundary_network_is_not_joined(tree: MergeTree) -> None:
    before, found = (compose(tree, a, 'object') for a in (None, agents_with(PERSON, 0.9)))
    assert len(found.leaves) == len(before.leaves)


def test_a_smaller_object_that_a_mask_touches_is_kept(tree: MergeTree) -> None:
    before = compose(tree, None)
    found = compose(tree, agents_with(np.maximum(PERSON, rectangle(91, 60, 128, 90)), 0.9))
    check(tree, found)
    cup, fit = best_flat(tree, found, rectangle(*CUP))
    assert fit == best_flat(tree, before, rectangle(*CUP))[1] > 0.8
    assert (found.flat & (found.quality > 0.85)).any() and found.quality[cup] < 0.85


def test_the_better_of_two_masks_of_a_person_stays(tree: MergeTree) -> None:
    larger = np.maximum(PERSON, rectangle(91, 60, 110, 90))
    found = compose(tree, Agents(np.stack([larger, PERSON]), np.array([0.6, 0.9], np.float32)))
    check(tree, found)
    person, fit = best_flat(tree, found, PERSON)
    assert fit > 0.85 and found.quality[person] == pytest.approx(0.9)


@pytest.mark.parametrize('seed', range(8))
def test_flat_segments_of_any_masks_do_not_overlap(tree: MergeTree, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = []
    for _ in range(6):
        (x0, x1), (y0, y1) = (np.sort(rng.integers(0, n, 2)) for n in (SHAPE[1], SHAPE[0]))
        shapes.append(np.maximum(rectangle(x0, y0, x1, y1) * rng.random(), PERSON * (rng.random() < 0.5)))
    agents = Agents(np.stack(shapes).astype(np.float32), rng.uniform(0.3, 1, 6).astype(np.float32))
    check(tree, compose(tree, agents))
