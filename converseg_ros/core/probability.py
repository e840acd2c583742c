"""Log-odds of probabilities."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

MARGIN = 1e-6


def log_odds(p: ArrayLike, margin: float = MARGIN) -> NDArray[np.floating]:
    """Return log(p / (1 - p)) of probabilities of any shape, with their shape and precision.

    margin: minimum distance of a probability from 0 and 1; nearer ones are clipped, so that the result is finite.
    """
    limited = np.clip(np.asarray(p), margin, 1 - margin)
    return np.asarray(np.log(limited / (1 - limited)))
