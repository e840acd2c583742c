"""Make prompt-mask pairs without human labels, look at them, and export them.

converseg engine run --source scenes/train --judge scene --out data/train
converseg engine run --source coco_folder --judge labels --out data/coco
"""

import argparse
import json
from pathlib import Path
import sys

from converseg_ros.core.errors import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')
    run = actions.add_parser('run', help='make a data set, or finish an interrupted one')
    run.add_argument(
        '--source', action='append', required=True, type=Path, help='folder of scenes, COCO labels or photos'
    )
    run.add_argument('--judge', default='scene', help='scene or labels')
    run.add_argument('--out', required=True, type=Path, help='data set folder')
    run.add_argument('--prompts', type=int, default=13, help='prompts an image (default 13)')
    run.add_argument('--negatives', type=float, default=0.23, help='share of prompts without a target (default 0.23)')
    run.add_argument('--max-images', type=int, default=0, help='take no more images than this')
    run.add_argument('--shard', default='0/1', help='i/n: make only the images of the i-th of n shards')
    run.add_argument('--json', action='store_true', help='print progress as JSON lines')
    sheet = actions.add_parser('sheet', help='draw random items on a contact sheet')
    sheet.add_argument('dataset', type=Path)
    sheet.add_argument('--out', required=True, type=Path, help='PNG file')
    sheet.add_argument('--count', type=int, default=50)
    sheet.add_argument('--seed', type=int, default=0)
    stats = actions.add_parser('stats', help='count the items of a data set')
    stats.add_argument('dataset', type=Path)


def run(args: argparse.Namespace) -> int:
    """Run the chosen action."""
    return {'run': _run, 'stats': _stats, 'sheet': _sheet}[args.action](args)


def _shard(text: str) -> tuple[int, int]:
    try:
        index, count = (int(part) for part in text.split('/'))
    except ValueError:
        index, count = -1, 0
    if not 0 <= index < count:
        raise InputError(f'{text!r} is not i/n with 0 <= i < n', where='--shard')
    return index, count


def _run(args: argparse.Namespace) -> int:
    from converseg_ros.engine.build import gather, make_judge
    from converseg_ros.engine.pipeline import Pipeline, Settings

    shots = gather(args.source, args.max_images)
    judge, proposer = make_judge(args.judge, shots)
    settings = Settings(args.prompts, args.negatives, _shard(args.shard))

    def progress(stage: str, done: int, total: int, message: str) -> None:
        if args.json:
            print(json.dumps({'stage': stage, 'done': done, 'total': total, 'message': message}), flush=True)
        elif sys.stderr.isatty() or done % 100 == 0:
            print(f'{stage} {done}/{total} {message}', file=sys.stderr)

    manifest = Pipeline(judge, proposer, settings).run(shots, args.out, progress)
    for failure in manifest['failed']:
        print(f'skipped {failure["image"]}: {failure["why"]}', file=sys.stderr)
    return 1 if len(manifest['failed']) == len(shots) else 0


def _sheet(args: argparse.Namespace) -> int:
    from PIL import Image

    from converseg_ros.core.files import atomic_path
    from converseg_ros.engine.sheet import contact_sheet
    from converseg_ros.engine.store import read_items

    picture = contact_sheet(read_items(args.dataset), args.dataset, args.count, seed=args.seed)
    with atomic_path(args.out) as temporary:
        Image.fromarray(picture).save(temporary, format='PNG')
    return 0


def _stats(args: argparse.Namespace) -> int:
    from collections import Counter

    from converseg_ros.engine.store import read_items

    items = read_items(args.dataset)
    for title, counts in (
        ('family', Counter(str(i.family) for i in items)),
        ('phase', Counter(i.phase for i in items)),
        ('split', Counter(i.split for i in items)),
        ('target', Counter('yes' if i.positive else 'none' for i in items)),
        ('sub-concept', Counter(i.sub_concept for i in items)),
    ):
        print(f'{title}: ' + ', '.join(f'{k} {n}' for k, n in counts.most_common()))
    print(
        f'{len(items)} items, {len({i.image_id for i in items})} images, '
        f'{len({i.prompt for i in items})} distinct prompts'
    )
    return 0
