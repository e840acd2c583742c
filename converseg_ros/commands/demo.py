"""Replay an RGB-D bag through the segmenter node and leave pictures of what it understood.

    converseg demo                                      # the shipped bag and instructions
    converseg demo --bag PATH --ask "what could I drink from" --ask "where can I put down a plate"

Starts the node as its own process on topics of its own (/converseg_demo/...), this machine only, so that a running
robot is not disturbed. Leaves in --out: index.html, an overlay and a mask a instruction, PLY clouds, answers.json.
"""

import argparse
from pathlib import Path
import signal
import time

from converseg_ros.core import ConversegError, Instruction
from converseg_ros.core.paths import share
from converseg_ros.ros.isolation import isolate


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument('--bag', type=Path, help='a rosbag2, sqlite3 or mcap, raw or compressed topics')
    parser.add_argument('--ask', action='append', metavar='TEXT', help='ask this instead; may be given again')
    parser.add_argument('--instructions', type=Path, help='ask the instructions of this file (YAML) instead')
    parser.add_argument('--model', default='compact', help='name or folder of the network (default: %(default)s)')
    parser.add_argument('--device', default='auto', help='cpu, cuda or auto')
    parser.add_argument('--rate', type=float, default=1.0, help="of the replay, 1 = the bag's own (default)")
    parser.add_argument('--out', type=Path, default=Path('demo_out'), help='folder for the results')


def run(args: argparse.Namespace) -> int:
    """Replay, record, write; return 1 if an instruction got no answer."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the node too, as Ctrl-C does
    isolate()  # before anything imports rclpy
    from converseg_ros.demo.play import images, play
    from converseg_ros.ros.camera.replay import Bag

    asked = instructions(args)
    with Bag(args.bag or share('demo', 'bag')) as bag:
        recorder = play(bag, asked, model=args.model, device=args.device, rate=args.rate)
    from converseg_ros.demo.results import write_results

    answered = write_results(
        args.out, recorder, images(bag.path, set(recorder.regions)), asked, args.bag.name if args.bag else 'shipped'
    )
    page = args.out / 'index.html'
    print(f'\n{page} shows it all; {time.monotonic() - started:.0f} s in all', flush=True)
    return 0 if answered else 1


def instructions(args: argparse.Namespace) -> list[Instruction]:
    """Return what to ask: --ask as an operator says it, else a file's instructions."""
    if not args.ask:
        from converseg_ros.evaluation.bag_run import read_instructions

        return [a.instruction for a in read_instructions(args.instructions or share('demo', 'instructions.yaml'))]
    from converseg_ros.dialogue import Dialogue

    found: list[Instruction] = []
    for text in args.ask:
        heard = Dialogue().hear(text)
        if not heard.instructions:
            raise ConversegError(heard.reason or heard.question or 'not understood', where=f'--ask {text!r}')
        found += heard.instructions
    return found
