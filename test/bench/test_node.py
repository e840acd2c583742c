"""What `converseg bench node` calls growth is growth."""

import numpy as np
import pytest

from converseg_ros.bench.node import growth_per_minute

SECONDS = np.arange(0, 50, 2.0)
NOISE = np.random.default_rng(0).normal(0, 0.3, SECONDS.size)


def grown(memory) -> float | None:
    return growth_per_minute(list(zip(SECONDS.tolist(), np.asarray(memory, float).tolist())))


@pytest.mark.parametrize('every', [2, 6, 10])
def test_a_leak_is_found_however_it_comes(every):
    leaked = 1000 + 0.5 * every * (SECONDS // every) + NOISE  # 30 MB a minute
    assert 0.015 < grown(leaked) < 0.03


@pytest.mark.parametrize('when', [2, 14, 24, 34, 48])
def test_one_step_is_no_growth(when):
    stepped = np.array([1000 if s < when else 1018 for s in SECONDS])
    assert grown(stepped + NOISE) < 0.01


def test_noise_is_no_growth_and_a_short_time_tells_nothing():
    assert abs(grown(1000 + NOISE)) < 0.003
    assert growth_per_minute([(0.0, 1.0), (15.0, 2.0)]) is None and growth_per_minute([]) is None
