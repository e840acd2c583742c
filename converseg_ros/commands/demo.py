"""Replay an RGB-D bag through the segmenter node and write pictures of its answers.

    converseg demo                                      # the shipped bag and instructions
    converseg demo --bag PATH --ask "what could I drink from" --ask "where can I put down a plate"

Starts the node in a separate process on separate topics (/converseg_demo/...), restricted to this machine, so that a
running robot is not disturbed. Writes to --out: index.html, an overlay and one mask per instruction, PLY clouds,
answers.json.
"""

import argparse
from pathlib import Path
import signal
import time

from converseg_ros.core import ConversegError, Instruction
from converseg_ros.core.paths import share
from converseg_ros.evaluation.arguments import add_bag_arguments
from converseg_ros.lifting.alignment import DepthOffset
from converseg_ros.perception.topics import parse_topics
from converseg_ros.ros.isolation import isolate


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('--bag', type=Path, help='a rosbag2, sqlite3 or mcap, raw or compressed topics')
    add_bag_arguments(parser)
    parser.add_argument('--ask', action='append', metavar='TEXT', help='ask this instead; may be repeated')
    parser.add_argument('--instructions', type=Path, help='ask the instructions of this file (YAML) instead')
    parser.add_argument('--model', default='compact', help='name or folder of the network (default: %(default)s)')
    parser.add_argument('--device', default='auto', help='cpu, cuda or auto')
    parser.add_argument('--rate', type=float, default=1.0, help='rate of the replay, 1 = that of the bag (default)')
    parser.add_argument('--out', type=Path, default=Path('demo_out'), help='folder for the results')


def run(args: argparse.Namespace) -> int:
    """Replay, record, write; return 1 if an instruction got no answer."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # also end the node, as on Ctrl-C
    isolate()  # before any import of rclpy
    from converseg_ros.demo.play import images, play
    from converseg_ros.ros.camera.replay import Bag

    asked = instructions(args)
    topics = parse_topics(args.topic)
    with Bag(args.bag or share('demo', 'bag'), topics) as bag:
        print('\n'.join(bag.camera.describe()), flush=True)
        offset = DepthOffset(*args.depth_offset)
        recorder = play(bag, asked, model=args.model, device=args.device, rate=args.rate, offset=offset)
    from converseg_ros.demo.results import write_results

    pictures = images(bag.path, set(recorder.regions), topics)
    answered = write_results(args.out, recorder, pictures, asked, args.bag.name if args.bag else 'shipped')
    page = args.out / 'index.html'
    print(f'\nresults: {page}; {time.monotonic() - started:.0f} s in total', flush=True)
    return 0 if answered else 1


def instructions(args: argparse.Namespace) -> list[Instruction]:
    """Return the instructions: --ask interpreted as the text of an operator, else those of a file."""
    if not args.ask:
        from converseg_ros.evaluation.bag.files import read_instructions

        return [a.instruction for a in read_instructions(args.instructions or share('demo', 'instructions.yaml'))]
    from converseg_ros.dialogue import Dialogue

    found: list[Instruction] = []
    for text in args.ask:
        heard = Dialogue().hear(text)
        if not heard.instructions:
            raise ConversegError(heard.reason or heard.question or 'not understood', where=f'--ask {text!r}')
        found += heard.instructions
    return found
