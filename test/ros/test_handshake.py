"""Whether a node's answers reach us: asked until answered, and anew for one that comes later."""

from collections.abc import Iterator
import time
from types import SimpleNamespace
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from rclpy.executors import SingleThreadedExecutor

from converseg_ros.ros import handshake
from converseg_ros.ros.handshake import Handshake

pytestmark = pytest.mark.ros


class Deaf:
    """A client whose first answers are lost, as a server's are that has not found us yet."""

    def __init__(self, lost: int) -> None:
        self.lost, self.ready, self.asked, self.pending = lost, True, 0, set[int]()

    def service_is_ready(self) -> bool:
        return self.ready

    def call_async(self, _: Any) -> Any:
        self.asked += 1
        number = self.asked
        self.pending.add(number)
        return SimpleNamespace(number=number, done=lambda: number > self.lost)

    def remove_pending_request(self, future: Any) -> None:
        self.pending.remove(future.number)


def test_an_answer_that_was_lost_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, 'PERIOD', 0.0)
    client = Deaf(lost=3)
    asked = Handshake(SimpleNamespace(create_client=lambda *_: client), '/robot/segmenter')  # type: ignore[arg-type]
    tries = 0
    while not asked.done():
        tries += 1
        assert tries < 10
    assert client.asked == 4
    assert not client.pending, 'questions that nobody answers any more are let go'
    assert asked.done() and client.asked == 4, 'an answered question is not asked again'
    client.ready = False
    assert not asked.done(), 'a node that left is not believed to hear'
    client.ready = True
    while not asked.done():
        pass
    assert client.asked > 4, 'its successor is asked for itself'


@pytest.fixture
def executor() -> Iterator[SingleThreadedExecutor]:
    context = rclpy.Context()
    rclpy.init(context=context)
    made = SingleThreadedExecutor(context=context)
    yield made
    made.shutdown()
    rclpy.shutdown(context=context)


def test_any_node_answers_by_its_parameters(executor: SingleThreadedExecutor) -> None:
    ours = rclpy.create_node('ours', context=executor.context)
    theirs = rclpy.create_node('theirs', context=executor.context, namespace='robot')
    executor.add_node(ours)
    asked = Handshake(ours, '/robot/theirs')
    end = time.monotonic() + 2 * handshake.PERIOD
    while time.monotonic() < end:
        assert not asked.done(), 'nothing spins the other node: it cannot have answered'
        executor.spin_once(timeout_sec=0.05)
    executor.add_node(theirs)
    end = time.monotonic() + 30
    while not asked.done():
        assert time.monotonic() < end
        executor.spin_once(timeout_sec=0.05)
    asked.close()
    ours.destroy_node()
    theirs.destroy_node()
