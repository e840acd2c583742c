"""Masks from manual polygons: rasterizing, refining on the image, and combining named parts into prompts.

A polygon file is `{"source": str, "images": {IMAGE: {"parts": {NAME: {"add": [polygon...], "cut": [polygon...],
"minus": [NAME...], "refine": int}}, "prompts": [{"id", "prompt", "family", "sub_concept", "target": [NAME...]}]}}}`; a
polygon is [[x, y], ...] in pixels (pixel centres at integers). `refine` is the half width in pixels of the band around
the outline in which GrabCut (Rother et al., SIGGRAPH 2004) finds the colour edge; 0 keeps the polygon. A target is the
union of its names; `-NAME` subtracts a part, in order; an empty list is a prompt without a target.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import InputError

Polygon = Sequence[Sequence[float]]
Mask = NDArray[np.bool_]


def rasterize(add: Sequence[Polygon], cut: Sequence[Polygon], height: int, width: int) -> Mask:
    """Return the (H, W) union of polygons `add` without polygons `cut`; raise InputError for fewer than 3 points."""
    import cv2

    mask = np.zeros((height, width), np.uint8)
    for value, polygons in ((1, add), (0, cut)):
        for polygon in polygons:
            points = np.asarray(polygon, np.float64)
            if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
                raise InputError('a polygon needs at least three [x, y]', where='polygons')
            cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], value, lineType=cv2.LINE_8, shift=4)
    return mask.astype(bool)


def refine(rgb: NDArray[np.uint8], mask: Mask, band: int) -> Mask:
    """Move the outline of (H, W) `mask` to the colour edge within `band` pixels; other pixels do not change."""
    import cv2

    if band <= 0 or not mask.any():
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1, 2 * band + 1))
    seed = mask.astype(np.uint8)
    inner, outer = cv2.erode(seed, disc).astype(bool), cv2.dilate(seed, disc).astype(bool)
    if not inner.any():
        return mask
    far = cv2.dilate(outer.astype(np.uint8), np.ones((61, 61), np.uint8)).astype(bool)
    rows, columns = np.flatnonzero(far.any(1)), np.flatnonzero(far.any(0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    state = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    state[inner], state[~outer] = cv2.GC_FGD, cv2.GC_BGD
    local = np.ascontiguousarray(state[window])
    found = np.zeros_like(mask)
    found[window] = grab_cut(rgb[window], local, 4)
    smooth = cv2.medianBlur(found.astype(np.uint8), 5).astype(bool)
    return np.asarray((smooth & outer) | inner)


def grab_cut(rgb: NDArray[np.uint8], state: NDArray[np.uint8], rounds: int) -> Mask:
    """Return the (H, W) foreground of GrabCut from `state` (cv2.GC_* values); deterministic."""
    import cv2

    cv2.setRNGSeed(0)
    image = np.ascontiguousarray(rgb[:, :, ::-1])
    labels = state.copy()
    cv2.grabCut(image, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def build_parts(rgb: NDArray[np.uint8], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Mask]:
    """Return the (H, W) mask of every named part on its image."""
    height, width = rgb.shape[:2]
    masks: dict[str, Mask] = {}
    for name, part in parts.items():
        mask = rasterize(part.get('add', ()), (), height, width)
        mask = refine(rgb, mask, int(part.get('refine', 0)))
        if part.get('cut'):
            mask &= ~rasterize(part['cut'], (), height, width)
        if part.get('within'):
            mask &= _known(masks, part['within'])
        for other in part.get('minus', ()):
            mask &= ~_known(masks, other)
        masks[name] = mask
    return masks


def combine(masks: Mapping[str, Mask], target: Sequence[str], height: int, width: int) -> Mask:
    """Return the union of the parts in `target`; parts with the prefix `-` are subtracted, in order."""
    result = np.zeros((height, width), bool)
    for term in target:
        if term.startswith('-'):
            result &= ~_known(masks, term[1:])
        else:
            result |= _known(masks, term)
    return result


def _known(masks: Mapping[str, Mask], name: str) -> Mask:
    if name not in masks:
        raise InputError(f'no part is called {name!r}', where='polygons', do=f'use one of {", ".join(masks)}')
    return masks[name]
