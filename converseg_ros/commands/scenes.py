"""Render labelled scenes, view them, write them as a rosbag.

converseg scenes setup                     # unpack models, create the Cycles environment, download environment images
converseg scenes render --count 100 --split train --out scenes/train --workers 2
converseg scenes sheet scenes/train --out sheet.png
converseg scenes bag --out demo --seconds 10
converseg scenes attribution --out ATTRIBUTION.md
"""

import argparse
from pathlib import Path
import sys

from converseg_ros.core.files import write_text


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their options."""
    commands = parser.add_subparsers(dest='what', required=True, metavar='WHAT')

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text)

    render = add('render', 'render scenes; existing scene folders are skipped, so a killed run can be resumed')
    render.add_argument('--count', type=int, default=10, help='number of scenes')
    render.add_argument('--seed', type=int, default=0, help='seed of the first scene; it increases by 1 for each scene')
    render.add_argument(
        '--split', choices=('train', 'val', 'test'), default='train', help='object models and materials of this split'
    )
    render.add_argument('--renderer', choices=('raster', 'cycles'), default='raster', help='default: %(default)s')
    render.add_argument('--views', type=int, default=2, help='views of each built room')
    render.add_argument('--room', default='', help='only this room type')
    render.add_argument('--out', type=Path, required=True, help='folder of the scene folders')
    render.add_argument('--workers', type=int, default=1, help='number of processes')
    sheet = add('sheet', 'write a contact sheet: colour, labels, captions')
    sheet.add_argument('folder', type=Path, help='folder of scene folders')
    sheet.add_argument('--out', type=Path, required=True, help='PNG file')
    sheet.add_argument('--count', type=int, default=12, help='views on the sheet')
    sheet.add_argument('--seed', type=int, default=0, help='seed of the selection')
    bag = add('bag', 'write a camera path through one room as a rosbag2; rendered frames are reused')
    bag.add_argument(
        '--out',
        type=Path,
        required=True,
        help='bag folder to create; its scene folder is written next to it (OUT.scene)',
    )
    bag.add_argument('--seed', type=int, default=0, help='seed of the room and of the path')
    bag.add_argument(
        '--split', choices=('train', 'val', 'test'), default='test', help='object models of this split (default: test)'
    )
    bag.add_argument('--room', default='', help='only this room type')
    bag.add_argument('--renderer', choices=('raster', 'cycles'), default='raster', help='default: %(default)s')
    bag.add_argument('--seconds', type=float, default=10.0, help='length of the bag (default: %(default)s)')
    bag.add_argument('--hz', type=float, default=5.0, help='frames per second (default: %(default)s)')
    bag.add_argument('--quality', type=int, default=80, help='JPEG quality')
    bag.add_argument('--storage', choices=('mcap', 'sqlite3'), default='mcap', help='default: %(default)s')
    setup = add('setup', 'unpack models, create the Cycles environment, fetch environment images (downloads)')
    setup.add_argument('--no-cycles', action='store_true', help='only what the raster renderer needs')
    credit = add('attribution', "write every model's name, creator and licence")
    credit.add_argument('--out', type=Path, required=True, help='Markdown file')


def run(args: argparse.Namespace) -> int:
    """Run a scenes subcommand; return the exit status."""
    return {'render': _render, 'sheet': _sheet, 'bag': _bag, 'setup': _setup, 'attribution': _attribution}[args.what](
        args
    )


def _render(args: argparse.Namespace) -> int:
    from converseg_ros.core.errors import InputError
    from converseg_ros.scenes.layout.rooms import ROOMS
    from converseg_ros.scenes.render.scene_folder import render_many

    if args.count < 0 or args.views < 1 or args.workers < 1 or args.seed < 0:
        raise InputError(
            'count and seed must be at least 0, views and workers at least 1', where='the options', do='correct them'
        )
    if args.room and args.room not in ROOMS:
        raise InputError(f'unknown room type {args.room!r}', where='--room', do=f'choose from {", ".join(ROOMS)}')

    def progress(done: int, total: int, seconds: float) -> None:
        if done == total or done % 10 == 0:
            rate = done * args.views / max(seconds, 1e-6)
            print(
                f'{done}/{total} scenes, {rate:.2f} frames/s, {rate * 3600:.0f} frames/h', file=sys.stderr, flush=True
            )

    seeds = list(range(args.seed, args.seed + args.count))
    made = render_many(seeds, args.split, args.views, args.out, args.renderer, args.workers, args.room, progress)
    print(f'{made} rendered, {len(seeds) - made} existed: {args.out}')
    return 0


def _sheet(args: argparse.Namespace) -> int:
    from converseg_ros.scenes.render.contact_sheet import sheet

    print(f'{sheet(args.folder, args.out, args.count, args.seed)} views: {args.out}')
    return 0


def _bag(args: argparse.Namespace) -> int:
    from converseg_ros.core.errors import InputError
    from converseg_ros.scenes.render.bag import render_path, write_bag

    if args.seconds <= 0 or args.hz <= 0:
        raise InputError('seconds and hz must be positive', where='the options', do='correct them')
    folder = args.out.with_name(args.out.name + '.scene')
    frames = max(2, round(args.seconds * args.hz))
    render_path(args.seed, args.split, frames, folder, args.renderer, args.room)
    size = write_bag(folder, args.out, args.hz, args.quality, args.storage)
    print(f'{frames} frames, {size / 1e6:.1f} MB: {args.out}')
    return 0


def _setup(args: argparse.Namespace) -> int:
    from converseg_ros.scenes.render import setup

    print(setup.models())
    if not args.no_cycles:
        print(setup.environment_images())
        print(setup.blender())
    return 0


def _attribution(args: argparse.Namespace) -> int:
    from converseg_ros.scenes.models.catalogue import attribution

    write_text(args.out, attribution())
    print(args.out)
    return 0
