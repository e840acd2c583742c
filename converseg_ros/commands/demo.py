"""Replay an RGB-D bag through the segmenter node and leave pictures of what it understood.

    converseg demo                                      # the shipped bag and instructions
    converseg demo --bag PATH --ask "what could I drink from" --ask "where can I put down a plate"

Starts the node as its own process on topics of its own (/converseg_demo/...), this machine only, so that a running
robot is not disturbed. Leaves in --out: index.html, an overlay and a mask a instruction, PLY clouds, answers.json.
"""

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from converseg_ros.core import ConversegError, Instruction
from converseg_ros.core.paths import share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from converseg_ros.demo.recorder import Recorder
    from converseg_ros.ros.camera.replay import Bag

NAMESPACE = '/converseg_demo'
START_LIMIT = 90.0  # seconds for the node to load its network
ANSWER_LIMIT = 60.0  # seconds for the last answer after the bag's end


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
    environment()  # before anything imports rclpy
    from converseg_ros.ros.camera.replay import Bag

    asked = instructions(args)
    with Bag(args.bag or share('demo', 'bag')) as bag:
        recorder = play(args, bag, asked)
    from converseg_ros.demo.results import write_results

    answered = write_results(
        args.out, recorder, images(bag.path, set(recorder.regions)), asked, args.bag.name if args.bag else 'shipped'
    )
    page = args.out / 'index.html'
    print(f'\n{page} shows it all; {time.monotonic() - started:.0f} s in all', flush=True)
    return 0 if answered else 1


def environment() -> None:
    """Keep to this machine, and give Fast DDS shared memory that large images fit into (docs/segmenter_node.md)."""
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    for name in ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'):  # Jazzy, Kilted
        os.environ.setdefault(name, str(share('config', 'fastdds_local.xml')))


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


def node_command(args: argparse.Namespace, bag: 'Bag') -> list[str]:
    """Return the command that starts the segmenter on the demo's topics."""
    camera = bag.camera
    parameters = {
        'model': args.model,
        'device': args.device,
        'image_transport': 'compressed' if camera.image_compressed else 'raw',
        'depth_transport': 'compressedDepth' if camera.depth_compressed else 'raw',
        'depth': 'auto' if camera.depth else 'off',
        'instruction_ttl': '0.0',
        'max_age': '5.0',
        'use_sim_time': 'true',
    }
    command = [sys.executable, '-m', 'converseg_ros.nodes.segmenter_node', '--ros-args', '-r', f'__ns:={NAMESPACE}']
    for topic in ('/tf', '/tf_static', '/clock'):
        command += ['-r', f'{topic}:={NAMESPACE}{topic}']
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    return command


def play(args: argparse.Namespace, bag: 'Bag', asked: Sequence[Instruction]) -> 'Recorder':
    """Start the node, replay the bag, and return what was recorded of its answers."""
    from tqdm import tqdm

    from converseg_ros.demo.recorder import Recorder
    from converseg_ros.ros.camera.replay import Replay

    log = tempfile.NamedTemporaryFile('w+', prefix='converseg_demo_', suffix='.log', delete=False)  # noqa: SIM115
    print(f'starting the segmenter with {args.model} (log: {log.name})', flush=True)
    process = subprocess.Popen(node_command(args, bag), stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    recorder = Recorder(NAMESPACE)
    try:
        replay = Replay(recorder.node, bag, names=_names(bag))
        recorder.start()
        _wait(lambda: recorder.ready() and replay.listened(), START_LIMIT, process, log.name, 'be ready')
        recorder.ask(asked, timeout=20.0)
        with tqdm(total=round(bag.seconds, 1), unit='s', desc='replaying', disable=None) as bar:
            replay.run(rate=args.rate, progress=lambda s: bar.update(max(0.0, round(s - bar.n, 2))))
        _wait(lambda: recorder.answers(len(asked)), ANSWER_LIMIT, process, log.name, 'answer')
        recorder.settle(1.0)
    finally:
        end(process)
        recorder.close()
        log.close()
    return recorder


def end(process: 'subprocess.Popen[bytes]') -> None:
    """End the node, also while the user interrupts again: nothing is left behind."""
    try:
        process.send_signal(signal.SIGINT)
        process.wait(5)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def images(path: Path, stamps: set[int]) -> dict[int, 'NDArray[np.uint8]']:
    """Return the bag's colour images with these stamps, as the node saw them."""
    from converseg_ros.evaluation.bags import Bag as FrameBag

    with FrameBag(path) as bag:
        skip = set(bag.stamps()) - stamps
        return {f.frame.stamp_ns: f.frame.rgb for f in bag.frames(skip=skip)}


def _names(bag: 'Bag') -> dict[str, str]:
    camera = bag.camera
    names = {camera.image: 'image', camera.depth: 'depth', camera.camera_info: 'camera_info'}
    return {topic: f'{NAMESPACE}/{name}' for topic, name in names.items() if topic} | {
        topic: f'{NAMESPACE}{topic}' for topic in ('/tf', '/tf_static', '/clock')
    }


def _wait(done: Any, limit: float, process: 'subprocess.Popen[bytes]', log: str, what: str) -> None:
    """Wait until `done()`; raise ConversegError with the end of the node's log if it dies or takes too long."""
    end = time.monotonic() + limit
    while not done():
        if process.poll() is not None or time.monotonic() > end:
            why = (
                f'ended with {process.returncode}' if process.poll() is not None else f'did not {what} in {limit:.0f} s'
            )
            tail = '\n'.join(Path(log).read_text(errors='replace').splitlines()[-12:])
            raise ConversegError(f'the segmenter {why}:\n{tail}', where='demo', do=f'see {log}')
        time.sleep(0.05)
