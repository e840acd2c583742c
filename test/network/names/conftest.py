"""Small parts of a namer with random weights."""

import numpy as np
import pytest
import torch

from converseg_ros.core.segments import Segments
from converseg_ros.network.names.head import NameHead, NounSources
from converseg_ros.network.names.weights import Meanings, NameWeights, Scaling

NOUNS = ('mug', 'cup', 'hammer', 'screwdriver', 'banana')


def sources() -> NounSources:
    """Crops show hammers and screwdrivers, ImageNet knows mugs (class 504), cups (968) and hammers (587)."""
    classes = np.full(1000, -1)
    classes[[504, 968, 587]] = 0, 1, 2
    kinds = np.zeros((80, len(NOUNS)), bool)
    kinds[41, :2] = True
    kinds[46, 4] = True
    return NounSources(NOUNS, np.array([2, 3]), classes, kinds)


@pytest.fixture
def weights() -> NameWeights:
    """Weights of a random head, and meanings in which a beaker is like a mug and like nothing else."""
    torch.manual_seed(0)
    head = NameHead(sources())
    torch.nn.init.normal_(head.linear.weight, std=0.05)
    vectors = np.eye(8, dtype=np.float32)[:5]
    beaker = np.array([[0.9, 0.1, 0, 0, 0, 0, 0, 0.42]], np.float32)
    nonsense = np.eye(8, dtype=np.float32)[6:7]
    meant = np.concatenate([vectors, beaker / np.linalg.norm(beaker), nonsense])
    return NameWeights(head.eval(), Scaling(0.5, {'mug': 2.0}), Meanings((*NOUNS, 'beaker', 'pogo stick'), meant))


def regions(masks: np.ndarray, kinds: list[int], quality: list[float] | None = None) -> Segments:
    """Return segments of the given kinds, all of the flat cut."""
    count = len(masks)
    table = np.zeros((count, 4), np.float32)
    table[np.arange(count), kinds] = 1
    rank = np.array(quality or [1.0] * count, np.float32)
    none = np.full(count, -1)
    return Segments(masks, masks.shape[1:], table, rank, np.zeros(count, bool), none, none)
