"""Generate prompt-mask pairs without human labels, view them, and export them.

converseg engine run --source scenes/train --judge scene --out data/train
converseg engine run --source coco_folder --judge labels --out data/coco
converseg engine run --source BAG --judge openai --base-url http://127.0.0.1:8000/v1 --model qwen2.5-vl-7b
    --proposer sam2 --proposer-weights sam2-large --out data/mine --dry-run
converseg engine view data/train
converseg engine export data/train --format dataset items coco parquet --out export
"""

import argparse
from collections import Counter
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from converseg_ros.core.config import add_flags, from_flags
from converseg_ros.core.progress import Progress, print_event
from converseg_ros.core.stages import JobStage
from converseg_ros.data_engine.options import RunOptions
from converseg_ros.perception.topics import TOPIC_HELP, parse_topics

if TYPE_CHECKING:
    from converseg_ros.data_engine.build import Plan

FORMATS = ('dataset', 'items', 'coco', 'parquet')


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    actions = parser.add_subparsers(dest='action', required=True, metavar='ACTION')

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=text, description=text)

    _configure_run(add('run', 'generate a data set, or resume an interrupted run'))
    sheet = add('sheet', 'draw random items on a contact sheet')
    sheet.add_argument('dataset', type=Path, help='folder with items.jsonl')
    sheet.add_argument('--out', required=True, type=Path, help='PNG file')
    sheet.add_argument('--count', type=int, default=50, help='number of pairs (default: %(default)s)')
    sheet.add_argument('--seed', type=int, default=0, help='seed of the selection')
    stats = add('stats', 'count the items of a data set')
    stats.add_argument('dataset', type=Path, help='folder with items.jsonl')
    lint = add('lint', 'check the language of a data set')
    lint.add_argument('dataset', type=Path, help='folder with items.jsonl')
    export = add('export', 'write a data set in other formats')
    export.add_argument('dataset', type=Path, help='folder with items.jsonl')
    export.add_argument('--format', nargs='+', choices=FORMATS, required=True, help='see docs/formats.md')
    export.add_argument(
        '--out', required=True, type=Path, help='output folder; it receives one folder per split and format'
    )
    export.add_argument(
        '--split', nargs='+', choices=('train', 'val', 'test'), default=['train', 'val', 'test'], help='default: all'
    )
    view = add('view', 'look at a data set in the browser')
    view.add_argument('dataset', type=Path, help='folder with items.jsonl')
    view.add_argument('--host', default='127.0.0.1', help='address to listen on (default: %(default)s)')
    view.add_argument('--port', type=int, default=8712, help='default: %(default)s')


def _configure_run(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        '--source',
        action='append',
        required=True,
        type=Path,
        help='folder of scenes, COCO labels or photographs; a bag',
    )
    run.add_argument('--topic', action='append', default=[], metavar='ROLE=TOPIC', help=TOPIC_HELP)
    run.add_argument('--out', required=True, type=Path, help='data set folder')
    run.add_argument(
        '--config', type=Path, metavar='FILE', help='YAML file with the options below; flags take precedence'
    )
    run.add_argument(
        '--agree-remote', action='store_true', help='agree that the images are sent to a judge on another machine'
    )
    run.add_argument('--max-images', type=int, default=0, help='maximum number of images; 0: all')
    run.add_argument('--dry-run', action='store_true', help='estimate the cost without calling a server')
    run.add_argument('--json', action='store_true', help='print progress as JSON lines')
    add_flags(run, RunOptions)


def run(args: argparse.Namespace) -> int:
    """Run the selected action."""
    actions = {'run': _run, 'stats': _stats, 'sheet': _sheet, 'lint': _lint, 'export': _export, 'view': _view}
    return actions[args.action](args)


def plan_of(args: argparse.Namespace) -> 'Plan':
    """Return the plan from the configuration file and the flags."""
    from converseg_ros.data_engine.build import plan

    options: RunOptions = from_flags(RunOptions, args, args.config)
    return plan(
        options,
        args.source,
        args.out,
        agree_remote=args.agree_remote,
        max_images=args.max_images,
        topics=parse_topics(args.topic),
    )


def _run(args: argparse.Namespace) -> int:
    from converseg_ros.data_engine.build import gather, make_pipeline

    plan = plan_of(args)

    def report(event: Progress) -> None:
        if args.json:
            print_event(event)
        elif sys.stderr.isatty() or event.done % 100 == 0 or event.stage == JobStage.DONE:
            print(f'{event.stage} {event.done}/{event.total} {event.message}', file=sys.stderr)

    shots = gather(plan.sources, plan.max_images)
    for origin, count in Counter(s.origin for s in shots if s.origin).items():
        print(f'{count} images with the labels of {origin}', file=sys.stderr)
    if args.dry_run:
        return _estimate(plan, len(shots))
    if plan.options.ray:
        from converseg_ros.data_engine.ray_run import run_on_ray

        manifest = run_on_ray(plan, plan.options.ray, report)
    else:
        manifest = make_pipeline(plan, shots).run(shots, plan.out, report)
    for failure in manifest['failed']:
        print(f'skipped {failure["image"]}: {failure["why"]}', file=sys.stderr)
    for unusable in manifest['unusable']:
        print(f'{unusable["image"]}: skipped {unusable["why"]}', file=sys.stderr)
    if args.json:
        result = {'items': manifest['items'], 'failed': len(manifest['failed']), 'output': str(plan.out)}
        print_event(Progress(stage=JobStage.DONE, result=result))
    return 1 if len(manifest['failed']) == len(shots) else 0


def _estimate(plan: 'Plan', images: int) -> int:
    from converseg_ros.data_engine.estimate import estimate

    expected = estimate(images, plan.settings, plan.limits)
    print(
        f'{expected.images} images: about {expected.calls} calls, {expected.tokens_in / 1e6:.2f} million tokens in, '
        f'{expected.tokens_out / 1e6:.2f} million tokens out, cost {expected.money:.2f}, '
        f'{expected.minutes:.0f} minutes; '
        'cached replies cost nothing'
    )
    return 0


def _sheet(args: argparse.Namespace) -> int:
    from PIL import Image

    from converseg_ros.core.files import atomic_path
    from converseg_ros.core.item import read_items
    from converseg_ros.data_engine.output.sheet import contact_sheet

    picture = contact_sheet(read_items(args.dataset), args.dataset, args.count, seed=args.seed)
    with atomic_path(args.out) as temporary:
        Image.fromarray(picture).save(temporary, format='PNG')
    return 0


def _stats(args: argparse.Namespace) -> int:
    from collections import Counter

    from converseg_ros.core.item import read_items

    items = read_items(args.dataset)
    for title, counts in (
        ('family', Counter(str(i.family) for i in items)),
        ('phase', Counter(i.phase for i in items)),
        ('split', Counter(i.split for i in items)),
        ('target', Counter('yes' if i.positive else 'none' for i in items)),
        ('sub-concept', Counter(i.sub_concept for i in items)),
    ):
        print(f'{title}: ' + ', '.join(f'{k} {n}' for k, n in counts.most_common()))
    images, rooms, prompts = ({getattr(i, n) for i in items} for n in ('image_id', 'room', 'prompt'))
    concepts = {i.sub_concept for i in items}
    print(f'{len(items)} items, {len(images)} images of {len(rooms)} rooms')
    print(f'{len(concepts)} sub-concepts, {len(prompts)} distinct prompts')
    return 0


def _lint(args: argparse.Namespace) -> int:
    from converseg_ros.core.item import read_items
    from converseg_ros.data_engine.grammar.linter import lint

    bad = [(i, p) for i in read_items(args.dataset) if (p := lint(i.prompt, bare=i.phase == 'literal'))]
    for item, problems in bad:
        print(f'{item.id}: {item.prompt!r}: {", ".join(problems)}')
    return 1 if bad else 0


def _export(args: argparse.Namespace) -> int:
    from converseg_ros.data_engine.output.export import export

    for line in export(args.dataset, args.out, args.format, args.split):
        print(line)
    return 0


def _view(args: argparse.Namespace) -> int:
    from converseg_ros.data_engine.output.gallery import serve

    serve(args.dataset, args.host, args.port)
    return 0
