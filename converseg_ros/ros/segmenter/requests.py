"""`~/segment` and `~/segment_task`: one image on request, processed in the network thread."""

from collections.abc import Callable, Sequence
from threading import Event
import time
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.task import Future

from converseg_ros.action import SegmentTask
from converseg_ros.core import ConversegError, InputError, Instruction, Status
from converseg_ros.core.region import Region
from converseg_ros.core.stages import Checkpoint, Stage
from converseg_ros.core.stamps import to_ns
from converseg_ros.msg import RegionArray
from converseg_ros.perception.frames import Bundle
from converseg_ros.perception.instructions import InstructionBook
from converseg_ros.perception.segmenter import CancelledError
from converseg_ros.ros.messages import conversion
from converseg_ros.ros.segmenter.live import MAX_WAITING, LivePipeline
from converseg_ros.srv import Segment

# share of the work that is done when a stage starts; other stages have no feedback
PROGRESS = {
    Stage.WAITING: 0.0,
    Stage.IMAGE: 0.05,
    Stage.TEXT: 0.5,
    Stage.FACTS: 0.6,
    Stage.DECODE: 0.6,
    Stage.MASKS: 0.8,
    Stage.LIFT: 0.85,
}


class Requests:
    """The service and the action; `pipeline()` returns None while the node is not active."""

    def __init__(self, node: Node, pipeline: Callable[[], LivePipeline | None], limit: Callable[[], int]) -> None:
        """Create the service and the action."""
        self._node, self._pipeline, self._limit = node, pipeline, limit
        self._ids = InstructionBook(limit=255)
        self._waiting = 0
        self._goal: tuple[ServerGoalHandle, Event] | None = None
        group = ReentrantCallbackGroup()
        self._service = node.create_service(Segment, '~/segment', self._segment, callback_group=group)
        self._server = ActionServer(
            node,
            SegmentTask,
            '~/segment_task',
            self._execute,
            callback_group=group,
            goal_callback=self._may_start,
            handle_accepted_callback=self._accepted,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def stop(self) -> None:
        """Preempt the running goal."""
        if self._goal is not None:
            self._goal[1].set()

    def destroy(self) -> None:
        """Destroy the service and the action."""
        self.stop()
        self._node.destroy_service(self._service)
        self._server.destroy()

    # --- executor's thread --------------------------------------------------------------------------------------------

    def _start(self, request: Any, checkpoint: Checkpoint | None) -> 'Future':
        """Queue the work of a request; return the future of (success, message, RegionArray), or raise."""
        pipeline = self._pipeline()
        if pipeline is None:
            raise ConversegError('the node is not active', do='configure and activate it')
        if self._waiting >= MAX_WAITING:
            raise ConversegError(f'{self._waiting} requests are waiting already', do='ask again later')
        if not request.instructions:
            raise InputError('there is no instruction', where='request', do='give at least one')
        if len(request.instructions) > self._limit():
            what = f'{len(request.instructions)} instructions, the limit is {self._limit()}'
            raise InputError(what, where='request', do='ask for fewer at once or raise max_instructions')
        instructions = [self._ids.give_id(conversion.to_instruction(m), 'r') for m in request.instructions]
        own = bool(request.image.width or request.image.height or len(request.image.data))
        bundle = _request_bundle(request) if own else pipeline.latest
        if bundle is None:
            raise ConversegError('no image has arrived yet', do='start the camera or send an image')
        future: Future = Future()
        self._waiting += 1
        pipeline.submit(lambda: self._work(pipeline, bundle, instructions, checkpoint, future, own))
        return future

    async def _segment(self, request: Any, response: Any) -> Any:
        try:
            response.success, response.message, response.regions = await self._start(request, None)
        except ConversegError as error:
            response.success, response.message = False, str(error)
        return response

    def _may_start(self, goal: Any) -> GoalResponse:
        if self._pipeline() is None:
            self._node.get_logger().warning('segment_task refused: the node is not active')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _accepted(self, handle: ServerGoalHandle) -> None:
        """Preempt the running goal by the newest one."""
        self.stop()
        self._goal = handle, Event()
        handle.execute()

    async def _execute(self, handle: ServerGoalHandle) -> Any:
        result = SegmentTask.Result()
        preempted = self._goal[1] if self._goal is not None and self._goal[0] is handle else Event()

        def checkpoint(stage: Stage) -> None:
            if preempted.is_set() or handle.is_cancel_requested:
                raise CancelledError(stage)
            if stage in PROGRESS:
                handle.publish_feedback(SegmentTask.Feedback(stage=stage.value, progress=PROGRESS[stage]))

        try:
            checkpoint(Stage.WAITING)
            result.success, result.message, result.regions = await self._start(handle.request, checkpoint)
        except CancelledError:
            pass
        except ConversegError as error:
            result.message = str(error)
        if handle.is_cancel_requested:
            result.success, result.message = False, 'cancelled'
            handle.canceled()
        elif preempted.is_set() and not result.success:
            result.message = 'preempted by a newer goal, a stop or a shutdown'
            handle.abort()
        elif result.success:
            handle.succeed()
        else:
            handle.abort()
        if self._goal is not None and self._goal[0] is handle:
            self._goal = None
        return result

    # --- network thread -----------------------------------------------------------------------------------------------

    def _work(
        self,
        pipeline: LivePipeline,
        bundle: Bundle,
        instructions: Sequence[Instruction],
        checkpoint: Checkpoint | None,
        future: 'Future',
        own: bool,
    ) -> None:
        answer: tuple[bool, str, RegionArray] = False, '', RegionArray()
        try:
            frame, regions = pipeline.answer(bundle, instructions, checkpoint, own=own)
            head = conversion.header(frame.stamp_ns, frame.frame_id)
            messages = [conversion.from_region(r) for r in regions]
            answer = _failures(regions) == '', _failures(regions), RegionArray(header=head, regions=messages)
        except CancelledError as stage:
            answer = False, f'ended before {stage}', RegionArray()
        except Exception as error:
            text = str(error) if isinstance(error, ConversegError) else f'{type(error).__name__}: {error}'
            answer = False, text, RegionArray()
        finally:
            self._waiting -= 1
            future.set_result(answer)
            if self._node.executor is not None:
                self._node.executor.wake()


def _failures(regions: Sequence[Region]) -> str:
    """Return why nothing could be answered, '' if something was."""
    bad = [r.prediction.reason for r in regions if r.status == Status.ERROR]
    return bad[0] if len(bad) == len(regions) else ''


def _request_bundle(request: Any) -> Bundle:
    """Return the image in the request as a bundle; an empty stamp means now."""
    if not request.image.header.stamp.sec and not request.image.header.stamp.nanosec:
        request.image.header.stamp = conversion.to_stamp(time.time_ns())
    depth = request.depth if request.depth.width else None
    info = request.camera_info if request.camera_info.width else None
    return Bundle(to_ns(request.image.header.stamp), request.image, depth, info)
