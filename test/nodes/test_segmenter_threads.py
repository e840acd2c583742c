"""Which thread does what: resets never meet a transition of the lifecycle half-way."""

from collections.abc import Iterator
from threading import Event, Thread, current_thread
import time

import pytest
from ros_rig import Camera, InProcess, Rig

pytestmark = pytest.mark.ros


@pytest.fixture
def node(rig: Rig, camera: Camera) -> Iterator[InProcess]:
    made = InProcess(rig, threads=1, world_frame='', level_frame='', standing=['stove: safety: the stove'])
    sync = made.node.camera
    assert made.active and sync is not None
    rig.until(lambda: sync.sync.counts['matched'], each=camera.send)
    yield made
    made.close()


def test_stamps_that_go_back_are_handled_in_the_executors_thread(
    rig: Rig, camera: Camera, node: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = node.node.live
    assert live is not None
    threads: list[Thread] = []
    reset = live.reset
    monkeypatch.setattr(live, 'reset', lambda reason: (threads.append(current_thread()), reset(reason))[1])
    back = [0]

    def jump() -> None:
        back[0] += 60_000_000_000
        camera.send(time.time_ns() - back[0])

    rig.until(lambda: len(threads) >= 2, each=jump)
    assert set(threads) == {node.thread}


def test_jumps_while_the_node_is_deactivated_and_activated_break_nothing(node: InProcess) -> None:
    stop, errors, done = Event(), [], Event()

    def jump() -> None:
        while not stop.is_set():
            try:
                node.node.reset_soon('the stamps went back')
            except Exception as error:
                errors.append(error)
            time.sleep(0.0005)

    def turn() -> None:
        try:
            for _ in range(5):
                node.node.deactivate()
                node.node.activate()
        except Exception as error:
            errors.append(error)
        done.set()

    hammers = [Thread(target=jump) for _ in range(3)]
    for thread in hammers:
        thread.start()
    node.executor.create_task(turn)
    assert done.wait(60)
    stop.set()
    for thread in hammers:
        thread.join()
    assert not errors and node.thread.is_alive()
    live = node.node.live
    assert live is not None and live.active and not live.counts['exceptions']
