"""The previous answer to a standing instruction as a prior, so that noise does not change which region is selected."""

import numpy as np
from numpy.typing import NDArray

PRIOR = 2.0  # log-odds of a region that lies entirely in the previous answer


def with_previous(
    p: NDArray[np.float64], masks: NDArray[np.bool_], previous: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Return probabilities (S,) after Bayes' rule: the odds of a region grow with its share in the previous answer.

    masks: (S, h, w). previous: (h, w), or None without a previous answer. The result is for selecting among regions
    only. Whether there is a target is decided by the probabilities without the prior, so that an answer does not
    confirm itself.
    """
    if previous is None or not len(p):
        return p
    areas = np.maximum(np.count_nonzero(masks, axis=(1, 2)), 1)
    inside = np.count_nonzero(masks & previous, axis=(1, 2)) / areas
    odds = np.exp(PRIOR * inside)
    return np.asarray(p * odds / (1 - p + p * odds))
