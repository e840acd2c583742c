"""Start a segmenter node on separate topics, replay a bag to it, and record its answers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from converseg_ros.core import ConversegError, Instruction
from converseg_ros.demo.recorder import Recorder
from converseg_ros.evaluation.bag.reader import Bag as FrameBag
from converseg_ros.lifting.alignment import NO_OFFSET, DepthOffset
from converseg_ros.ros.camera.replay import Bag, Replay

NAMESPACE = '/converseg_demo'
START_LIMIT = 90.0  # seconds for the node to load its network
ANSWER_LIMIT = 60.0  # seconds for the last answer after the end of the bag


def node_command(bag: Bag, model: str, device: str, offset: DepthOffset) -> list[str]:
    """Return the command that starts the segmenter on the demo's topics."""
    camera = bag.camera
    parameters = {
        'model': model,
        'device': device,
        'image_transport': 'compressed' if camera.image_compressed else 'raw',
        'depth_transport': 'compressedDepth' if camera.depth_compressed else 'raw',
        'depth': 'auto' if camera.depth else 'off',
        'instruction_ttl': '0.0',
        'max_age': '5.0',
        'use_sim_time': 'true',
        **{f'depth_offset.{f.name}': repr(getattr(offset, f.name)) for f in fields(offset)},
    }
    command = [sys.executable, '-m', 'converseg_ros.nodes.segmenter_node', '--ros-args', '-r', f'__ns:={NAMESPACE}']
    for topic in ('/tf', '/tf_static', '/clock'):
        command += ['-r', f'{topic}:={NAMESPACE}{topic}']
    for name, value in parameters.items():
        command += ['-p', f'{name}:={value}']
    return command


def play(
    bag: Bag, asked: Sequence[Instruction], *, model: str, device: str, rate: float, offset: DepthOffset = NO_OFFSET
) -> Recorder:
    """Start the node, replay the bag, and return the recorded answers. offset: the depth camera of the bag."""
    log = tempfile.NamedTemporaryFile('w+', prefix='converseg_demo_', suffix='.log', delete=False)  # noqa: SIM115
    print(f'starting the segmenter with {model} (log: {log.name})', flush=True)
    with ExitStack() as stack:
        stack.callback(log.close)
        with signals_wait():
            process = subprocess.Popen(
                node_command(bag, model, device, offset), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            stack.callback(end, process)
        recorder = Recorder(NAMESPACE)
        stack.callback(recorder.close)
        replay = Replay(recorder.node, bag, names=_names(bag))
        recorder.start()
        _wait(lambda: recorder.ready() and replay.listened(), START_LIMIT, process, log.name, 'be ready')
        recorder.ask(asked, timeout=20.0)
        with tqdm(total=round(bag.seconds, 1), unit='s', desc='replaying', disable=None) as bar:
            replay.run(rate=rate, progress=lambda s: bar.update(max(0.0, round(s - bar.n, 2))))
        _wait(lambda: recorder.answers(len(asked)), ANSWER_LIMIT, process, log.name, 'answer')
        recorder.settle(1.0)
    return recorder


@contextmanager
def signals_wait() -> Iterator[None]:
    """Put SIGINT and SIGTERM off to the end of the block, so that a process started in it is always known."""
    came: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for caught in came:
        signal.raise_signal(caught)


def end(process: 'subprocess.Popen[bytes]') -> None:
    """End the node, also if the user interrupts again."""
    try:
        process.send_signal(signal.SIGINT)
        process.wait(5)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def images(path: Path, stamps: set[int], topics: Mapping[str, str] | None = None) -> dict[int, NDArray[np.uint8]]:
    """Return the bag's colour images with these stamps, as the node saw them."""
    with FrameBag(path, topics) as bag:
        skip = set(bag.stamps()) - stamps
        return {f.stamp_ns: f.frame.rgb for f in bag.frames(skip=skip) if f.frame is not None}


def _names(bag: Bag) -> dict[str, str]:
    """Return what the bag's topics are called in the demo."""
    camera = bag.camera
    names = {topic: f'{NAMESPACE}/{role}' for role, topic in camera.names().items()}
    names |= {topic: f'{NAMESPACE}/{"tf_static" if static else "tf"}' for topic, static in camera.tf}
    return names | {'/clock': f'{NAMESPACE}/clock'}


def _wait(done: Any, limit: float, process: 'subprocess.Popen[bytes]', log: str, what: str) -> None:
    """Wait until `done()`; raise ConversegError with the end of the node's log if it dies or times out."""
    end = time.monotonic() + limit
    while not done():
        if process.poll() is not None or time.monotonic() > end:
            why = (
                f'ended with {process.returncode}' if process.poll() is not None else f'did not {what} in {limit:.0f} s'
            )
            tail = '\n'.join(Path(log).read_text(errors='replace').splitlines()[-12:])
            raise ConversegError(f'the segmenter {why}:\n{tail}', where='demo', do=f'see {log}')
        time.sleep(0.05)
