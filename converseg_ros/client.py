"""A client of a running segmenter node for any Python program.

    from converseg_ros.client import ConversegClient

    with ConversegClient() as robot:
        for region in robot.ask('where can I put down a plate?'):          # segments the newest image once
            print(region.status, region.centroid, region.placements)
        robot.set_standing({'stove': ('safety', 'the hot stove')})          # answered on every image
        latest = robot.regions()                                            # the newest regions
        answer = robot.wait(lambda regions: any(r.area for r in regions))   # blocks until the condition is true
        print(robot.safe)                                                   # the value of ~/safety_ok

The client spins its own node in a separate thread. Use it from one thread; the program does not need any ROS code.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
import time
from types import TracebackType
from typing import Any, Self

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, String

from converseg_ros.core import ConversegError, InputError, Role
from converseg_ros.core.instruction import MAX_TEXT
from converseg_ros.msg import Instruction, InstructionAck, Region, RegionArray
from converseg_ros.ros.camera.qos import LATCHED, reliable
from converseg_ros.ros.handshake import Handshake
from converseg_ros.ros.received import Received
from converseg_ros.srv import Reset, Segment, SetInstructions


class ConversegClient:
    """A client of one segmenter node; use it as a context manager, or call `close`."""

    def __init__(
        self,
        node_name: str = 'segmenter',
        namespace: str = '',
        *,
        timeout: float = 10.0,
        silence: float = 1.0,
        sim_time: bool = False,
    ) -> None:
        """Create a node and its clients.

        Args:
            node_name: name of the segmenter node.
            namespace: namespace of the segmenter node.
            timeout: maximum time of each method, in seconds.
            silence: age in seconds from which the last value of ~/safety_ok is stale; use several periods of the
                segmenter's `safety_rate`.
            sim_time: `now_ns` follows /clock, as in the segmenter when a bag is replayed.
        """
        self.timeout, self.silence = timeout, silence
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = Node(
            'converseg_client',
            context=self.context,
            namespace=namespace,
            use_global_arguments=False,
            parameter_overrides=[Parameter('use_sim_time', value=sim_time)],
        )
        self.target = f'{self.node.get_namespace().rstrip("/")}/{node_name}'
        self._received = Received()
        self._asked: set[str] = set()  # ids of the instructions of the last accepted text
        name = self.target
        self._subscriptions = [
            self.node.create_subscription(RegionArray, f'{name}/regions', self._received.take_regions, reliable(5)),
            self.node.create_subscription(
                InstructionAck, f'{name}/instruction_ack', self._received.take_ack, reliable(10)
            ),
            self.node.create_subscription(Bool, f'{name}/safety_ok', self._received.take_safe, LATCHED),
        ]
        self._instruction = self.node.create_publisher(String, 'instruction', reliable(10))
        self._segment = self.node.create_client(Segment, f'{name}/segment')
        self._set = self.node.create_client(SetInstructions, f'{name}/set_instructions')
        self._reset = self.node.create_client(Reset, f'{name}/reset')
        self._heard_by = Handshake(self.node, name)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = Thread(target=self._spin, name='converseg_client', daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()

    def _until(self, done: Callable[[], bool], timeout: float | None) -> bool:
        return self._received.until(done, self.timeout if timeout is None else timeout)

    def _joined(self, ready: Callable[[], object], deadline: float) -> bool:
        """Wait until the segmenter is connected and `ready`; return False on timeout."""
        while not (self._heard_by.done() and ready()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _call(self, client: Any, request: Any, timeout: float | None) -> Any:
        limit = self.timeout if timeout is None else timeout
        end = time.monotonic() + limit
        if not self._joined(client.service_is_ready, end):
            raise ConversegError(
                'no segmenter answers', where=client.srv_name, do='start one, and compare ROS_DOMAIN_ID and namespace'
            )
        future = client.call_async(request)
        future.add_done_callback(lambda _: self._received.notify())
        if not self._until(future.done, max(end - time.monotonic(), 0.1)):
            client.remove_pending_request(future)
            raise ConversegError(f'no answer within {limit:.0f} s', where=client.srv_name, do='use a longer timeout')
        return future.result()

    # --- the verbs ----------------------------------------------------------------------------------------------------

    def ask(self, text: str, role: str = 'plain', *, timeout: float | None = None) -> list[Region]:
        """Return the regions that answer one question about the newest image.

        Args:
            text: the question.
            role: 'plain', 'affordance' or 'safety', or a Role.
            timeout: seconds; by default that of the client.

        Raises:
            ConversegError: the segmenter did not answer, or refused the question.
        """
        request = Segment.Request(instructions=[_message(text, role)])
        response = self._call(self._segment, request, timeout)
        if not response.success:
            raise ConversegError(response.message, where=self.target)
        return list(response.regions.regions)

    def say(self, text: str, *, timeout: float | None = None) -> InstructionAck:
        """Send a text as an operator does; return its acknowledgement. The answers are in `regions()`."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        topic = f'{self.target}/instruction_ack'
        listens, answers = self._instruction.get_subscription_count, self.node.count_publishers
        if not self._joined(lambda: listens() and answers(topic), deadline):
            raise ConversegError('no node subscribes to instructions', where=self.target, do='start the segmenter')
        shown = text[:MAX_TEXT]  # an acknowledgement contains only this part of a text
        with self._received.changed:
            self._received.acks.clear()
            self._instruction.publish(String(data=text))
            ack = self._received.ack(shown, max(deadline - time.monotonic(), 0.1))
        if ack is None:
            raise ConversegError('the segmenter did not acknowledge the text', where=self.target, do='is it active?')
        made = {i.id for i in ack.instructions}
        if ack.accepted and (made or not ack.question):  # a question alone changes nothing
            self._asked = made
        return ack

    def set_standing(
        self,
        wanted: Mapping[str, str | tuple[str, str] | Instruction],
        *,
        confirm: bool = False,
        timeout: float | None = None,
    ) -> list[Instruction]:
        """Replace the standing instructions by {name: text, (role, text) or a message}; return those in force.

        `confirm` must be true to remove or change a safety instruction.
        """
        made = []
        for name, what in wanted.items():
            if not isinstance(what, Instruction):
                role, text = ('plain', what) if isinstance(what, str) else what
                what = _message(text, role)
            what.name, what.standing = name, True
            made.append(what)
        response = self._call(self._set, SetInstructions.Request(instructions=made, confirm=confirm), timeout)
        if not response.success:
            raise ConversegError(response.message, where=self.target)
        return list(response.instructions)

    def standing(self, *, timeout: float | None = None) -> list[Instruction]:
        """Return the standing instructions in force, from any source, without changing them.

        The service returns them with every response, also when it refuses; it refuses an instruction without a text.
        """
        response = self._call(self._set, SetInstructions.Request(instructions=[Instruction()]), timeout)
        return list(response.instructions)

    def overlay(self, *, timeout: float | None = None) -> Image:
        """Return the next image of ~/overlay, the camera image with masks; raise ConversegError on timeout.

        The segmenter draws it only while it has a subscriber and an instruction.
        """
        came: list[Image] = []

        def take(message: Image) -> None:
            came.append(message)
            self._received.notify()

        subscription = self.node.create_subscription(Image, f'{self.target}/overlay', take, reliable(1))
        try:
            if not self._until(lambda: bool(came), timeout):
                raise ConversegError(
                    'no overlay arrived',
                    where=f'{self.target}/overlay',
                    do='check that there is an instruction and that the camera is running',
                )
        finally:
            # in the thread that spins the node
            self._executor.create_task(self.node.destroy_subscription, subscription)
        return came[-1]

    def regions(self) -> list[Region]:
        """Return the newest regions immediately; [] if nothing has arrived yet.

        If no newer ones arrive until the end of their validity (`valid_until`) plus `silence` seconds, their status is
        STALE, because a segmenter that was killed cannot publish this.
        """
        return self._received.regions(self.silence)

    def caught_up(self, *, timeout: float | None = None) -> bool:
        """Wait until `regions()` answers the last text; return False on timeout."""
        return self._until(lambda: self._asked <= {r.instruction.id for r in self.regions()}, timeout)

    def wait(
        self, until: Callable[[Sequence[Region]], bool] | None = None, *, timeout: float | None = None
    ) -> list[Region]:
        """Return the next regions for which `until` is true (without it the next ones).

        Raises ConversegError on timeout.
        """
        seen = self._received.count

        def found() -> bool:
            return self._received.count > seen and (until is None or until(self.regions()))

        if not self._until(found, timeout):
            raise ConversegError(
                'the condition was not reached', where=self.target, do='check that the camera is running'
            )
        return self.regions()

    def reset(self, *, standing: bool = False, confirm: bool = False, timeout: float | None = None) -> None:
        """Clear tracks, conversations and current instructions, and with `standing` also the standing instructions."""
        response = self._call(self._reset, Reset.Request(standing=standing, confirm=confirm), timeout)
        if not response.success:
            raise ConversegError(response.message, where=self.target)

    @property
    def now_ns(self) -> int:
        """Return the time in nanoseconds of the clock of the image stamps (see `sim_time`)."""
        return int(self.node.get_clock().now().nanoseconds)

    @property
    def present(self) -> bool:
        """Return whether a segmenter publishes regions; one that was killed counts as present for some seconds."""
        return self.node.count_publishers(f'{self.target}/regions') > 0

    @property
    def safe(self) -> bool:
        """Return the value of ~/safety_ok; False if there was none, it is stale, or its publisher is gone.

        The topic is latched, so the last value of a node that was killed remains, and the ROS graph keeps its publisher
        for many seconds: only the age of the value shows it.
        """
        return self._received.safe(self.silence) and self.node.count_publishers(f'{self.target}/safety_ok') > 0

    def close(self) -> None:
        """Leave the ROS graph."""
        if self.context.ok():
            self._executor.shutdown()
            self._thread.join(5.0)
            self.node.destroy_node()
            self.context.try_shutdown()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self.close()


def _message(text: str, role: str) -> Instruction:
    if role.upper() not in Role.__members__:
        raise InputError(f'role is {role!r}', where='client', do='use plain, affordance or safety')
    return Instruction(text=text, role=int(Role[role.upper()]))
