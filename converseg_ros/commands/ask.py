"""Ask a running segmenter node about its newest image and print the answer.

converseg ask "where can I put down the knife?" --role affordance
converseg ask "the red mug" --mask mug.png
"""

import argparse
from pathlib import Path
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument('text', help='the question, or what to find')
    parser.add_argument(
        '--role',
        default='plain',
        choices=['plain', 'affordance', 'safety'],
        help='affordance: with placements or grasps; safety: with keep-out space',
    )
    parser.add_argument('--node', default='segmenter', help='name of the segmenter node')
    parser.add_argument('--namespace', default='', help='namespace of the node')
    parser.add_argument('--timeout', type=float, default=30.0, help='seconds to wait for node and answer')
    parser.add_argument('--mask', type=Path, help='write the mask here, as PNG (0 or 255)')


def run(args: argparse.Namespace) -> int:
    """Ask; return 0 if something was found, 4 if nothing fits."""
    from converseg_ros.client import ConversegClient
    from converseg_ros.core import Status
    from converseg_ros.ros.messages.conversion import from_image
    from converseg_ros.ros.messages.region_summary import describe

    with ConversegClient(args.node, args.namespace, timeout=args.timeout) as robot:
        regions = robot.ask(args.text, args.role)
    for region in regions:
        print(describe(region))
    if args.mask:
        from PIL import Image

        from converseg_ros.core.files import atomic_path

        with atomic_path(args.mask) as path:
            Image.fromarray(from_image(regions[0].mask)).save(path, format='PNG')
        print(f'mask: {args.mask}', file=sys.stderr)
    found = any(r.status in (Status.OK, Status.LOW_CONFIDENCE) for r in regions)
    return 0 if found else 4
