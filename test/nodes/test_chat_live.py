"""The terminal chat as a process in a terminal of its own, talking to a segmenter in another."""

from collections.abc import Iterator
import os
from pathlib import Path
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest
from ros_rig import ROOT, Camera, Process, Rig

pytest.importorskip('prompt_toolkit', reason="no prompt_toolkit (pip install 'converseg_ros[console]')")
pytestmark = pytest.mark.ros
STATUS = r'fou?n|no?t sure|no?t here'  # a terminal is sent only the letters that change


class Terminal:
    """A program at the other end of a pseudo-terminal; `text` is what it has shown, without control sequences."""

    def __init__(self, *command: str, home: Path) -> None:
        master, slave = pty.openpty()
        env = {**os.environ, 'HOME': str(home), 'TERM': 'xterm', 'COLUMNS': '160'}
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'converseg_ros', *command],
            stdin=slave, stdout=slave, stderr=slave, env=env, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.master, self.raw = master, ''

    @property
    def text(self) -> str:
        return re.sub(r'\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\r', '', self.raw)

    def read(self, seconds: float = 0.05) -> None:
        if select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536).decode(errors='replace')
            except OSError:  # the program has ended
                return
            self.raw += data
            if '\x1b[6n' in data:  # it asks where the cursor is
                os.write(self.master, b'\x1b[1;1R')

    def type(self, keys: str) -> int:
        """Type keys; return where in `text` what comes now begins."""
        self.read()
        start = len(self.text)
        os.write(self.master, keys.encode())
        return start

    def ends(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        os.close(self.master)
        return code


@pytest.fixture(scope='module')
def segmenter(rig: Rig, camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    parameters = {'model': 'micro', 'threads': 1, 'instruction_ttl': 0.0, 'world_frame': "''", 'level_frame': "''"}
    arguments = [a for k, v in parameters.items() for a in ('-p', f'{k}:={v}')]
    process = Process(tmp_path_factory.mktemp('node') / 'log.txt', *arguments)
    rig.until(lambda: camera.image.get_subscription_count() or not process.lives, 300)
    yield process
    process.process.kill()  # its end is tested elsewhere
    process.process.wait(20)


def shows(rig: Rig, camera: Camera, terminal: Terminal, pattern: str, start: int = 0, seconds: float = 120) -> None:
    """Wait until the terminal shows a pattern after a position, while the camera goes on."""

    def seen() -> bool:
        terminal.read()
        assert terminal.process.poll() is None or re.search(pattern, terminal.text[start:]), terminal.text
        return re.search(pattern, terminal.text[start:]) is not None

    try:
        rig.until(seen, seconds, camera.send)
    except AssertionError:
        came = re.sub(r'\n+', '\n', terminal.text[start:])
        raise AssertionError(f'{pattern!r} never came: {came[:1500]!r}') from None


def test_a_person_chats_with_a_running_node(rig: Rig, camera: Camera, segmenter: Process, tmp_path: Path) -> None:
    terminal = Terminal('chat', '--timeout', '40', '--operator', 'ann', home=tmp_path)
    try:
        shows(rig, camera, terminal, r'NOT SAFE \| nothing is asked', seconds=200)
        start = terminal.type('show me the mug\r')
        shows(rig, camera, terminal, r'understood as: the mug  \[plain\]', start)
        shows(rig, camera, terminal, STATUS, start)  # the line below follows the node
        start = terminal.type('now its handle\r')
        shows(rig, camera, terminal, r'understood as: the handle of the mug', start)
        start = terminal.type('\x1b[A')  # arrow up: history
        shows(rig, camera, terminal, 'now its handle', start)
        start = terminal.type('\x15keep aw\t')  # the line is cleared, Tab completes
        shows(rig, camera, terminal, r'ay\s*from', start)
        start = terminal.type('the stove\r')
        shows(rig, camera, terminal, r'understood as: the stove  \[safety\]', start)
        start = terminal.type('forget the stove\r')
        shows(rig, camera, terminal, r'Shall I stop keeping away from the stove\? \(yes/no\)', start)
        question = terminal.text.index('(yes/no)', start)
        shows(rig, camera, terminal, r'\d\d:\d\d ?>', question)  # it listens again
        start = terminal.type('/safety\r')
        shows(rig, camera, terminal, 'stove: the stove', start)
        terminal.type('/quit\r')
        rig.until(lambda: terminal.read() or terminal.process.poll() is not None, 30)
        assert terminal.process.returncode == 0
        assert 'keep away from the stove' in (tmp_path / '.cache' / 'converseg' / 'chat_history').read_text()
    finally:
        if terminal.process.poll() is None:
            terminal.ends()


def test_lines_from_a_pipe_are_answered_in_turn(rig: Rig, camera: Camera, segmenter: Process) -> None:
    command = [sys.executable, '-m', 'converseg_ros', 'chat', '--timeout', '60']
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write('the plate\ndo not vacuum them up\n/quit\nnever said\n')
    process.stdin.close()
    end = time.monotonic() + 120
    rig.until(lambda: process.poll() is not None or time.monotonic() > end, 130, camera.send)
    text = process.stdout.read()
    assert process.returncode == 0, text
    assert 'understood as: the plate' in text
    assert 'not accepted: “do not vacuum them up” may be a prohibition' in text
    assert 'never said' not in text
