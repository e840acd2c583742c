"""A segmenter for agents, and work that runs while the camera sends images."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

from converseg_ros.srv import SetInstructions
import pytest
from ros_rig import Camera, Process, Rig

ALL = ['OK', 'NO_TARGET', 'LOW_CONFIDENCE', 'ERROR', 'STALE']
STOVE = {'stove': {'text': 'the hot stove', 'role': 'safety'}}


def start(rig: Rig, log: Path) -> Process:
    parameters = {
        'model': 'micro', 'threads': 1, 'instruction_ttl': 0.0, 'max_age': 60.0,
        'world_frame': "''", 'level_frame': "''",
    }  # fmt: skip
    arguments = [a for k, v in parameters.items() for a in ('-p', f'{k}:={v}')]
    process = Process(log, *arguments)
    rig.until(lambda: 'active;' in log.read_text() or not process.lives, 300)
    return process


@pytest.fixture(scope='module')
def agents_node(rig: Rig, camera: Camera, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = start(rig, tmp_path_factory.mktemp('node') / 'log.txt')
    yield process
    process.process.kill()
    process.process.wait(20)


@pytest.fixture
def nothing_stands(rig: Rig, agents_node: Process) -> None:
    if agents_node.lives:
        rig.call(SetInstructions, '/segmenter/set_instructions', SetInstructions.Request(confirm=True))


def meanwhile(rig: Rig, camera: Camera, work: Callable[[], Any], seconds: float = 240) -> Any:
    """Return what `work` returns in a thread of its own, while the camera goes on."""
    out: list[Any] = []

    def run() -> None:
        try:
            out.append(work())
        except BaseException as error:
            out.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    rig.until(lambda: not thread.is_alive(), seconds, camera.send)
    if isinstance(out[0], BaseException):
        raise out[0]
    return out[0]
