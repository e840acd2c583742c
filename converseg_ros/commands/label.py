"""Label masks on images or bag frames in the browser, or build a label file from polygons.

converseg label DIR_OR_BAG [...] --out labels.json
converseg label --polygons polygons.json --root DATA --out labels.json
"""

import argparse
from pathlib import Path
import sys

from converseg_ros.core import InputError
from converseg_ros.core.errors import import_extra
from converseg_ros.perception.topics import TOPIC_HELP, parse_topics


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('sources', type=Path, nargs='*', metavar='DIR_OR_BAG', help='folders of images, rosbags')
    parser.add_argument('--out', type=Path, required=True, metavar='LABELS.json', help='read if it exists; rewritten')
    parser.add_argument(
        '--every', type=int, default=15, metavar='N', help='use every N-th frame of a bag (default: 15)'
    )
    parser.add_argument(
        '--polygons', type=Path, metavar='FILE', help='build the label file from a polygon file, without a page'
    )
    parser.add_argument('--root', type=Path, help='with --polygons: the folder that contains its source')
    parser.add_argument('--assist', metavar='MODEL', help='offer masks of this model; such labels are marked')
    parser.add_argument('--topic', action='append', default=[], metavar='ROLE=TOPIC', help=TOPIC_HELP)
    parser.add_argument('--host', default='127.0.0.1', help='address to listen on (default: this machine only)')
    parser.add_argument('--port', type=int, default=0, help='default: any free one')


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, or build the file."""
    if args.polygons:
        return _build(args)
    with import_extra('console'):
        from converseg_ros.evaluation.labelling import Labelling, make_label_app, pictures_of
        from converseg_ros.web.server import run as serve

    topics = parse_topics(args.topic)
    root, pictures = pictures_of(args.sources, args.every, topics)
    network = None
    if args.assist:
        from converseg_ros import network as networks

        network = networks.load(args.assist)
    serve(make_label_app(Labelling(root, pictures, args.out, network, topics), host=args.host), port=args.port)
    return 0


def _build(args: argparse.Namespace) -> int:
    """Rasterize a polygon file."""
    from converseg_ros.datasets.labels import labels_of_polygons, write_labels
    from converseg_ros.evaluation.sources import Sources

    if args.root is None:
        raise InputError('the images are needed', where='--polygons', do='give --root, the parent of the source')
    labels = labels_of_polygons(args.polygons, Sources(args.root, parse_topics(args.topic)).find)
    write_labels(args.out, labels)
    positive = sum(any(x.rle['counts'][1::2]) for x in labels)
    print(f'{len(labels)} labels, {len(labels) - positive} without a target: {args.out}', file=sys.stderr)
    return 0
