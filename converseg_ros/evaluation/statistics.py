"""Confidence intervals by bootstrap over images, because the prompts of one image are not independent."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core import InputError
from converseg_ros.evaluation.metrics import Score
from converseg_ros.network.thresholds import RIGHT_IOU

SAMPLES = 2000
CONFIDENCE_LEVEL = 0.95
MIN_IMAGES = 5  # with items of a metric, below which it has no interval: resamples of so few say nothing about others
Columns = dict[str, NDArray[np.float64]]  # per image: sums and counts, so that a resample is one matrix product

# metric -> (numerator column, denominator column)
RATIOS = {
    'giou': ('iou', 'items'),
    'giou_positive': ('iou_positive', 'positive'),
    'ciou': ('intersection', 'union'),
    'n_acc': ('n_right', 'negative'),
    't_acc': ('t_right', 'positive'),
    'ok_share': ('ok', 'items'),
    'ok_right': ('ok_right', 'ok'),
    'boundary_f': ('boundary', 'positive'),
    'language_sensitivity': ('difference', 'pairs'),
}


def _columns(scores: Sequence[Score], clusters: dict[str, int]) -> Columns:
    """Return the sums that the metrics need, by image."""
    sums: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(clusters)))
    for name in {c for pair in RATIOS.values() for c in pair}:
        sums[name] = np.zeros(len(clusters))
    for s in scores:
        i, ok = clusters[s.image_id], not s.error
        sums['iou'][i] += s.iou
        sums['items'][i] += 1
        sums['intersection'][i] += s.intersection
        sums['union'][i] += s.union
        sums['ok'][i] += s.ok
        sums['ok_right'][i] += s.ok and s.iou >= RIGHT_IOU
        if s.positive is None:
            continue
        if s.positive:
            sums['iou_positive'][i] += s.iou
            sums['positive'][i] += 1
            sums['t_right'][i] += ok and not s.refused
            sums['boundary'][i] += s.boundary if ok else 0.0
            if s.swapped is not None:
                sums['difference'][i] += s.iou - s.swapped
                sums['pairs'][i] += 1
        else:
            sums['negative'][i] += 1
            sums['n_right'][i] += ok and s.refused
    return dict(sums)


def _resamples(count: int, samples: int, seed: int) -> NDArray[np.float64]:
    """Return (samples, count), how often each image is drawn."""
    return np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), samples).astype(np.float64)


def _interval(values: NDArray[np.float64]) -> list[float] | None:
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    tail = 50 * (1 - CONFIDENCE_LEVEL)
    low, high = np.percentile(values, [tail, 100 - tail])
    return [float(low), float(high)]


def intervals(scores: Sequence[Score], *, samples: int = SAMPLES, seed: int = 0) -> dict[str, list[float] | None]:
    """Return the 95 % percentile interval of each metric; images are drawn with replacement.

    A metric with items on fewer than MIN_IMAGES images has none.
    """
    clusters = {name: i for i, name in enumerate(sorted({s.image_id for s in scores}))}
    if not clusters:
        return dict.fromkeys(RATIOS)
    weights, columns = _resamples(len(clusters), samples, seed), _columns(scores, clusters)
    return {name: _interval(_ratio(weights, columns, name)) if _enough(columns, name) else None for name in RATIOS}


def _enough(columns: Columns, name: str) -> bool:
    """Return whether a metric has items on enough images for an interval."""
    return int(np.count_nonzero(columns[RATIOS[name][1]])) >= MIN_IMAGES


def _ratio(weights: NDArray[np.float64], columns: Columns, name: str) -> NDArray[np.float64]:
    over, under = RATIOS[name]
    above, below = weights @ columns[over], weights @ columns[under]
    return np.asarray(np.divide(above, below, out=np.full(len(weights), np.nan), where=below > 0))


def paired(
    first: Sequence[Score], second: Sequence[Score], *, samples: int = SAMPLES, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Return second minus first of each metric over the common items, with its interval.

    The same images are drawn for both. `separated`: the interval does not contain 0. There is no interval if a metric
    has items on fewer than MIN_IMAGES images. Raise InputError without common items.
    """
    a, b = {s.id: s for s in first}, {s.id: s for s in second}
    shared = [k for k in a if k in b]
    if not shared:
        raise InputError('the two results share no item', where='compare', do='score both on the same data')
    clusters = {name: i for i, name in enumerate(sorted({a[k].image_id for k in shared}))}
    one = _columns([a[k] for k in shared], clusters)
    two = _columns([b[k] for k in shared], {**{b[k].image_id: clusters[a[k].image_id] for k in shared}, **clusters})
    weights, whole = _resamples(len(clusters), samples, seed), np.ones((1, len(clusters)))
    table: dict[str, dict[str, Any]] = {}
    for name in RATIOS:
        before, after = float(_ratio(whole, one, name)[0]), float(_ratio(whole, two, name)[0])
        if not np.isfinite(before) or not np.isfinite(after):
            table[name] = {'first': None, 'second': None, 'difference': None, 'ci': None, 'separated': False}
            continue
        enough = _enough(one, name) and _enough(two, name)
        ci = _interval(_ratio(weights, two, name) - _ratio(weights, one, name)) if enough else None
        separated = ci is not None and (ci[0] > 0 or ci[1] < 0)
        table[name] = {
            'first': before,
            'second': after,
            'difference': after - before,
            'ci': ci,
            'separated': separated,
        }
    return table


def bootstrap(
    values: Sequence[float], statistic: Callable[[NDArray[np.float64]], float], *, samples: int = SAMPLES, seed: int = 0
) -> list[float] | None:
    """Return the 95 % percentile interval of any `statistic` of independent `values`; None without values."""
    data = np.asarray(values, np.float64)
    if not data.size:
        return None
    draws = np.random.default_rng(seed).integers(0, data.size, (samples, data.size))
    return _interval(np.array([statistic(data[d]) for d in draws]))
