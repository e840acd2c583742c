"""Measure the namer: how often a labelled object gets one of its names, with ground-truth masks.

converseg bench names data/coco_more data/tools --weights names.safetensors --json out.json

A set is a COCO folder or a folder with crops.json. Images of --split are evaluated (core/splits.py, by session), and
of a folder of crops the sets of --crop-sets. The nouns with a calibration of their own are in `factors` of the JSON. A
name is correct if it is a name of the labelled class in `knowledge`; top-1 and top-5 are over all nouns of the namer.
`kind`: the most probable wider kind is one of the kinds of the label. `tags`: mean over the tags of `knowledge` of the
area under the ROC curve of the sum of the posterior over the nouns with the tag, for objects whose label has it or
not. The detector was trained on COCO's training photographs, which include coco_sample and coco_more: only the column
without it shows how well names generalise there.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_json
from converseg_ros.core.frame import Frame
from converseg_ros.core.segments import KINDS, Segments
from converseg_ros.core.splits import instance_split

if TYPE_CHECKING:
    from converseg_ros.network.names.namer import CropNamer
    from converseg_ros.training.names.instances import Picture

MIN_LARGE_AREA = 32 * 32  # pixels: COCO's limit for small objects
BINS = 10  # of the expected calibration error
MIN_HAVING = 10  # objects with a tag, and without it, from which the tag is judged


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('sets', type=Path, nargs='+', metavar='SET', help='COCO folder, or folder with crops.json')
    parser.add_argument('--weights', type=Path, required=True, help='names.safetensors')
    parser.add_argument('--model', default='compact', help='name or folder of the model with trunk and detector')
    parser.add_argument('--split', choices=('train', 'val', 'test', 'all'), default='test', help='of a COCO folder')
    parser.add_argument('--crop-sets', nargs='*', default=[], metavar='NAME', help='sets of crops.json; none = all')
    parser.add_argument('--dtype', choices=('float32', 'bfloat16'), default='float32')
    parser.add_argument('--limit', type=int, default=0, help='images of each set; 0 = all')
    parser.add_argument('--json', type=Path, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    import torch

    from converseg_ros.network.names.namer import load_namer
    from converseg_ros.network.names.weights import load_names
    from converseg_ros.network.registry import find_model
    from converseg_ros.network.segments.backbone import load_backbone

    namer = load_namer(load_backbone(find_model(args.model)), args.weights, dtype=getattr(torch, args.dtype))
    weights = load_names(args.weights)
    scaling, count = weights.scaling, len(weights.head.sources.nouns)
    print(f'{len(scaling.own)} of {count} nouns are calibrated on their own; the others share {scaling.shared:.3f}')
    results: dict[str, Any] = {}
    for path in args.sets:
        pictures = _pictures(path, args.split, set(args.crop_sets), args.limit)
        rows = {detector: list[dict[str, float]]() for detector in ('without', 'with')}
        for picture in pictures:
            for detector, found in rows.items():
                namer.use_detector = detector == 'with'
                found += things(namer, picture, path.name)
        if not rows['without']:
            raise InputError('no labelled thing of this split', where=str(path))
        results[path.name] = {detector: summary(found) for detector, found in rows.items()}
        for line in table(path.name, results[path.name]):
            print(line, flush=True)
    if args.json:
        factors = {'own': scaling.own, 'shared': scaling.shared}
        out = {'weights': str(args.weights), 'split': args.split, 'factors': factors, 'sets': results}
        write_json(args.json, out)
    return 0


def _pictures(folder: Path, split: str, sets: set[str], limit: int) -> Iterator['Picture']:
    """Yield the images of a set that are evaluated."""
    from converseg_ros.training.names.instances import crop_sets, read_source

    of = crop_sets(folder)

    def wanted(name: str) -> bool:
        return (not sets or of[name] in sets) if of else (split == 'all' or instance_split(name) == split)

    for count, picture in enumerate(read_source(folder, blobs=0, wanted=wanted)):
        if limit and count >= limit:
            return
        yield picture


def things(namer: 'CropNamer', picture: 'Picture', source: str) -> list[dict[str, float]]:
    """Return a row for each labelled object of an image; surfaces and labels of a material only are skipped."""
    from converseg_ros.knowledge import things as known
    from converseg_ros.network.names.namer import CROPS
    from converseg_ros.training.names.labels import allowed, own_noun

    words = namer.words
    place = [words.index[noun] for noun in namer.head.sources.nouns]
    named = [i for i in picture.instances if not i.stuff and own_noun(i.label, words) is not None]
    rows = []
    for start in range(0, len(named), CROPS):
        part = named[start : start + CROPS]
        view, segments = Frame(picture.rgb), _segments(np.stack([i.mask for i in part]))
        p = namer.probabilities(view, segments)
        tagged = namer.posterior(view, segments).p @ tag_weights(namer.head.sources.nouns)
        may = allowed([i.label for i in part], source, words)[:, place]
        kinds = [known()[words.names[own_noun(i.label, words) or 0]].kinds for i in part]
        for instance, odds, right, wider, degrees in zip(part, p, may, kinds, tagged, strict=True):
            order = np.argsort(-odds)[:5]
            rows.append(
                {
                    'area': float(np.count_nonzero(instance.mask)),
                    'top1': float(right[order[0]]),
                    'top5': float(right[order].any()),
                    'sure': float(odds[order[0]]),
                    'kind': float(_kind(namer, odds) in wider) if wider else np.nan,
                    'label': float(own_noun(instance.label, words) or 0),
                    **dict(zip(_tags(), degrees.tolist(), strict=True)),
                }
            )
    return rows


def _tags() -> tuple[str, ...]:
    from converseg_ros.knowledge import tags

    return tuple(f'tag {name}' for name in tags())


@cache
def tag_weights(nouns: tuple[str, ...]) -> NDArray[np.float64]:
    """Return (K, T): whether each noun has each tag; 0.5 if opinions differ."""
    from converseg_ros.knowledge import nouns_with, tags

    return np.array([[nouns_with(tag).get(noun, 0.0) for tag in tags()] for noun in nouns])


def tag_areas(columns: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return the area under the ROC curve of each tag with enough objects; labels that may have it are left out."""
    from converseg_ros.knowledge import tags
    from converseg_ros.knowledge.vocabulary import vocabulary

    having = tag_weights(vocabulary().names)[columns['label'].astype(int)]
    areas = {}
    for i, tag in enumerate(tags()):
        degrees, has = columns[f'tag {tag}'], having[:, i]
        with_it, without = degrees[has == 1], degrees[has == 0]
        if min(len(with_it), len(without)) >= MIN_HAVING:
            ranks = rankdata(np.concatenate([with_it, without]))[: len(with_it)]
            areas[tag] = float((ranks.mean() - (len(with_it) + 1) / 2) / len(without))
    return areas


def _kind(namer: 'CropNamer', p: NDArray[np.float32]) -> str:
    """Return the most probable wider kind."""
    from converseg_ros.knowledge import things as known

    total: dict[str, float] = defaultdict(float)
    for noun, share in zip(namer.head.sources.nouns, p, strict=True):
        for kind in known()[noun].kinds if noun in known() else ():
            total[kind] += float(share)
    return max(total, key=lambda k: total[k])


def _segments(masks: NDArray[np.bool_]) -> Segments:
    """Return labelled masks as objects of equal quality."""
    count = len(masks)
    kinds = np.zeros((count, len(KINDS)), np.float32)
    kinds[:, 0] = 1
    none, ones = np.full(count, -1), np.ones(count, np.float32)
    return Segments(masks, (masks.shape[1], masks.shape[2]), kinds, ones, np.zeros(count, bool), none, none)


def summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Return shares over all objects, over large ones, over labels, and the expected calibration error."""
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    large = columns['area'] >= MIN_LARGE_AREA
    labels = np.unique(columns['label'])
    found: dict[str, Any] = {'things': len(rows), 'labels': len(labels)}
    for name, chosen in (('all', np.ones(len(rows), bool)), ('large', large)):
        found[name] = {key: _mean(columns[key][chosen]) for key in ('top1', 'top5', 'kind')} | {'n': int(chosen.sum())}
    found['by_label'] = {
        key: _mean(np.array([columns[key][columns['label'] == n].mean() for n in labels])) for key in ('top1', 'top5')
    }
    bins = np.minimum((columns['sure'] * BINS).astype(int), BINS - 1)
    gaps = [
        (columns['sure'][bins == b].mean() - columns['top1'][bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    found['calibration_error'] = float(np.abs(gaps).sum())
    found['tags'] = tag_areas(columns)
    return found


def _mean(values: NDArray[np.float64]) -> float | None:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else None


def table(name: str, result: dict[str, dict[str, Any]]) -> list[str]:
    """Return the lines of one set."""
    lines = [f'{name}: {result["with"]["things"]} things, {result["with"]["labels"]} labels']
    for detector, found in result.items():
        parts = [
            f'{group} {found[group]["top1"]:.3f}/{found[group]["top5"]:.3f}'
            for group in ('all', 'large', 'by_label')
            if found[group]['top1'] is not None
        ]
        kind = found['all']['kind']
        kind_text = '-' if kind is None else f'{kind:.3f}'
        lines.append(
            f'  {detector:7} detector: top-1/top-5 {", ".join(parts)}; kind {kind_text}; '
            f'calibration error {found["calibration_error"]:.3f}'
            + (f'; tags {np.mean(list(found["tags"].values())):.3f}' if found['tags'] else '')
        )
    return lines
