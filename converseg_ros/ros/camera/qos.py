"""Subscriptions that follow the quality of service of their publishers, independent of the start order."""

from collections.abc import Callable
from threading import RLock
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from converseg_ros.ros.camera.subscription_thread import SubscriptionThread

LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)


def reliable(depth: int) -> QoSProfile:
    """Return the profile of our topics, which is compatible with reliable and best-effort subscribers."""
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE)


class FollowingSubscription:
    """A subscription that is created again whenever the offered QoS of its publishers changes.

    BEST_AVAILABLE is resolved only when a subscription is created; this class resolves it at every change.
    """

    def __init__(
        self,
        node: Node,
        kind: type,
        topic: str,
        callback: Callable[[Any], None],
        *,
        reliability: str = 'auto',
        depth: int = 2,
        subscription_thread: SubscriptionThread | None = None,
    ) -> None:
        """Subscribe; reliability is 'auto', or a fixed 'reliable' or 'best_effort'.

        With a `subscription_thread` the callback receives serialized bytes, in the subscription thread.
        """
        self._node, self._kind, self._topic, self._callback = node, kind, topic, callback
        self._reliability, self._depth, self._subscription_thread = reliability, depth, subscription_thread
        self.name = str(node.resolve_topic_name(topic))  # after remapping
        self.remade = 0
        self._ended = False
        self._lock = RLock()  # a lifecycle transition may run in another thread than the executor's
        self._subscription: Subscription | None = None
        self._chosen: tuple[ReliabilityPolicy, DurabilityPolicy] | None = None
        self.refresh()

    @property
    def publishers(self) -> int:
        """Return the number of publishers with the expected type; others are incompatible."""
        return len(self._offers())

    @property
    def other_types(self) -> tuple[str, ...]:
        """Return the types of the topic's publishers if none of them has the expected type."""
        types = {e.topic_type for e in self._node.get_publishers_info_by_topic(self.name)}
        return () if self._type in types else tuple(sorted(types))

    @property
    def asks(self) -> str:
        """Return the requested QoS as text."""
        return '' if self._chosen is None else ', '.join(p.name.lower() for p in self._chosen)

    @property
    def _type(self) -> str:
        return f'{self._kind.__module__.split(".")[0]}/msg/{self._kind.__name__}'

    def _offers(self) -> list[QoSProfile]:
        """Return the offered QoS of the publishers with the expected type."""
        endpoints = self._node.get_publishers_info_by_topic(self.name)
        return [e.qos_profile for e in endpoints if e.topic_type == self._type]

    def _wanted(self) -> tuple[ReliabilityPolicy, DurabilityPolicy]:
        offers = self._offers()
        best_effort = any(o.reliability == ReliabilityPolicy.BEST_EFFORT for o in offers)
        latched = bool(offers) and all(o.durability == DurabilityPolicy.TRANSIENT_LOCAL for o in offers)
        reliability = ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE
        if not offers and self._chosen is not None:
            reliability = self._chosen[0]  # no publisher: keep the profile
        if self._reliability != 'auto':
            reliability = ReliabilityPolicy[self._reliability.upper()]
        return reliability, DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE

    def refresh(self) -> bool:
        """Create the subscription again if its publishers changed; return whether it was. Call it periodically."""
        with self._lock:
            return self._refresh()

    def _refresh(self) -> bool:
        wanted = self._wanted()
        if self._ended or wanted == self._chosen:
            return False
        if self._subscription is not None:
            self._end()
            self.remade += 1
            self._node.get_logger().info(f'{self.name}: subscribing again as {", ".join(p.name for p in wanted)}')
        self._chosen = wanted
        profile = QoSProfile(
            history=HistoryPolicy.KEEP_LAST, depth=self._depth, reliability=wanted[0], durability=wanted[1]
        )
        events = SubscriptionEventCallbacks(incompatible_qos=self._incompatible, use_default_callbacks=False)
        if self._subscription_thread is not None:
            self._subscription = self._subscription_thread.subscribe(
                self._kind, self._topic, self._callback, profile, raw=True, events=events
            )
            return True
        self._subscription = self._node.create_subscription(
            self._kind, self._topic, self._callback, profile, event_callbacks=events
        )
        return True

    def _end(self) -> None:
        if self._subscription is None:
            return
        if self._subscription_thread is not None:
            self._subscription_thread.unsubscribe(self._subscription)
        else:
            self._node.destroy_subscription(self._subscription)
        self._subscription = None

    def _incompatible(self, _: object) -> None:
        """Create the subscription again, but not inside its own event."""
        executor = self._node.executor
        if executor is not None:
            executor.create_task(self.refresh)

    def destroy(self) -> None:
        """End the subscription permanently."""
        with self._lock:
            self._ended = True
            self._end()
