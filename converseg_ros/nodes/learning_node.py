"""The learning node: generates data, trains and evaluates; one job at a time, each in a separate process."""

from collections.abc import Callable
import math
from pathlib import Path
import sys
import threading
import time
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future

from converseg_ros.action import Evaluate, Generate, Train
from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.jobs import Job
from converseg_ros.core.progress import Progress
from converseg_ros.core.stages import JobStage
from converseg_ros.nodes.operator_parameters import LEARNING
from converseg_ros.ros import run_node
from converseg_ros.ros.camera.sampling import FrameSampler
from converseg_ros.ros.overrides import SameValue
from converseg_ros.ros.parameters import check_values, declare

KINDS = ('items', 'dataset', 'bag', 'hub')  # of `converseg eval`


class LearningNode(SameValue, Node):
    """Three actions that run commands of this package; the node only starts, monitors and ends processes."""

    def __init__(self, **kwargs: Any) -> None:
        """Declare parameters and offer the actions."""
        super().__init__('learning', **kwargs)
        values = declare(self, LEARNING)
        check_values(LEARNING, values)
        self._period, self._change = values['sample_period'], values['sample_change']
        self._frames = values['sample_frames']
        self._compressed = values['image_transport'] == 'compressed'
        self._lock = threading.Lock()
        self._busy = ''
        self._job: Job | None = None
        self._sampler: FrameSampler | None = None
        self._servers = [
            self._serve(Generate, '~/generate', self._generate),
            self._serve(Train, '~/train', self._train),
            self._serve(Evaluate, '~/evaluate', self._evaluate),
        ]
        self.get_logger().info('ready: ~/generate, ~/train, ~/evaluate')

    def _serve(self, kind: Any, name: str, work: Callable[[ServerGoalHandle], Any]) -> ActionServer:
        async def execute(handle: ServerGoalHandle) -> Any:
            try:
                return await work(handle)
            except ConversegError as error:
                return self._end(handle, kind.Result(success=False, message=str(error)), failed=True)
            finally:
                self._job, self._sampler = None, None
                self._busy = ''

        def accept(_: Any) -> GoalResponse:
            with self._lock:
                if self._busy:
                    self.get_logger().warning(f'{name} refused: {self._busy} is running')
                    return GoalResponse.REJECT
                self._busy = name
            return GoalResponse.ACCEPT

        return ActionServer(
            self, kind, name, execute, goal_callback=accept, cancel_callback=lambda handle: self._cancel()
        )

    def _cancel(self) -> CancelResponse:
        if self._sampler is not None:
            self._sampler.stop('cancelled')
        if self._job is not None:
            self._job.cancel()
        return CancelResponse.ACCEPT

    async def _run(self, arguments: list[str], on_progress: Callable[[Progress], None]) -> tuple[int, Job]:
        """Run a job in a process that a thread monitors; return its exit status and the job."""
        self.get_logger().info(f'converseg {" ".join(arguments)}')
        job = self._job = Job(arguments, on_progress)
        ended: Future = Future(executor=self.executor)

        def watch() -> None:
            ended.set_result(job.wait())
            self._wake()

        threading.Thread(target=watch, name='job', daemon=True).start()
        return int(await ended), job

    def _wake(self) -> None:
        """Wake the executor to check waiting coroutines, which a completed future does not do."""
        if self.executor is not None:
            self.executor.wake()

    @staticmethod
    def _end(handle: ServerGoalHandle, result: Any, *, failed: bool = False, cancelled: bool = False) -> Any:
        if handle.is_cancel_requested and (cancelled or failed):
            handle.canceled()
        elif failed:
            handle.abort()
        else:
            handle.succeed()
        return result

    async def _generate(self, handle: ServerGoalHandle) -> Generate.Result:
        goal = handle.request
        if not goal.output:
            raise InputError('there is no output folder', where='goal', do='say where the data set shall go')
        output = Path(goal.output)
        source = Path(goal.source)
        if goal.source == 'live':
            source = output / 'frames'
            await self._sample(handle, source, goal.max_frames or self._frames)
        arguments = ['engine', 'run', '--source', str(source), '--out', str(output), '--json']
        if goal.config:
            arguments += ['--config', goal.config]
        if goal.max_frames and goal.source != 'live':
            arguments += ['--max-images', str(goal.max_frames)]
        if goal.agree_remote:
            arguments.append('--agree-remote')

        def tell(progress: Progress) -> None:
            feedback = Generate.Feedback(stage=progress.stage or '', message=progress.message)
            feedback.done, feedback.total = progress.done, progress.total
            handle.publish_feedback(feedback)

        code, job = await self._run(arguments, tell)
        result = Generate.Result(success=code == 0, output=str(output), items=int(job.result.get('items', 0)))
        result.message = 'cancelled; the same goal resumes the work' if job.cancelled else '' if code == 0 else job.last
        return self._end(handle, result, failed=code != 0, cancelled=job.cancelled)

    async def _sample(self, handle: ServerGoalHandle, folder: Path, count: int) -> None:
        """Sample frames from the camera until there are enough; raise ConversegError on failure."""
        done: Future = Future(executor=self.executor)

        def tell(taken: int) -> None:
            handle.publish_feedback(Generate.Feedback(stage=JobStage.FRAMES, done=taken, total=count))

        def finished(trouble: str) -> None:
            done.set_result(trouble)
            self._wake()

        self._sampler = FrameSampler(
            self,
            folder,
            count,
            period=self._period,
            change=self._change,
            compressed=self._compressed,
            on_frame=tell,
            on_done=finished,
        )
        trouble = await done
        self._sampler = None
        if trouble:
            raise ConversegError(trouble, where='sampling', do='send the same goal again; the sampled frames are kept')

    async def _train(self, handle: ServerGoalHandle) -> Train.Result:
        goal = handle.request
        arguments = ['train', goal.config, '--json']
        overrides = [*([f'out={goal.output}'] if goal.output else []), *goal.overrides]
        for pair in overrides:
            arguments += ['--set', pair]
        giou = [math.nan]

        def tell(progress: Progress) -> None:
            giou[0] = progress.values.get('giou', giou[0])
            feedback = Train.Feedback(
                message=progress.message, loss=progress.values.get('loss', math.nan), giou=giou[0]
            )
            feedback.step, feedback.total = progress.done, progress.total
            handle.publish_feedback(feedback)

        code, job = await self._run(arguments, tell)
        result = Train.Result(success=code == 0, giou=giou[0])
        result.model = str(job.result.get('model', ''))
        result.message = 'cancelled; the same goal resumes the work' if job.cancelled else '' if code == 0 else job.last
        return self._end(handle, result, failed=code != 0, cancelled=job.cancelled)

    async def _evaluate(self, handle: ServerGoalHandle) -> Evaluate.Result:
        goal = handle.request
        if goal.kind not in KINDS or not goal.output:
            raise InputError(
                f'kind {goal.kind!r}, output {goal.output!r}', where='goal', do=f'kind is one of {", ".join(KINDS)}'
            )
        report = Path(goal.output) / 'report.json'
        arguments = ['eval', goal.kind, *([goal.source] if goal.source else []), '--json', str(report)]
        arguments += ['--model', goal.model or 'compact', '--html', str(report.with_suffix('.html')), '--events']
        if goal.instructions:
            arguments += ['--instructions', goal.instructions]

        def tell(progress: Progress) -> None:
            feedback = Evaluate.Feedback(message=progress.message, done=progress.done, total=progress.total)
            handle.publish_feedback(feedback)

        code, job = await self._run(arguments, tell)
        result = Evaluate.Result(success=code == 0, report=str(report) if code == 0 else '', giou=math.nan)
        if code == 0:
            giou = job.result.get('giou')
            result.giou = math.nan if giou is None else float(giou)
        result.message = 'cancelled; the same goal resumes the work' if job.cancelled else '' if code == 0 else job.last
        return self._end(handle, result, failed=code != 0, cancelled=job.cancelled)

    def close(self) -> None:
        """End the running job and answer its goal, because the executor waits for open goals when it ends."""
        self._cancel()
        for patience in (0.8, 0.3):
            deadline = time.monotonic() + patience
            while self._busy and self.executor is not None and time.monotonic() < deadline:
                self.executor.spin_once(timeout_sec=0.05)
            if self._job is not None:
                self._job.kill()  # committed work remains; the same goal resumes it
        for server in self._servers:
            server.destroy()


def end(node: Any) -> None:
    """End the node's job."""
    node.close()


def main(args: list[str] | None = None) -> int:
    """Run the node; return the exit status."""
    return run_node.run(LearningNode, end, args)


if __name__ == '__main__':
    sys.exit(main())
