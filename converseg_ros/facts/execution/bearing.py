"""Which regions bear things, seen in colour alone.

A thing that stands on a surface has its lower border inside the region of the surface, which also extends beside and
behind it. The front of a cupboard and a wall bear nothing, and the front lies directly below the worktop in the image.
What bears furniture and large appliances is the floor.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import mask_box

if TYPE_CHECKING:
    from converseg_ros.facts.table import Facts

Floats = NDArray[np.float64]
MIN_THING = 0.0015  # share of the view of a thing that counts
BELOW = 2  # cells below the lower border of a thing, at which its support is looked up
BESIDE = 0.5  # share of its height and width in which the support is looked for beside it
FEW = 0.5  # things from which a region is no front
FLOOR_TAGS = ('sittable', 'keep_cold', 'ride_in')  # seats, refrigerators and vehicles stand on the floor
LARGE = 0.6  # degree of these tags, or of an agent, from which only the floor bears a thing
ON_FLOOR, IN_FRONT = 0.8, 0.95  # how far a region that bears them, or lies below one with things, is doubted


def bearing(facts: 'Facts') -> Floats:
    """Return (S,) factors for how probably each region is a table or a worktop, by what stands on it in the image."""
    masks, flat = facts.segments.masks, np.flatnonzero(facts.segments.flat)
    count, rows, columns = masks.shape
    label = np.full((rows + BELOW, columns), -1, np.intp)
    boxes = {int(i): mask_box(masks[i]) for i in flat}
    for i, box in boxes.items():
        label[:rows][box.cells][masks[i][box.cells]] = i
    stands, above = np.zeros((count, count)), {}
    for i, box in boxes.items():
        mask, y, x = masks[i][box.cells], *(s.start for s in box.cells)
        if not mask.size:
            continue
        across = np.flatnonzero(mask.any(0))
        above[i] = label[np.maximum(y + mask[:, across].argmax(0) - BELOW, 0), x + across]
        if facts.kinds[i, 0] + facts.kinds[i, 3] > 0.5 and facts.measures.area[i] > MIN_THING * rows * columns:
            low = y + len(mask) - 1 - mask[::-1][:, across].argmax(0)
            stands[i] = _stands_on(label, i, x + across, low, y, count)
    heavy = np.max([facts.kinds[:, 3], *(facts.filter('tag', tag).p for tag in FLOOR_TAGS)], axis=0) > LARGE
    light = np.minimum(stands[~heavy].sum(0), 1)
    large = np.minimum(stands[heavy].sum(0), 1)
    front = np.zeros(count)
    for i, others in above.items():
        front[i] = np.where((others >= 0) & (others != i), light[others], 0.0).mean()
    return np.asarray((1 - ON_FLOOR * large) * (1 - IN_FRONT * front * (light < FEW)))


def _stands_on(
    label: NDArray[np.intp], thing: int, across: NDArray[np.intp], low: NDArray[np.intp], top: int, count: int
) -> Floats:
    """Return (S,) how far a thing stands on each region of a label image (h + BELOW, w).

    across, low: columns and rows of its lower border. top: its first row.
    """
    out = np.zeros(count)
    below = label[low + BELOW, across]
    foot, left, right = int(np.sort(low)[int(0.9 * len(low))]), int(across[0]), int(across[-1]) + 1
    tall, wide = max(int(BESIDE * (foot - top)), 2), max(int(BESIDE * (right - left)), 2)
    beside = label[max(foot - tall, 0) : max(foot - 1, 1)]
    sides = beside[:, max(left - wide, 0) : left], beside[:, right : right + wide]
    shares = [np.bincount(x[x >= 0], minlength=count) / x.size for x in sides if x.size]
    if not shares:
        return out
    out = np.bincount(below[below >= 0], minlength=count) / len(below) * np.max(shares, axis=0)
    out[thing] = 0
    return np.asarray(out)
