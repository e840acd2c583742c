"""Every node ends within two seconds of a signal in every state, with status 0, and leaves nothing behind."""

from collections.abc import Callable
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import psutil
import pytest
from ros_rig import ROOT

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytestmark = pytest.mark.ros

LIMIT = 2.0  # seconds that the issue of stopping promises
SPARE = 4.0  # seconds more for the interpreter's own end on a machine that does other things too
SEGMENTER = ('segmenter_node', '-p', 'model:=micro', '-p', 'threads:=1')
# state -> node, its arguments, and the words in its log at which it is in that state
STATES = {
    'segmenter, active': (*SEGMENTER, 'active;'),
    'segmenter, active without a clock': (*SEGMENTER, '-p', 'use_sim_time:=true', 'active;'),
    'segmenter, unconfigured': (*SEGMENTER, '-p', 'autostart:=false', 'spinning'),
    'segmenter, loading': ('segmenter_node', '-p', 'model:=compact', '-p', 'device:=cpu', 'made'),
    'segmenter, refused': (*SEGMENTER, '-p', 'model:=nosuch', 'not active'),
    'console': ('console_node', '-p', 'port:=0', 'spinning'),
    'learning': ('learning_node', 'spinning'),
    'speech without a microphone': ('speech_node', 'spinning'),
    'speech with a topic': ('speech_node', '-p', 'audio_source:=topic', 'spinning'),
    'speech without a clock': ('speech_node', '-p', 'use_sim_time:=true', 'spinning'),
}
# Says when the node is made and when it spins, which the node itself has no reason to log.
RUN = """
import sys
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
before, add = Node.__init__, SingleThreadedExecutor.add_node

def made(self, *args, **kwargs):
    before(self, *args, **kwargs)
    print('made', flush=True)

def adds(self, node):
    print('spinning', flush=True)
    return add(self, node)

Node.__init__, SingleThreadedExecutor.add_node = made, adds
from importlib import import_module
sys.exit(import_module(f'converseg_ros.nodes.{sys.argv.pop(1)}').main())
"""


def start(log: Path, node: str, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONUNBUFFERED': '1'}
    with log.open('w') as out:
        return subprocess.Popen(
            [sys.executable, '-c', RUN, node, '--ros-args', *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
            cwd=ROOT,
        )


def until(done: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize('state', STATES)
def test_a_node_ends_when_it_is_told_to(tmp_path: Path, state: str, number: signal.Signals) -> None:
    *arguments, words = STATES[state]
    log = tmp_path / 'log.txt'
    process = start(log, *arguments)
    try:
        until(lambda: words in log.read_text() or process.poll() is not None, 120, f'no {words!r} in the log')
        assert process.poll() is None, log.read_text()
        time.sleep(0.3)  # into the state: into the wait for messages, into the loading
        group = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        assert process.wait(LIMIT + SPARE) == 0, log.read_text()
        assert not [p for p in group if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        assert 'Traceback' not in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


STUCK = """
import subprocess, sys, time
from converseg_ros.ros import run_node

def make():
    import ctypes
    child = subprocess.Popen(['sleep', '600'], start_new_session=True)
    print(f'child {child.pid}', flush=True)
    ctypes.PyDLL(None).sleep(600)  # holds the interpreter's lock's owner: no bytecode of the main thread runs

sys.exit(run_node.run(make, lambda node: None))
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_a_node_that_hangs_in_foreign_code_is_ended_with_what_it_started(tmp_path: Path) -> None:
    # ctypes.CDLL gives the lock up while it sleeps, as torch does while it reads a file
    script = STUCK.replace('PyDLL', 'CDLL')
    process = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    child = int(process.stdout.readline().split()[1])
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT + SPARE) == 0
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE, 5, 'orphan')
