"""The subscription thread takes messages past the executor, whatever comes, goes or fails."""

from collections.abc import Iterator
import threading
import time
from typing import Any

import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('converseg_ros.msg', reason='the interfaces are not built')

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from converseg_ros.ros.camera.qos import FollowingSubscription, reliable
from converseg_ros.ros.camera.subscription_thread import SubscriptionThread

pytestmark = pytest.mark.ros

BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@pytest.fixture
def node(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path))
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('taker', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def until(done: Any, each: Any = lambda: None, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, 'timed out'
        each()
        time.sleep(0.02)


def test_messages_arrive_without_an_executor_and_a_failing_callback_ends_nothing(node: Node) -> None:
    subscription_thread, got = SubscriptionThread(node), []

    def take(message: String) -> None:
        got.append(message.data)
        if message.data == 'bad':
            raise ValueError('on purpose')

    subscription_thread.subscribe(String, 'a', take, reliable(10))
    raw: list[bytes] = []
    second = subscription_thread.subscribe(String, 'b', raw.append, reliable(10), raw=True)
    publishers = [node.create_publisher(String, name, reliable(10)) for name in 'ab']
    until(lambda: all(p.get_subscription_count() for p in publishers))
    publishers[0].publish(String(data='bad'))
    until(lambda: got)
    publishers[0].publish(String(data='good'))
    publishers[1].publish(String(data='bytes'))
    until(lambda: got == ['bad', 'good'] and raw)
    assert deserialize_message(raw[0], String).data == 'bytes'
    subscription_thread.unsubscribe(second)
    until(lambda: not publishers[1].get_subscription_count())
    publishers[0].publish(String(data='still'))
    until(lambda: got[-1] == 'still')
    subscription_thread.close()
    until(lambda: not publishers[0].get_subscription_count())


def test_a_subscription_made_again_still_arrives(node: Node) -> None:
    """The quality of service is followed by destroying a subscription that the thread is waiting for."""
    subscription_thread, got = SubscriptionThread(node), []
    subscription = FollowingSubscription(node, String, 'c', got.append, subscription_thread=subscription_thread)
    for times, offered in enumerate((BEST_EFFORT, reliable(1), BEST_EFFORT), 1):
        publisher = node.create_publisher(String, 'c', offered)
        until(subscription.refresh)  # when the publisher is discovered, and the one before is gone
        assert subscription.remade == times
        got.clear()
        until(lambda: got, lambda p=publisher: p.publish(String(data='x')))
        node.destroy_publisher(publisher)
    subscription.destroy()
    subscription_thread.close()


def test_a_shutdown_of_ros_ends_the_thread(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path))
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('taker', context=context)
    subscription_thread = SubscriptionThread(node)
    subscription_thread.subscribe(String, 'd', lambda _: None, reliable(1))
    rclpy.shutdown(context=context)
    until(lambda: 'subscription_thread' not in {t.name for t in threading.enumerate()})
    subscription_thread.close()
    node.destroy_node()


def test_a_thread_without_subscriptions_waits_and_says_nothing(
    node: Node, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr('converseg_ros.ros.camera.subscription_thread.LONGEST_WAIT_NS', 20_000_000)
    subscription_thread, got = SubscriptionThread(node), []
    time.sleep(0.2)  # ten times nothing
    subscription = subscription_thread.subscribe(String, 'd', got.append, reliable(1))
    publisher = node.create_publisher(String, 'd', reliable(1))
    until(lambda: got, lambda: publisher.publish(String(data='x')))
    subscription_thread.unsubscribe(subscription)
    time.sleep(0.2)
    subscription_thread.close()
    out, err = capfd.readouterr()
    assert 'taking messages failed' not in out + err
