"""The extent of a surface in the image: its region, and cells of other regions that look like it.

Segments divide a surface at shadows, seams and things that cross it, and the outline of a thing may contain a part of
the surface behind it. The colours of a cell and its neighbours tell whether it belongs to the surface or to the region
that it is in.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from converseg_ros.core.mask import mask_box

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
BITS = 4  # of each colour channel in a histogram
SPREAD = 1.0  # standard deviation in bins by which a histogram is smoothed
LEAST_DENSITY = 1e-5  # of a colour that a region does not have
WINDOW = 5  # cells along a side over which log-likelihoods are averaged
USUAL = 0.05  # share of the cells of a surface that look less like it than a cell that is added
# mean log-likelihood ratio from which a cell is added: one of no region or of the same kind of surface, and any other
SAME, OTHER = -0.7, 1.1
SAME_KIND = 0.25  # degree of another region as the surface, relative to the best, from which it may be the same one
ROUNDS = 3  # in which the cells of a region and the histogram of the rest are estimated in turn
MIN_CELLS = 20  # of a region with a histogram of its own
# of one axis of a histogram, as a matrix
SMOOTHING = gaussian_filter1d(np.eye(1 << BITS, dtype=np.float32), SPREAD, mode='constant')


def look_alike(image: NDArray[np.uint8], region: Mask, masks: Mask, degrees: Floats, things: NDArray[np.bool_]) -> Mask:
    """Return (h, w) the cells outside of the region of a surface that look like it.

    They are connected with it, or surrounded by a thing that touches it, such as the floor between the legs of a chair.

    image: (h, w, 3) RGB. masks: (S, h, w) without overlaps. degrees: (S,) how probably each of them is such a surface,
    relative to the region. things: (S,) whether each of them is an object.
    """
    out = np.zeros_like(region)
    if np.count_nonzero(region) < MIN_CELLS:
        return out
    bins = (image >> (8 - BITS)).astype(np.intp) @ (1 << BITS * np.arange(2, -1, -1))
    mine = _log_density(bins[region])
    usual = float(np.quantile(_mean(mine[bins], region, _shares(region))[region], USUAL))
    near = _grown(region)
    rest = ~region & ~masks.any(0)
    _, labels = cv2.connectedComponents(rest.view(np.uint8))
    touching = (masks & near).any((1, 2))
    others = [(masks[i], SAME if degrees[i] >= SAME_KIND else OTHER) for i in np.flatnonzero(touching)]
    others += [(labels == k, SAME) for k in np.unique(labels[near & rest])]
    for mask, least in others:
        outside = mask & ~region
        box = mask_box(outside).cells
        cells, colours = outside[box], bins[box]
        if np.count_nonzero(cells) >= MIN_CELLS:
            out[box] |= _like_surface(mine, colours, cells, usual, least)
    out = cv2.morphologyEx(out.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).view(bool)
    joined = near | out | masks[touching & things].any(0)
    _, labels = cv2.connectedComponents(joined.view(np.uint8))
    return np.asarray(out & np.isin(labels, np.unique(labels[region])))


def _like_surface(
    mine: NDArray[np.float32], colours: NDArray[np.intp], cells: Mask, usual: float, least: float
) -> Mask:
    """Return the cells of a region that look like a surface rather than like the rest of the region.

    The cells that look like the surface do not describe the rest, so that they are left out of its histogram next time
    (hard expectation maximisation). mine: (colours,) log densities of the surface. colours, cells: (h, w).
    """
    shares = _shares(cells)
    fit = _mean(mine[colours], cells, shares)
    possible = cells & (fit >= usual)
    found = np.zeros_like(cells)
    if not possible.any():
        return found
    for _ in range(ROUNDS):
        rest = cells & ~found
        if np.count_nonzero(rest) < MIN_CELLS:
            break
        own = _mean(_log_density(colours[rest])[colours], cells, shares)
        more = possible & ~found & (fit - own >= least)
        if not more.any():
            break
        found |= more
    return found


def _log_density(bins: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return (colours,) log densities of some cells, from their smoothed histogram."""
    side = 1 << BITS
    density = np.bincount(bins, minlength=side**3).astype(np.float32) / np.float32(len(bins))
    for _ in range(3):  # smooth the last axis and make it the first
        density = (density.reshape(-1, side) @ SMOOTHING).T.ravel()
    return np.asarray(np.log(density + np.float32(LEAST_DENSITY)), np.float32)


def _mean(values: NDArray[np.float32], mask: Mask, shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (h, w) the mean over the part of a mask in a window. shares: (h, w) of `_shares` of the mask."""
    return np.asarray(cv2.blur(values * mask, (WINDOW, WINDOW)) / shares)


def _shares(mask: Mask) -> NDArray[np.float32]:
    """Return (h, w) the share of a window that is part of a mask, at least 1e-6."""
    return np.maximum(cv2.blur(mask.astype(np.float32), (WINDOW, WINDOW)), np.float32(1e-6))


def _grown(mask: Mask) -> Mask:
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((5, 5), np.uint8))).view(bool)
