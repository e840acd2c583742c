"""The client takes only the answer to its own words, whatever else is acknowledged meanwhile."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

from builtin_interfaces.msg import Time
from converseg_ros.msg import Instruction, InstructionAck, Region, RegionArray
import pytest
from rclpy.node import Node
from ros_rig import Rig, reliable
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from converseg_ros.client import ConversegClient
from converseg_ros.core.instruction import MAX_TEXT

pytestmark = pytest.mark.ros


class Segmenter:
    """A node that acknowledges what it is told to, in order, for each text on `instruction`."""

    def __init__(self, rig: Rig) -> None:
        self.node = rig.add(Node, 'segmenter')
        self.acks: list[str] = []
        self._publisher = self.node.create_publisher(InstructionAck, '~/instruction_ack', reliable(50))
        self.node.create_subscription(String, 'instruction', self._hear, reliable(10))

    def _hear(self, message: Any) -> None:
        for number, text in enumerate(self.acks):
            shown = text.replace('OWN', message.data)[:MAX_TEXT]
            made = [Instruction(id=f'{number}')]
            self._publisher.publish(InstructionAck(text=shown, accepted=True, instructions=made))


@pytest.fixture
def talk(rig: Rig) -> Iterator[tuple[Segmenter, ConversegClient, Any]]:
    segmenter = Segmenter(rig)
    client = ConversegClient(timeout=20.0)

    def say(text: str, **more: Any) -> InstructionAck | Exception:
        got: list[InstructionAck | Exception] = []

        def ask() -> None:
            try:
                got.append(client.say(text, **more))
            except Exception as error:
                got.append(error)

        thread = Thread(target=ask)
        thread.start()
        rig.until(lambda: not thread.is_alive())
        return got[0]

    yield segmenter, client, say
    client.close()
    rig.remove(segmenter.node)


@pytest.mark.parametrize('others', [['the mug'], [''], ['', 'the', 'the mug ', 'the mug on the table']])
def test_an_acknowledgement_of_other_words_is_not_taken(talk: Any, others: list[str]) -> None:
    segmenter, _, say = talk
    segmenter.acks = [*others, 'OWN', *others]
    ack = say('the mug on the shelf')
    assert ack.text == 'the mug on the shelf' and ack.instructions[0].id == str(len(others))
    segmenter.acks = others
    assert 'did not acknowledge' in str(say('the mug on the shelf', timeout=1.0))


def test_a_long_text_is_known_by_what_is_shown_of_it(talk: Any) -> None:
    segmenter, _, say = talk
    segmenter.acks = ['OWN']
    assert say('x' * (MAX_TEXT + 9)).text == 'x' * MAX_TEXT


def test_regions_that_nobody_renews_become_stale(talk: Any, rig: Rig) -> None:
    segmenter, client, _ = talk
    publisher = segmenter.node.create_publisher(RegionArray, '~/regions', reliable(5))
    region = Region(id='r1', status=Region.STATUS_OK)
    region.header.stamp.sec, region.valid_until.sec = 100, 101

    def renew() -> None:
        publisher.publish(RegionArray(regions=[region]))

    rig.until(lambda: [r.status for r in client.regions()] == [Region.STATUS_OK], each=renew)
    rig.until(lambda: [r.status for r in client.regions()] == [Region.STATUS_STALE])  # as if it had been killed
    assert 'nothing newer' in client.regions()[0].status_reason
    rig.until(lambda: [r.status for r in client.regions()] == [Region.STATUS_OK], each=renew)


def test_time_is_that_of_the_clock_topic_where_a_bag_is_replayed(rig: Rig) -> None:
    publisher = rig.node.create_publisher(Clock, '/clock', reliable(5))
    with ConversegClient(sim_time=True) as client:
        rig.until(lambda: client.now_ns == 1234 * 10**9, each=lambda: publisher.publish(Clock(clock=Time(sec=1234))))
    rig.node.destroy_publisher(publisher)
