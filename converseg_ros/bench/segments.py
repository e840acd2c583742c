"""Measure segments: how well the best segment, and the best union of segments, match every labelled region (oracles).

converseg bench segments --weights segments.safetensors rooms_val coco_sample labels.json --root data --json out.json

A set is a folder of rendered rooms, a COCO folder (instances.json, panoptic.json; --split selects its images), a folder
of the engine's items, an items.json, or a label file whose sources are below --root. `single`: the IoU of the best
segment. `flat`: of the best segment of the flat cut. `union`: of the best union of up to six segments. `tree`: of the
best node of the merge tree, the upper bound for selecting one node. Views with depth are measured with and without it.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.core.files import write_json
from converseg_ros.core.frame import Frame
from converseg_ros.core.splits import instance_split, split_of

if TYPE_CHECKING:
    from converseg_ros.network.segments.proposer import TreeProposer

UNION = 6  # maximum number of segments of a union
MEASURES = ('single', 'flat', 'union', 'tree')


@dataclass(frozen=True, slots=True)
class Truths:
    """A view and its labelled regions: (group, mask (H, W)) pairs."""

    view: Frame
    regions: list[tuple[str, NDArray[np.bool_]]]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('sets', type=Path, nargs='+', metavar='SET', help='rooms, a COCO folder, items or labels')
    parser.add_argument('--weights', type=Path, required=True, help='segments.safetensors')
    parser.add_argument('--model', default='compact', help='name or folder of the model with trunk and detector')
    parser.add_argument('--root', type=Path, default=Path('.'), help='folder of the sources of a label file')
    parser.add_argument('--split', choices=('train', 'val', 'test', 'all'), default='all', help='of a COCO folder')
    parser.add_argument('--split-by', choices=('name', 'session'), default='session', help='see core/splits.py')
    parser.add_argument('--limit', type=int, default=0, help='views of each set; 0 = all')
    parser.add_argument('--dtype', choices=('float32', 'bfloat16'), default='float32')
    parser.add_argument('--json', type=Path, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Measure, print and write."""
    import torch

    from converseg_ros.network.registry import find_model
    from converseg_ros.network.segments.proposer import load_proposer

    proposer = load_proposer(find_model(args.model), args.weights, dtype=getattr(torch, args.dtype))
    rule = split_of if args.split_by == 'name' else instance_split

    def keep(name: str) -> bool:
        return bool(args.split == 'all' or rule(name) == args.split)

    results = {}
    for path in args.sets:
        views = truths(path, root=args.root, keep=keep)
        results[path.name] = measure(proposer, views, limit=args.limit)
        for line in table(path.name, results[path.name]):
            print(line, flush=True)
    if args.json:
        write_json(args.json, {'weights': str(args.weights), 'sets': results})
    return 0


def truths(path: Path, *, root: Path, keep: Callable[[str], bool]) -> Iterator[Truths]:
    """Yield the views of a set with their labelled regions; of a COCO folder, those whose name `keep` accepts.

    Prompts without a target are skipped.
    """
    if path.is_dir() and not (path / 'items.jsonl').is_file():
        yield from _regions(path, keep)
        return
    from converseg_ros.datasets.samples import by_image

    for group in by_image(_samples(path, root)):
        view = group[0].view()
        masks = [(sample.family or 'prompt', sample.truth()) for sample in group]
        yield Truths(view, [(family, mask) for family, mask in masks if mask.any()])


def _samples(path: Path, root: Path) -> list[Any]:
    """Return the samples of a label file (a JSON list), of an items.json, or of a folder of the engine's items."""
    from converseg_ros.datasets.labels import read_labels
    from converseg_ros.datasets.samples import samples_of_dataset, samples_of_items, samples_of_labels
    from converseg_ros.evaluation.sources import Sources

    if path.is_dir():
        return samples_of_dataset(path)
    try:
        is_list = path.read_text()[:64].lstrip().startswith('[')
    except OSError as error:
        raise InputError(f'cannot be read ({error.strerror or error})', where=str(path)) from error
    return samples_of_labels(read_labels(path), Sources(root).find) if is_list else samples_of_items(path)


def _regions(folder: Path, keep: Callable[[str], bool]) -> Iterator[Truths]:
    from converseg_ros.datasets.regions import labelled_names, read_labelled

    names = labelled_names(folder)
    rooms = not any((folder / f'{kind}.json').is_file() for kind in ('instances', 'panoptic'))
    for name in names:
        if rooms or keep(name):
            labelled = read_labelled(folder, name)
            yield Truths(labelled.view, list(labelled.regions()))


def measure(proposer: 'TreeProposer', views: Iterator[Truths], *, limit: int = 0) -> dict[str, Any]:
    """Return the mean of each measure by mode (rgbd, rgb) and group, with counts and the median time per view."""
    scores: dict[str, dict[str, list[list[float]]]] = {}
    seconds: dict[str, list[float]] = defaultdict(list)
    counts: dict[str, list[int]] = defaultdict(list)
    for index, truth in enumerate(views):
        if limit and index >= limit:
            break
        modes = {'rgb': replace(truth.view, depth=None)}
        if truth.view.depth is not None and truth.view.intrinsics is not None:
            modes = {'rgbd': truth.view} | modes
        for mode, view in modes.items():
            begin = time.perf_counter()
            proposals = proposer.nodes(view)
            segments = proposer.choose(proposals, (view.height, view.width))
            seconds[mode].append(time.perf_counter() - begin)
            counts[mode].append(len(segments))
            for group, mask in truth.regions:
                cells = _cells(mask, segments.masks.shape[1:])
                single, flat, union = oracle(segments.masks, segments.flat, cells)
                row = [single, flat, union, float(proposals.tree.overlaps(cells[None]).max())]
                scores.setdefault(mode, {}).setdefault(group, []).append(row)
    return {
        mode: {
            'groups': {group: _means(rows) for group, rows in sorted(groups.items())},
            'all': _means([row for rows in groups.values() for row in rows]),
            'segments': float(np.mean(counts[mode])),
            'seconds': float(np.median(seconds[mode])),
            'views': len(seconds[mode]),
        }
        for mode, groups in scores.items()
    }


def oracle(masks: NDArray[np.bool_], flat: NDArray[np.bool_], truth: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return the best IoU of one of (S, h, w) masks, of a flat one, and of a greedy union, with (h, w) cells in 0..1.

    A cell of the ground truth is the share of its image pixels inside the region, so that the IoU is that of the masks
    at image size.
    """
    if not len(masks):
        return 0.0, 0.0, 0.0
    rows, whole = masks.reshape(len(masks), -1), float(truth.sum())
    where = np.flatnonzero(truth.ravel())
    target, parts = truth.ravel()[where], rows[:, where]  # only there a mask can intersect the target
    inside, area = parts.astype(np.float32) @ target, rows.sum(1)
    iou = inside / np.maximum(area + whole - inside, 1e-9)
    best = int(iou.argmax())
    union, hit_by, value = rows[best].copy(), parts[best].copy(), float(iou[best])
    useful = np.flatnonzero(inside > 0)
    rows, parts = rows[useful], parts[useful]
    for _ in range(UNION - 1):
        hit = (parts | hit_by).astype(np.float32) @ target
        scores = hit / np.maximum(np.count_nonzero(rows | union, axis=1) + whole - hit, 1e-9)
        if not len(scores) or scores.max() <= value + 1e-3:
            break
        chosen = int(scores.argmax())
        union, hit_by, value = rows[chosen] | union, parts[chosen] | hit_by, float(scores[chosen])
    return float(iou[best]), float(iou[flat].max(initial=0)), value


def table(name: str, result: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table of a set."""
    for mode, of in result.items():
        yield f'{name} {mode}: {of["views"]} views, {of["segments"]:.0f} segments, {1000 * of["seconds"]:.0f} ms'
        for group, row in [*of['groups'].items(), ('all', of['all'])]:
            numbers = ' '.join(f'{m} {row[m]:.3f}' for m in MEASURES)
            yield f'  {group:12} {row["count"]:5} {numbers}'


def _means(rows: list[list[float]]) -> dict[str, Any]:
    means = np.mean(rows, 0) if rows else np.zeros(len(MEASURES))
    return {'count': len(rows), **dict(zip(MEASURES, (float(m) for m in means), strict=True))}


def _cells(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the share of each cell of a grid that a mask covers."""
    import cv2

    small = cv2.resize(mask.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
