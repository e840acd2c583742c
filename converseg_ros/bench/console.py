"""Measure the console: frame rate of three pages while a fourth reads slowly, and the effect on the source.

converseg bench console --json console.json

A camera of 640x480 at 30 Hz and masks at 2 Hz are fed into the real state, server and websockets; pages are plain
websocket clients. The rate of the source with and without pages is compared in the same run. (From speech to the
overlay: `converseg bench operator`.)
"""

import argparse
from pathlib import Path
import threading
import time
from typing import Any

import numpy as np

from converseg_ros.core.files import write_json

MIN_FPS = 15.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('--json', type=Path, help='write the results here')
    parser.add_argument('--seconds', type=float, default=10, help='length of each measurement (default: %(default)s)')
    parser.add_argument('--pages', type=int, default=3, help='pages that read as fast as they can')


class Source(threading.Thread):
    """A camera at 30 Hz and a network at 2 Hz that feed the state like the callbacks of the console node."""

    def __init__(self, state: Any, tell: Any) -> None:
        super().__init__(daemon=True)
        rng = np.random.default_rng(0)
        self.state, self.tell = state, tell
        self.images = [rng.integers(0, 255, (480, 640, 3), np.uint8) // 4 + 60 for _ in range(8)]
        self.sent, self.ended = 0, threading.Event()

    def run(self) -> None:
        """Feed until stopped."""
        from converseg_ros.console.state import RegionView
        from converseg_ros.core import Role, Status

        masks = [np.zeros((480, 640), bool) for _ in range(2)]
        masks[0][100:300, 100:400] = masks[1][250:420, 300:600] = True
        views = [
            RegionView('r1', 1, 'the mug', 'the mug', Role.PLAIN, Status.OK, masks[0]),
            RegionView(
                'r2', 2, 'the stove', 'the stove', Role.SAFETY, Status.OK, masks[1], standing=True, name='stove'
            ),
        ]
        due = time.monotonic()
        while not self.ended.is_set():
            due += 1 / 30
            time.sleep(max(0.0, due - time.monotonic()))
            stamp = time.monotonic_ns()
            if self.sent % 15 == 0:
                self.state.set_regions(views, stamp)
            self.state.set_image(self.images[self.sent % 8], stamp)
            self.tell()
            self.sent += 1


def read_frames(address: str, seconds: float, pause: float, counts: list[int], n: int) -> None:
    """Count the frames of one page; a `pause` in seconds after each message makes it slow."""
    from websockets.sync.client import connect

    with connect(f'ws://{address}/ws', max_size=None, max_queue=2, close_timeout=0.2) as page:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = page.recv(10)
            counts[n] += isinstance(data, bytes) and data[:1] == b'F'
            time.sleep(pause)


def run(args: argparse.Namespace) -> int:
    """Measure, print and write; return 1 if a limit in docs/operator.md is exceeded."""
    from converseg_ros.console.app import Console
    from converseg_ros.console.state import ConsoleState
    from converseg_ros.web.server import Running

    state = ConsoleState()
    console = Console(state, lambda text: None, max_fps=20).start()
    source = Source(state, console.image_arrived)
    source.start()
    paces: dict[str, float] = {}
    with Running(console.app) as server:
        before = source.sent
        time.sleep(args.seconds)
        paces['without pages'] = (source.sent - before) / args.seconds
        counts = [0] * (args.pages + 1)
        pages = [
            threading.Thread(
                target=read_frames, args=(server.address, args.seconds, 1.0 if n == args.pages else 0.0, counts, n)
            )
            for n in range(args.pages + 1)
        ]
        before, cpu = source.sent, time.process_time()
        for page in pages:
            page.start()
        for page in pages:
            page.join()
        paces['with pages'] = (source.sent - before) / args.seconds
        cpu = time.process_time() - cpu
    source.ended.set()
    console.stop()
    fps = [c / args.seconds for c in counts]
    result: dict[str, Any] = {
        'fps': fps[: args.pages],
        'fps_slow_page': fps[args.pages],
        'source_hz': paces,
        'source_pace_kept': paces['with pages'] / paces['without pages'],
        'cpu_share': cpu / args.seconds,
        'command': args.command_line,
    }
    print(f'pages: {", ".join(f"{f:.1f}" for f in fps[: args.pages])} frames/s (at least {MIN_FPS})')
    print(f'slow page: {fps[-1]:.1f} frames/s; the source keeps {result["source_pace_kept"]:.2f} of its pace')
    if args.json:
        write_json(args.json, result)
    return int(min(fps[: args.pages]) < MIN_FPS or result['source_pace_kept'] < 0.9)
