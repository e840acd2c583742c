r"""The segmenter node: camera and instruction topics in, masks and 3D regions out (docs/segmenter_node.md).

ros2 run converseg_ros segmenter_node --ros-args -r image:=/camera/color/image_raw \
    -r depth:=/camera/aligned_depth_to_color/image_raw -r camera_info:=/camera/color/camera_info
"""

from collections import deque
from collections.abc import Sequence
import sys
from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.timer import Timer
from std_msgs.msg import String

from converseg_ros.core import ConversegError, Instruction
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.msg import InstructionAck
from converseg_ros.perception.instructions import InstructionBook, check_readable
from converseg_ros.ros import run_node, settings
from converseg_ros.ros.camera.inputs import SUBSCRIPTION, CameraInput
from converseg_ros.ros.camera.qos import reliable
from converseg_ros.ros.camera.subscription_thread import SubscriptionThread
from converseg_ros.ros.camera.transforms import TransformListener
from converseg_ros.ros.lifecycle import LoggedLifecycleNode
from converseg_ros.ros.messages import conversion
from converseg_ros.ros.segmenter.diagnostics import Diagnostics
from converseg_ros.ros.segmenter.instruction_handler import Answer, InstructionHandler
from converseg_ros.ros.segmenter.live import LivePipeline
from converseg_ros.ros.segmenter.loading import load_where_possible
from converseg_ros.ros.segmenter.publishers import Outputs
from converseg_ros.ros.segmenter.requests import Requests
from converseg_ros.ros.settings import Settings
from converseg_ros.srv import Reset, SetInstructions

MAX_JUMP = Duration(seconds=1)


class SegmenterNode(LoggedLifecycleNode):
    """Connects the live pipeline to topics, services, an action and parameters."""

    def __init__(self, **kwargs: Any) -> None:
        """Declare parameters and create everything that does not need the network."""
        super().__init__('segmenter', **kwargs)
        self.settings = settings.declare(self, read_once=self._read_once, apply=self._apply)
        self.book = InstructionBook(self.settings['max_instructions'], self.settings['instruction_ttl'])
        self._answered = self.create_guard_condition(lambda: self.instructions.collect())
        self._resets: deque[str] = deque()  # reasons of pending resets, to be done by the executor
        self._reset_wanted = self.create_guard_condition(self._do_resets)
        self.instructions = InstructionHandler(
            self.book, self.stop, self.reset, self.acknowledge, self._answered.trigger, self.get_logger().warning
        )
        self.instructions.configure(self.settings.conversation)
        self.live: LivePipeline | None = None
        self.camera: CameraInput | None = None
        self.outputs: Outputs | None = None
        self.subscription_thread: SubscriptionThread | None = None
        self.transforms: TransformListener | None = None
        self.requests: Requests | None = None
        self.diagnostics = Diagnostics(self)
        self._periodic: dict[str, Timer] = {}
        self.create_subscription(String, 'instruction', self.on_instruction, reliable(10))
        self.create_service(SetInstructions, '~/set_instructions', self.on_set_instructions)
        self.create_service(Reset, '~/reset', self.on_reset)
        self._periodic['diagnostics'] = self.create_timer(1 / self.settings['diagnostics_rate'], self.on_diagnostics)
        self._jump = self.get_clock().create_jump_callback(
            JumpThreshold(min_forward=MAX_JUMP, min_backward=Duration(nanoseconds=-1), on_clock_change=True),
            post_callback=lambda _: self.reset_soon('the clock jumped'),
        )

    # --- lifecycle ----------------------------------------------------------------------------------------------------

    def load(self, device: str) -> SegmentationNetwork:
        """Return the network on a device; raise ConversegError on failure."""
        from converseg_ros import network

        if self.settings['threads']:
            import torch

            torch.set_num_threads(self.settings['threads'])
        chosen = None if device == 'auto' else device
        loaded = network.load(self.settings['model'], device=chosen, **self.settings.network)
        for note in getattr(loaded, 'notes', ()):
            self.get_logger().warning(note)
        return loaded

    def configure(self) -> None:
        """Load the network, which takes seconds, and create publishers and services."""
        import cv2

        cv2.setNumThreads(1)  # for camera images OpenCV's helper threads spin longer than they work
        self.settings = settings.current(self)
        s = self.settings
        loaded = load_where_possible(self.load, s['device'], s['fallback_to_cpu'], self.get_logger().error)
        try:
            check_readable(loaded, self.book.standing or self.settings.standing)
        except ConversegError:
            loaded.close()
            raise
        self.subscription_thread = SubscriptionThread(self)
        self.transforms = TransformListener(self, self.subscription_thread)
        self.outputs = Outputs(self, self.transforms)
        self.live = LivePipeline(
            loaded,
            lambda: self.load('cpu'),
            self.book,
            self.outputs,
            self.transforms,
            self.settings,
            lambda: self.get_clock().now().nanoseconds,
            self.get_logger(),
        )
        self.live.observed = self.instructions.observe
        self.instructions.check = self.check_readable
        if not self.book.standing:
            self.book.set_standing(self.settings.standing)
        restored = self.instructions.restore(self.settings['conversation_file'])
        if restored:
            names = ', '.join(i.resolved for i in restored)
            self.get_logger().info(f'standing instructions restored from the conversation file: {names}')
        self.outputs.unsafe()
        self.outputs.clear()
        kind = 'calibrated' if loaded.calibrated else 'not calibrated: NO_TARGET is not reliable'
        self.get_logger().info(f'{loaded.name} on {loaded.device}, {kind}')

    def activate(self) -> None:
        """Subscribe to the camera and accept requests."""
        assert self.live is not None and self.subscription_thread is not None
        self.live.active = True
        self.camera = CameraInput(self, self.settings, self.live.take, self.reset_soon, self.subscription_thread)
        self.requests = Requests(self, self.working, lambda: int(self.settings['max_instructions']))
        self._periodic['follow'] = self.create_timer(1.0, self.on_follow)
        where = ', '.join(f'{k}: {v}' for k, v in self.camera.describe().items())
        self.get_logger().info(f'active; {where}')

    def deactivate(self) -> None:
        """Unsubscribe from the camera and publish that safety is not known."""
        follow = self._periodic.pop('follow', None)
        if follow is not None:
            self.destroy_timer(follow)
        if self.live is not None:
            self.live.active = False
        if self.requests is not None:
            self.requests.destroy()
            self.requests = None
        if self.camera is not None:
            self.camera.destroy()
            self.camera = None
        if self.live is not None:
            self.live.reset('deactivated')

    def cleanup(self) -> None:
        """Release the network."""
        if self.live is not None and not self.live.close():
            self.get_logger().error('the network did not end in time')
        self.live = None
        if self.outputs is not None:
            self.outputs.destroy()
        if self.transforms is not None:
            self.transforms.destroy()
        if self.subscription_thread is not None:
            self.subscription_thread.close()
        self.outputs, self.transforms, self.subscription_thread = None, None, None

    def working(self) -> LivePipeline | None:
        """Return the pipeline while the node is active."""
        return self.live if self.live is not None and self.live.active else None

    # --- parameters ---------------------------------------------------------------------------------------------------

    def _read_once(self) -> str:
        """Return why parameters that the configure transition reads cannot change now, or ''."""
        if self.state in ('inactive', 'active', 'activating'):
            return 'it is read when the node is configured: deactivate and clean it up first'
        return ''

    def _apply(self, values: dict[str, Any]) -> None:
        """Apply accepted changes."""
        before, self.settings = self.settings, Settings(values)
        changed = self.settings.changed(before)
        self.instructions.configure(self.settings.conversation)
        if 'diagnostics_rate' in changed:
            self._periodic['diagnostics'].timer_period_ns = int(1e9 / self.settings['diagnostics_rate'])
        if self.live is not None:
            self.live.apply(self.settings)
        else:
            self.book.limit, self.book.ttl = self.settings['max_instructions'], self.settings['instruction_ttl']
        if self.camera is not None and changed & (SUBSCRIPTION | {'sync_slop', 'sync_queue'}):
            self.camera.configure(self.settings, all_anew=bool(changed & SUBSCRIPTION))

    # --- callbacks ----------------------------------------------------------------------------------------------------

    def on_instruction(self, message: Any) -> None:
        """Handle the text of an operator."""
        self.instructions.hear(message.data, conversation=self.settings['dialogue'])

    def acknowledge(self, answer: Answer) -> None:
        """Publish the acknowledgement of a text."""
        ack = InstructionAck(text=answer.text, accepted=answer.accepted, reason=answer.reason, question=answer.question)
        ack.header.stamp = self.get_clock().now().to_msg()
        ack.instructions = [conversion.from_instruction(i) for i in answer.instructions]
        if self.outputs is not None:
            self.outputs.acknowledge(ack)

    def on_set_instructions(self, request: Any, response: Any) -> Any:
        """Replace the standing instructions, or respond with the reason why not."""
        try:
            wanted = [conversion.to_instruction(m) for m in request.instructions]
            self.check_readable(wanted)
            self.book.set_standing(wanted, confirm=request.confirm)
            self.instructions.save()
            response.success = True
        except ConversegError as error:
            response.message = str(error)
        response.instructions = [conversion.from_instruction(i) for i in self.book.standing]
        return response

    def check_readable(self, instructions: Sequence[Instruction]) -> None:
        """Raise InputError if the loaded network cannot read an instruction."""
        if self.live is not None:
            check_readable(self.live.segmenter.network, instructions)

    def on_reset(self, request: Any, response: Any) -> Any:
        """Clear conversations, tracks and current instructions; standing instructions only on request."""
        try:
            if request.standing:
                self.book.set_standing([], confirm=request.confirm)
            self.book.clear_current()
            self.instructions.forget()
            self.reset('a reset was asked for')
            response.success = True
        except ConversegError as error:
            response.message = str(error)
        return response

    def on_follow(self) -> None:
        """Adapt the subscriptions to the publishers."""
        if self.camera is not None:
            self.camera.follow()
            losing = self.camera.watch_losses()
            if losing:
                self.get_logger().warning(losing, throttle_duration_sec=30.0)

    def on_diagnostics(self) -> None:
        """Publish the diagnostics."""
        self.diagnostics.publish(self.state, self.trouble, self.camera, self.live)

    def stop(self, reason: str) -> None:
        """Cancel running requests, and log the reason."""
        if self.requests is not None:
            self.get_logger().debug(f'requests stopped: {reason}')
            self.requests.stop()

    def reset_soon(self, reason: str) -> None:
        """Let the executor reset the node; for other threads.

        A reset must not run during a lifecycle transition.
        """
        self._resets.append(reason)
        self._reset_wanted.trigger()

    def _do_resets(self) -> None:
        reasons = dict.fromkeys(self._resets.popleft() for _ in range(len(self._resets)))
        if reasons:
            self.reset('; '.join(reasons))

    def reset(self, reason: str) -> None:
        """Clear frames and tracks; called in the executor's thread."""
        self.get_logger().info(f'reset: {reason}', throttle_duration_sec=1.0)
        self.stop(reason)
        if self.camera is not None:
            self.camera.clear()
        if self.transforms is not None:
            self.transforms.clear()
        if self.live is not None:
            self.live.reset(reason)


def start() -> SegmenterNode:
    """Return the node, active if `autostart` is set; a node that fails to configure stays and logs the reason."""
    node = SegmenterNode()
    if node.settings['autostart'] and not node.autostart():
        node.get_logger().error('not active: remove the cause, then configure and activate (ros2 lifecycle set)')
    return node


def end(node: Any) -> None:
    """Deactivate and clean up."""
    node.deactivate()
    node.cleanup()


def main(args: list[str] | None = None) -> int:
    """Run the node; return the exit status."""
    return run_node.run(start, end, args)


if __name__ == '__main__':
    sys.exit(main())
