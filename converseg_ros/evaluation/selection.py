"""Read the samples of an evaluation; each function returns the description for the report and the samples."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from converseg_ros.core import Frame, InputError
from converseg_ros.datasets.labels import ASSISTED, read_labels
from converseg_ros.datasets.parquet import fetch_hub, samples_of_parquet
from converseg_ros.datasets.reasonseg import samples_of_reasonseg
from converseg_ros.datasets.refcoco import refs_file, samples_of_refcoco
from converseg_ros.datasets.samples import Sample, check_ids, samples_of_dataset, samples_of_items, samples_of_labels
from converseg_ros.evaluation.sources import Sources
from converseg_ros.lifting.alignment import NO_OFFSET, DepthOffset
from converseg_ros.perception.topics import parse_topics
from converseg_ros.programs.nodes import NODES, program_from_json

ABSENT_WEIGHT = 0.5  # of prompts that were written as absent things: they are many more than prompts in use have


def of_items(path: Path) -> tuple[str, list[Sample]]:
    """Read the reference's items.json."""
    return str(path), samples_of_items(path)


def of_datasets(folders: Sequence[Path], split: str) -> tuple[str, list[Sample]]:
    """Read data sets of the engine; images of different data sets may have the same name."""
    found = [(folder, s) for folder in folders for s in samples_of_dataset(folder, split)]
    if len(folders) > 1:
        found = [(folder, replace(s, image_id=f'{folder}/{s.image_id}')) for folder, s in found]
    return f'{", ".join(map(str, folders))} ({split or "all"})', [s for _, s in found]


def of_labels(
    paths: Sequence[Path],
    root: Path,
    say: Callable[[str], None],
    topics: Mapping[str, str] | None = None,
    offset: DepthOffset = NO_OFFSET,
) -> tuple[str, list[Sample]]:
    """Read manual labels, whose sources (images, bags) are in `root`; say how many a network helped with.

    topics: {role: topic} that is taken of each bag in place of what would be chosen. offset: the depth camera of bags.
    """
    labels = [x for path in paths for x in read_labels(path)]
    assisted = sum(x.how.startswith(ASSISTED) for x in labels)
    if assisted:
        say(f"note: {assisted} of {len(labels)} labels were made with a network's help")
    samples = samples_of_labels(labels, Sources(root, topics, offset).find)
    if offset:  # other views: a run with another offset is not resumed
        samples = [replace(s, image_id=f'({offset}) {s.image_id}') for s in samples]
    return ' '.join(p.name for p in paths), samples


def of_calibration(args: Namespace, say: Callable[[str], None]) -> tuple[str, list[Sample]]:
    """Read the labels and data sets of `eval calibrate`; the labels of --absent count ABSENT_WEIGHT."""
    if (args.labels or args.absent) and args.root is None:
        raise InputError('labels without their images', where='--labels', do='give --root DIR')
    samples = of_datasets(args.dataset, args.split)[1]
    topics, offset = parse_topics(args.topic), DepthOffset(*args.depth_offset)
    for paths, weight in ((args.labels, 1.0), (args.absent, ABSENT_WEIGHT)):
        read = of_labels(paths, args.root, say, topics, offset)[1] if paths else []
        samples += [replace(s, weight=weight) for s in read]
    if not samples:
        raise InputError('there are no items', where='calibrate', do='give --labels and --dataset')
    return ' '.join(p.name for p in (*args.labels, *args.absent, *args.dataset)), check_ids(samples)


def of_hub(repo: str, split: str, files: Sequence[Path] | None) -> tuple[str, list[Sample]]:
    """Read the published benchmark from `files`, or download it."""
    paths = files or fetch_hub(repo, split)
    return f'{repo} {split}', [s for p in paths for s in samples_of_parquet(p)]


def of_refcoco(folder: Path, images: Path, split: str, split_by: str) -> tuple[str, list[Sample]]:
    """Read a RefCOCO, RefCOCO+ or RefCOCOg folder."""
    name = refs_file(folder, split_by).name
    return f'{folder} ({name}, {split})', samples_of_refcoco(folder, images, split, split_by)


def of_reasonseg(folder: Path) -> tuple[str, list[Sample]]:
    """Read a ReasonSeg folder."""
    return str(folder), samples_of_reasonseg(folder)


READERS: dict[str, Callable[[Namespace, Callable[[str], None]], tuple[str, list[Sample]]]] = {
    'items': lambda args, say: of_items(args.data),
    'dataset': lambda args, say: of_datasets(args.data, args.split),
    'labels': lambda args, say: of_labels(
        args.data, args.root, say, parse_topics(args.topic), DepthOffset(*args.depth_offset)
    ),
    'hub': lambda args, say: of_hub(args.repo, args.split, args.parquet),
    'refcoco': lambda args, say: of_refcoco(args.data, args.images, args.split, args.split_by),
    'reasonseg': lambda args, say: of_reasonseg(args.data),
}
"""By kind of data, the function that reads the samples that the arguments of `converseg eval KIND` select."""


def with_node(samples: list[Sample], op: str) -> list[Sample]:
    """Return the samples whose program, the given one or the gold one, contains a node of an operator; '' keeps all."""
    if not op:
        return samples
    if op not in NODES:
        raise InputError(f'there is no operator "{op}"', where='--op', do=f'use one of {", ".join(sorted(NODES))}')
    known = [(s, s.program or s.gold) for s in samples]
    return [s for s, p in known if p is not None and any(n.op == op for n in program_from_json(p).walk())]


def colour_alone(samples: list[Sample]) -> list[Sample]:
    """Return the samples with views that have neither depth nor intrinsics nor gravity."""

    def view(of: Sample) -> Frame:
        frame = of.view()
        return Frame(frame.rgb, stamp_ns=frame.stamp_ns, frame_id=frame.frame_id)

    return [replace(s, image_id=f'{s.image_id} (colour)', view=partial(view, s)) for s in samples]
