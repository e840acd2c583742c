"""A thread that receives the messages of a few high-rate subscriptions without the executor."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from threading import Condition, Thread, current_thread
import time
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

LONGEST_WAIT_NS = 1_000_000_000  # then shutdown of ROS and events are checked
LONGEST_CALL = 10.0  # seconds that a callback may take when its subscription ends


class _PastTheExecutor(CallbackGroup):
    """Hides subscriptions and their events from the executor, which would wake at each message."""

    def can_execute(self, entity: Any) -> bool:
        """Return whether the executor may wait for this entity."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Allow the execution."""
        return True

    def ending_execution(self, entity: Any) -> None:
        """Do nothing."""


def _handle(node: Node) -> Any:
    """Return the handle of the context of a node, which exists from rclpy.init."""
    handle = node.context.handle
    assert handle is not None, 'rclpy.init has made the context of each node'
    return handle


def _events(subscriptions: Sequence[Subscription]) -> list[Any]:
    """Return the events of subscriptions; the annotation in rclpy is wrong about the type."""
    handlers: list[Any] = [s.event_handlers for s in subscriptions]
    return [event for some in handlers for event in some]


class SubscriptionThread:
    """Calls the callbacks of its subscriptions, and of their events, in one separate thread.

    At each message rclpy's executor checks every entity of a node, about sixty in the segmenter. This costs more CPU
    time than receiving a 640x480 image, and a camera sends three messages per frame. The wait set of this class
    contains only the high-rate subscriptions. Their events (incompatible QoS) are checked once a second, because Fast
    DDS also wakes a wait set with events at each message. The calls are those of `rclpy.wait_for_message`.
    """

    def __init__(self, node: Node) -> None:
        """Start the thread."""
        self._node, self._group = node, _PastTheExecutor()
        self._state = Condition()
        self._waited_for: tuple[Subscription, ...] = ()
        self._subscriptions: list[Subscription] = []
        self._changed, self._closing = False, False
        context = _handle(node)
        with context:
            self._guard = _rclpy.GuardCondition(context)
        self._thread = Thread(target=self._run, name='subscription_thread', daemon=True)
        self._thread.start()

    def subscribe(
        self,
        kind: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile,
        *,
        raw: bool = False,
        events: SubscriptionEventCallbacks | None = None,
    ) -> Subscription:
        """Subscribe; `callback` and those of `events` are called in this thread. raw: serialized bytes."""
        subscription = self._node.create_subscription(
            kind, topic, callback, profile, callback_group=self._group, event_callbacks=events, raw=raw
        )
        self._change(lambda: self._subscriptions.append(subscription))
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; its callback does not run after this call, and its topic is free for another type."""
        if subscription not in self._subscriptions:
            return
        self._change(lambda: self._subscriptions.remove(subscription))
        if current_thread() is not self._thread:
            with self._state:  # a handle in a wait set is not destroyed
                self._state.wait_for(lambda: subscription not in self._waited_for, LONGEST_CALL)
        self._node.destroy_subscription(subscription)

    def _change(self, step: Callable[[], None]) -> None:
        with self._state:
            step()
            self._changed = True
        self._wake()

    def _wake(self) -> None:
        with suppress(_rclpy.InvalidHandle, _rclpy.RCLError):
            self._guard.trigger_guard_condition()

    def close(self, timeout: float = 10.0) -> None:
        """End the thread, then the remaining subscriptions."""
        self._closing = True
        self._wake()
        if current_thread() is not self._thread:
            self._thread.join(timeout)
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _run(self) -> None:
        while not self._closing and self._node.context.ok():
            with self._state:
                self._waited_for, self._changed = tuple(self._subscriptions), False
            try:
                with ExitStack() as held:  # keep the handles alive while waiting
                    held.enter_context(_handle(self._node))
                    held.enter_context(self._guard)
                    for subscription in self._waited_for:
                        held.enter_context(subscription.handle)
                    for event in _events(self._waited_for):
                        held.enter_context(event)
                    self._serve(self._waited_for)
            except (_rclpy.InvalidHandle, _rclpy.RCLError) as error:  # ROS is shutting down, or a handle was destroyed
                if self._node.context.ok() and not self._closing:
                    self._node.get_logger().error(f'taking messages failed: {error}', throttle_duration_sec=5.0)
                    time.sleep(0.01)
            with self._state:
                self._waited_for = ()
                self._state.notify_all()

    def _serve(self, subscriptions: Sequence[Subscription]) -> None:
        """Receive messages until the set of subscriptions changes."""
        context = self._node.context
        waiting = _rclpy.WaitSet(len(subscriptions), 1, 0, 0, 0, 0, context.handle)
        events_at = 0.0
        while not (self._changed or self._closing) and context.ok():
            if time.monotonic() >= events_at:
                self._serve_events(subscriptions)
                events_at = time.monotonic() + LONGEST_WAIT_NS * 1e-9
            waiting.clear_entities()
            waiting.add_guard_condition(self._guard)
            indices = [waiting.add_subscription(s.handle) for s in subscriptions]
            waiting.wait(LONGEST_WAIT_NS)
            for subscription, index in zip(subscriptions, indices):
                if waiting.is_ready('subscription', index) and not self._closing:
                    taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                    if taken is not None:
                        self._call(subscription.callback, taken[0])

    def _serve_events(self, subscriptions: Sequence[Subscription]) -> None:
        """Process pending events."""
        events = _events(subscriptions)
        if not events:  # rcl raises an error for an empty wait set
            return
        waiting = _rclpy.WaitSet(0, 0, 0, 0, 0, len(events), self._node.context.handle)
        waiting.clear_entities()
        for event in events:
            event.add_to_wait_set(waiting)
        waiting.wait(0)
        for event in events:
            if event.is_ready(waiting) and not self._closing:
                self._call(event.callback, event.take_data())

    def _call(self, callback: Callable[[Any], None], message: Any) -> None:
        """Call the callback; log its exceptions and continue."""
        try:
            callback(message)
        except Exception as error:
            self._node.get_logger().error(f'a callback failed: {type(error).__name__}: {error}')
