"""Draws depend on seed and number alone, keep their proportions and cover everything."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from converseg_ros.training.converseg.sampling import Mixture, choose_prompts


def test_every_record_once_an_epoch_and_in_proportion():
    mixture = Mixture([30, 10, 0], [3.0, 1.0, 5.0], seed=4)
    draws = [mixture.draw(n) for n in range(640)]
    counts = Counter(s for s, _ in draws)
    assert counts == {0: 480, 1: 160}
    first = [r for s, r in draws if s == 0][:30]
    assert sorted(first) == list(range(30))
    assert [r for s, r in draws if s == 0][30:60] != first


def test_a_draw_needs_no_history():
    whole = [Mixture([17, 5], [1, 1], seed=2).draw(n) for n in range(100)]
    mixture = Mixture([17, 5], [1, 1], seed=2)
    assert [mixture.draw(n) for n in (99, 3, 57)] == [whole[n] for n in (99, 3, 57)]
    assert [Mixture([17, 5], [1, 1], seed=3).draw(n) for n in range(100)] != whole


@dataclass
class Ask:
    positive: bool
    family: str
    literal: bool


def test_prompts_are_balanced():
    asks = [Ask(True, 'entities', True)] * 20 + [Ask(True, 'physics', False)] * 2 + [Ask(False, 'entities', True)] * 4
    rng = np.random.default_rng(0)
    seen = Counter()
    for _ in range(2000):
        (pick,) = choose_prompts(asks, 1, literal=0.5, negatives=0.25, rng=rng)
        seen[(asks[pick].positive, asks[pick].family)] += 1
    assert 0.2 < seen[(False, 'entities')] / 2000 < 0.3
    assert 0.3 < seen[(True, 'physics')] / 2000 < 0.45
    assert sorted(choose_prompts(asks[:3], 9, literal=0.5, negatives=0.5, rng=rng)) == [0, 1, 2]
