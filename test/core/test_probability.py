"""Log-odds of probabilities."""

import numpy as np

from converseg_ros.core.probability import MARGIN, log_odds


def test_log_odds_have_the_shape_and_precision_of_the_probabilities():
    p = np.array([[0.5, 0.9], [0.1, 0.25]], np.float32)
    found = log_odds(p)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, np.log(9)], [-np.log(9), -np.log(3)]], atol=1e-6)


def test_log_odds_of_certain_probabilities_are_finite_and_symmetric():
    low, high = log_odds([0.0, 1.0])
    assert low == -high == np.log(MARGIN / (1 - MARGIN)) or abs(low + high) < 1e-6
    assert float(log_odds(0.0, 1e-3)) > float(low)
