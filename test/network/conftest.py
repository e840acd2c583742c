"""The micro model and images to ask it about."""

import numpy as np
import pytest


def drawn(seed=0, shape=(120, 160)):
    """A reproducible picture: soft blobs of colour."""
    cv2 = pytest.importorskip('cv2')
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.ascontiguousarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC))


@pytest.fixture(scope='session')
def picture():
    return drawn


@pytest.fixture(scope='module')
def micro():
    """A predictor of the micro model for the tests of one file; each test starts with empty caches."""
    pytest.importorskip('torch')
    from converseg_ros.network import load

    predictor = load('micro', device='cpu', precision='fp32')
    yield predictor
    predictor.close()
