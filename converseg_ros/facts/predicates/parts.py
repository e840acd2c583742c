"""Parts of objects: regions inside of others, identified by their shape, and the grip where an object is held."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import mask_box
from converseg_ros.facts.degrees import Degree

if TYPE_CHECKING:
    from converseg_ros.facts.table import Facts

LONG_NOUNS = frozenset(
    {'handle', 'grip', 'hilt', 'shaft', 'leg', 'arm', 'spout', 'blade', 'stem', 'stick', 'cord', 'cable', 'neck'}
)
"""Parts that are narrower than the whole and protrude."""
TOP = frozenset({'lid', 'cap', 'rim', 'top', 'cover', 'mouth', 'opening', 'head', 'back', 'backrest'})
BOTTOM = frozenset({'leg', 'foot', 'base', 'bottom', 'wheel', 'stand'})
BY_SHAPE = 'a part is identified by its shape alone'
MIN_PART_SHARE = 0.03  # minimum area of a protrusion as a share of the object
NARROW = 0.45  # maximum width of a protrusion as a share of the largest inscribed disc of the object


def named_parts(noun: str, facts: 'Facts') -> Degree:
    """Return (S,) degrees that a region which is a part of another is called by a noun; 0 for other regions."""
    parent = facts.segments.parent
    is_part = Degree.known((parent >= 0).astype(np.float64))
    given = facts.properties.part(noun)
    if given is not None:
        return is_part & given
    masks, word = facts.segments.masks, noun.casefold()
    fit = np.zeros(len(facts))
    for owner in np.unique(parent[parent >= 0]):
        sticking = protrusion(masks[owner]) if word in LONG_NOUNS else None
        for i in np.flatnonzero(parent == owner):
            fit[i] = _shape_fit(word, masks[i], masks[owner], sticking)
    return is_part & Degree.guess(fit, BY_SHAPE)


def _shape_fit(
    word: str, part: NDArray[np.bool_], whole: NDArray[np.bool_], sticking: NDArray[np.bool_] | None
) -> float:
    """Return how well the position and shape of a part fit a noun; 0.3 for a noun without a rule.

    sticking: the protrusion of the whole, for the parts that protrude.
    """
    area = np.count_nonzero(part)
    if not area or area > 0.7 * np.count_nonzero(whole):
        return 0.05
    fit = 0.3
    if sticking is not None:
        covered = np.count_nonzero(part & sticking) / area
        fit = 0.15 + 0.7 * covered
    rows = np.flatnonzero(whole.any(1))
    middle = float(np.flatnonzero(part.any(1)).mean() - rows[0]) / max(rows[-1] - rows[0], 1)
    if word in TOP:
        fit = 0.2 + 0.5 * (1 - middle)
    elif word in BOTTOM:
        fit = max(fit, 0.2 + 0.5 * middle) if word not in LONG_NOUNS else fit * (0.4 + 0.6 * middle)
    return fit


def protrusion(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest component of a mask (h, w) that is much narrower than its body, such as a handle.

    The result may be empty.
    """
    out = np.zeros_like(mask)
    x0, y0, x1, y1 = mask_box(mask)
    inside = mask.view(np.uint8)[y0:y1, x0:x1]
    if not inside.size:
        return out
    radius = float(
        cv2.distanceTransform(cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5).max()
    )
    if radius < 2:
        return out
    reach = max(1, round(NARROW * radius))
    left, top = max(x0 - reach, 0), max(y0 - reach, 0)  # the opening sees the cells around the mask, in the image
    window = slice(top, y1 + reach), slice(left, x1 + reach)
    near = mask[window]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    opened = cv2.morphologyEx(near.view(np.uint8), cv2.MORPH_OPEN, disc)
    body = cv2.dilate(opened, np.ones((3, 3), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats((near & ~body).view(np.uint8))
    if count < 2:
        return out
    best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[best, cv2.CC_STAT_AREA] >= MIN_PART_SHARE * np.count_nonzero(mask):
        out[window] = labels == best
    return out


def grip(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where an object with a mask (h, w) is held: its protrusion, the middle third if it is long, or all."""
    handle = protrusion(mask)
    if handle.any():
        return handle
    rows, columns = np.nonzero(mask)
    if rows.size < 8:
        return mask
    points = np.stack([columns, rows], 1).astype(np.float64)
    centred = points - points.mean(0)
    values, axes = np.linalg.eigh(centred.T @ centred / len(points))
    if values[1] < 6.25 * max(values[0], 1e-6):  # less than 2.5 times as long as wide
        return mask
    along = centred @ axes[:, 1]
    low, high = along.min(), along.max()
    keep = (along > low + (high - low) / 3) & (along < high - (high - low) / 3)
    out = np.zeros_like(mask)
    out[rows[keep], columns[keep]] = True
    return out
