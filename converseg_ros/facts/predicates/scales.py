"""Scales for ordering: a measurement of each region with its noise, in metres or, as an estimate, in the image."""

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.geometry.measures import Measures
from converseg_ros.facts.predicates.ranking import Scale

Floats = NDArray[np.float64]
NO_SIZES = 'depth is missing, so sizes are not known'
NO_DISTANCES = 'depth is missing, so distances are not known'
NO_WEIGHTS = 'weights cannot be seen'
BY_AREA = 0.5  # sigma of the logarithm of an area as an estimate of size: near objects appear larger
BY_VOLUME = 0.8  # sigma of the logarithm of a volume as an estimate of weight: densities differ
IN_IMAGE = 0.25  # relative error of an image distance as an estimate of a distance


def scale_of(key: str, m: Measures) -> Scale:
    """Return the scale of one of programs.vocabulary.RANK_KEYS except 'distance_to'; raise InputError for others."""
    if key not in SCALES:
        raise InputError(f'{key!r} is no order', where='facts', do=f'use one of {", ".join(SCALES)}')
    return SCALES[key](m)


def _metric(value: Floats, sigma: Floats, fallback: Floats, relative: float, note: str) -> Scale:
    """Return the metric values; if no region has one, the fallback as an estimate that decides nothing."""
    firm = np.isfinite(value)
    if firm.any():
        return Scale(value, np.where(firm, sigma, 1.0), firm, note)
    return Scale(fallback, relative * np.abs(fallback) + 1.0, np.zeros(len(value), bool), note)


def _height(m: Measures) -> Scale:
    return _metric(m.high - m.low, m.sigma, m.box[:, 3] - m.box[:, 1], 0.15, NO_SIZES)


def _width(m: Measures) -> Scale:
    return _metric(m.length, m.sigma, m.box[:, 2] - m.box[:, 0], 0.15, NO_SIZES)


def _length(m: Measures) -> Scale:
    return _metric(np.fmax(m.length, m.high - m.low), m.sigma, m.side, 0.15, NO_SIZES)


def _log_volume(m: Measures) -> tuple[Floats, Floats]:
    """Return the logarithm of the volume and its standard deviation."""
    sides = np.maximum(np.stack([m.length, m.width, m.high - m.low]), 0.01)
    return np.log(m.volume), np.sqrt(((m.sigma / sides) ** 2).sum(0) + 0.1**2)


def _size(m: Measures) -> Scale:
    value, sigma = _log_volume(m)
    firm = np.isfinite(value)
    if firm.all():
        return Scale(value, sigma, firm)
    area = np.log(np.maximum(m.area, 1))
    return Scale(area, np.full(len(area), BY_AREA), np.ones(len(area), bool), NO_SIZES)


def _weight(m: Measures) -> Scale:
    value, sigma = _log_volume(m)
    if np.isfinite(value).any():
        return Scale(value, np.hypot(sigma, BY_VOLUME), np.isfinite(value), NO_WEIGHTS)
    return Scale(np.log(np.maximum(m.area, 1)), np.full(len(value), 1.0), np.zeros(len(value), bool), NO_WEIGHTS)


def _x(m: Measures) -> Scale:
    return _pixels(m.centroid[:, 0], m.box[:, 2] - m.box[:, 0], m.grid[1])


def _y(m: Measures) -> Scale:
    return _pixels(m.centroid[:, 1], m.box[:, 3] - m.box[:, 1], m.grid[0])


def _pixels(centre: Floats, side: Floats, whole: int) -> Scale:
    return Scale(centre, 0.01 * whole + 0.08 * side, np.ones(len(centre), bool))


def _elevation(m: Measures) -> Scale:
    return _metric(m.high, m.sigma, -m.box[:, 1], 0.1, NO_SIZES)


def _depth(m: Measures) -> Scale:
    """Nearer objects on one surface have their lower edge lower in the image: an estimate only."""
    return _metric(m.distance, np.hypot(m.sigma, 0.02), m.grid[0] - m.box[:, 3], 0.1, NO_DISTANCES)


SCALES = {
    'height': _height,
    'size': _size,
    'width': _width,
    'length': _length,
    'weight': _weight,
    'x': _x,
    'y': _y,
    'elevation': _elevation,
    'depth': _depth,
}


def gaps(m: Measures, *, in_image: bool = False) -> tuple[Floats, Floats, bool]:
    """Return the distance between any two regions' boxes (S, S), their usual side (S,), and whether it is in metres.

    A tenth of the distance of the centres is added, so that objects in contact with the same object are still ordered.
    in_image: use cells of the image even if there is depth.
    """
    metric = bool(m.metric.any()) and not in_image
    if metric:
        centre, extent, side = m.centre, m.extent, np.sqrt(np.maximum(m.length * m.width, 1e-6))
    else:
        half = np.stack([m.box[:, 2] - m.box[:, 0], m.box[:, 3] - m.box[:, 1]], 1)
        centre, extent, side = (m.box[:, :2] + m.box[:, 2:]) / 2, half, np.sqrt(np.maximum(m.area, 1))
    apart = np.abs(centre[:, None] - centre[None])
    edge = np.linalg.norm(np.maximum(apart - (extent[:, None] + extent[None]) / 2, 0), axis=2)
    return np.asarray(edge + 0.1 * np.linalg.norm(apart, axis=2)), np.asarray(side), metric


def distance_to(anchor: Degree, m: Measures, apart: tuple[Floats, Floats, bool]) -> Scale:
    """Return the distance of each region from the nearest of the anchors; anchors themselves are excluded.

    apart: gaps(m).
    """
    distance, side, metric = apart
    chosen = anchor.p >= max(0.5 * float(anchor.p.max(initial=0)), 1e-6)
    if not chosen.any():
        nowhere = np.full(len(side), np.nan)
        return Scale(nowhere, nowhere, np.zeros(len(side), bool), 'what the distance is measured from is not seen')
    value = _nearest(distance, chosen)
    seen = np.isfinite(value).any()
    if metric and not seen:  # no anchor has depth
        distance, side, metric = gaps(m, in_image=True)
        value = _nearest(distance, chosen)
    if metric:
        sigma = np.hypot(np.nan_to_num(m.sigma, nan=1.0), 0.01)
    else:
        sigma = IN_IMAGE * np.nan_to_num(value) + 0.01 * m.grid[1]
    return Scale(value, sigma, (np.isfinite(value) | chosen) & seen, NO_DISTANCES)


def _nearest(distance: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return (S,) the distance (S, S) of each region to the nearest chosen one; NaN for those, and if it is unknown."""
    known = np.where(chosen[None] & np.isfinite(distance), distance, np.inf).min(1)
    return np.where(chosen | ~np.isfinite(known), np.nan, known)
