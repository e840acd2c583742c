"""The arguments that all evaluations of a network share."""

import argparse
from pathlib import Path

from converseg_ros.perception.topics import TOPIC_HELP


def add_bag_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that correct what the messages of a bag say: the topics and the depth camera."""
    parser.add_argument('--topic', action='append', default=[], metavar='ROLE=TOPIC', help=TOPIC_HELP)
    parser.add_argument(
        '--depth-offset',
        type=float,
        nargs=3,
        default=(1.0, 0.0, 0.0),
        metavar=('FOCAL', 'X', 'Y'),
        help='the depth camera of a bag whose depth is not registered (`converseg doctor --bag` estimates it)',
    )


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that select the network, its parts and its device, and the files of the result."""
    parser.add_argument('--model', default='compact', help='name or folder (default: compact)')
    parser.add_argument('--namer', default='', help='another model that names regions (docs/models.md)')
    parser.add_argument('--segments', default='', help='another model that finds regions (docs/models.md)')
    parser.add_argument(
        '--facts', choices=('off', 'on'), default='off', help='measure the regions of a model of kind converseg'
    )
    parser.add_argument('--agree-remote', action='store_true', help='images may be sent to a model on another machine')
    parser.add_argument('--device', help='cpu, cuda, cuda:1 ... (default: a GPU if there is one)')
    parser.add_argument(
        '--precision',
        choices=('auto', 'fp32', 'bf16'),
        default='auto',
        help='of --model; auto measures which one is faster, so that a busy machine may choose another one',
    )
    parser.add_argument(
        '--json',
        type=Path,
        required=True,
        metavar='OUT',
        help='the result; a record next to it makes the run resumable',
    )
    parser.add_argument('--html', type=Path, metavar='OUT', help='one self-contained page with pictures')
    parser.add_argument('--limit', type=int, default=0, metavar='N', help='the first N items (frames) only')
    parser.add_argument('--fresh', action='store_true', help='do not resume')
    parser.add_argument('--events', action='store_true', help='print progress and result as JSON lines')
