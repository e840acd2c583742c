"""The live pipeline: processes the newest frame of a camera in separate threads, never in a callback."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock
import time
from typing import Any, Protocol

from converseg_ros.core import ConversegError, Frame, InputError, Instruction, Role, Status
from converseg_ros.core.region import Region
from converseg_ros.core.segmentation import SegmentationNetwork
from converseg_ros.core.stages import Checkpoint
from converseg_ros.lifting.alignment import RegistrationCheck
from converseg_ros.perception.frames import Bundle, FrameMaker
from converseg_ros.perception.instructions import InstructionBook
from converseg_ros.perception.segmenter import Segmenter
from converseg_ros.perception.worker import LatestItemWorker
from converseg_ros.ros.camera.transforms import TransformListener
from converseg_ros.ros.segmenter.publishers import Outputs
from converseg_ros.ros.segmenter.safety_monitor import SafetyMonitor
from converseg_ros.ros.settings import Settings

MAX_WAITING = 16  # maximum number of waiting requests; more are refused
GIVE_UP_AFTER = 3  # consecutive failures until the node switches to the CPU


class Log(Protocol):
    """The interface of a logger that is used here."""

    def warning(self, message: str, **kwargs: Any) -> bool:
        """Log a warning."""
        ...

    def error(self, message: str, **kwargs: Any) -> bool:
        """Log an error."""
        ...


class LivePipeline:
    """A network thread (segment, publish, requests), a side thread (propagate to newer frames), and a safety monitor.

    Each section below names the thread that calls its methods: the thread that receives camera messages calls `take`;
    the executor's thread calls everything that changes settings or resets.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        load_on_cpu: Callable[[], SegmentationNetwork],
        book: InstructionBook,
        outputs: Outputs,
        transforms: TransformListener,
        settings: Settings,
        now_ns: Callable[[], int],
        log: Log,
    ) -> None:
        """Start the threads; they are idle until `active`. now_ns: the clock of the stamps."""
        self.segmenter = Segmenter(network, settings.segmenter)
        self.book, self.outputs, self.settings = book, outputs, settings
        self._load_on_cpu, self._now_ns, self._log = load_on_cpu, now_ns, log
        check = RegistrationCheck()
        self.makers = FrameMaker(transforms, check), FrameMaker(transforms, check), FrameMaker(None)
        self.active = False
        self.latest: Bundle | None = None
        self.counts: Counter[str] = Counter()
        self.latency: dict[str, float] = {}
        self.fault = ''  # why the newest image was not answered
        self.observed: Callable[[Sequence[Region]], None] = lambda _: None
        self._lock = Lock()
        self._answer: tuple[Frame, list[Region]] | None = None
        self._showing = False
        self._last_offer = 0.0
        self._failures = 0
        self._network_worker: LatestItemWorker[Bundle] = LatestItemWorker('network', self._segment, self.failed)
        self._side_worker: LatestItemWorker[Bundle] = LatestItemWorker('side', self._propagate, self.failed)
        self.safety = SafetyMonitor(self, self._side_worker, book, outputs, settings, now_ns)

    # --- called in the thread that receives camera messages -----------------------------------------------------------

    def take(self, bundle: Bundle) -> None:
        """Store the newest frame; process it if an output has a subscriber or a safety instruction is in force."""
        self.latest = bundle
        if not self.active:
            return
        instructions = self.book.active()
        if not instructions and not self._showing:
            self.counts['no_instruction'] += 1
            return
        if not self.outputs.listened() and not any(i.role == Role.SAFETY for i in instructions):
            self.counts['no_listener'] += 1
            return
        now, rate = time.monotonic(), self.settings['max_rate']
        if rate > 0 and now - self._last_offer < 1 / rate - 1e-3:
            self.counts['max_rate'] += 1
            return
        self._last_offer = now
        busy = not self.idle
        if self._network_worker.offer(bundle):
            self.counts['replaced'] += 1
        if busy and self.settings['track'] and self.segmenter.tracking:
            self._side_worker.offer(bundle)

    # --- called in the executor's thread ------------------------------------------------------------------------------

    def submit(self, job: Callable[[], None]) -> None:
        """Run a request's job in the network thread, before the next frame."""
        self._network_worker.submit(job)

    def apply(self, settings: Settings) -> None:
        """Apply new settings from the next frame on."""
        self.settings = settings
        self.segmenter.configure(settings.segmenter)
        self.safety.apply(settings)
        self.book.limit, self.book.ttl = settings['max_instructions'], settings['instruction_ttl']

    def reset(self, reason: str) -> None:
        """Clear frames, tracks and answers."""
        if not self.active:
            self.safety.watch()  # while there is an answer to report on
        self._network_worker.forget()
        self._side_worker.forget()
        self.segmenter.reset(reason)
        with self._lock:
            self._answer = None
            self.counts['resets'] += 1
        self.latest = None
        self.safety.watch()

    def close(self) -> bool:
        """End the threads and the network; return whether they ended."""
        self.active = False
        ended = self.safety.close() and self._network_worker.close() and self._side_worker.close()
        if ended:
            self.segmenter.network.close()
        return ended

    # --- in the network thread ---------------------------------------------------------------------------------------

    def answer(
        self, bundle: Bundle, instructions: Sequence[Instruction], checkpoint: Checkpoint | None, *, own: bool
    ) -> tuple[Frame, list[Region]]:
        """Segment the frame of one request; `own` is an image in the request, unknown to TF. Raises InputError."""
        frame, pose = self.makers[2 if own else 0].make(bundle, self.settings.frames)
        regions = self.segmenter.segment(frame, instructions, pose=pose, track=False, checkpoint=checkpoint)
        self._recover(regions)
        if own and frame.intrinsics is None and bundle.depth is not None:
            raise InputError(self.makers[2].note or 'depth without camera_info', where='request')
        return frame, self.outputs.in_target(regions, self.settings['target_frame'], self.settings['tf_timeout'])

    def _segment(self, bundle: Bundle) -> None:
        """Answer the newest frame."""
        begin = time.perf_counter()
        instructions = self.book.active()
        resets = self.counts['resets']
        maker = self.makers[0]
        try:
            frame, pose = maker.make(bundle, self.settings.frames)
        except InputError as error:
            maker.problems['image'] += 1
            self.fault = str(error)
            self._log.warning(f'an image cannot be used: {error}', throttle_duration_sec=5.0)
            return
        self.fault = maker.note
        if maker.note:
            self._log.warning(maker.note, throttle_duration_sec=5.0)
        made = time.perf_counter()
        regions = self.segmenter.segment(frame, instructions, pose=pose)
        regions = self._say_why(regions, maker.note)
        self._recover(regions)
        done = time.perf_counter()
        still = {i.id for i in self.book.active()}
        if not self.active or any(r.instruction.id not in still for r in regions):
            self.counts['withdrawn'] += 1  # the instruction was removed in the meantime
            regions = [r for r in regions if r.instruction.id in still]
            if not self.active:
                return
        if not self._publish(frame, regions, resets):
            return
        self.observed(regions)
        end = time.perf_counter()
        stages = dict(regions[0].stage_ms) if regions else {}
        self.latency = {
            'decode_messages': (made - begin) * 1e3,
            **stages,
            'segment': (done - made) * 1e3,
            'publish': (end - done) * 1e3,
            'total': (end - begin) * 1e3,
        }

    def _recover(self, regions: Sequence[Region]) -> None:
        """Count failures; switch to the CPU after repeated failures of the GPU.

        An instruction that cannot be answered is an error too, but no failure of the device.
        """
        failure = self.segmenter.failure if regions else ''
        self._failures = self._failures + 1 if failure else 0
        if not regions or any(r.status != Status.ERROR for r in regions):
            return
        reason = regions[0].prediction.reason
        self.counts['network_errors'] += 1
        self._log.error(f'the network failed: {reason}', throttle_duration_sec=5.0)
        gpu = self.segmenter.network.device.startswith('cuda')
        lost = 'CUDA' in failure and 'out of memory' not in failure
        if gpu and self.settings['fallback_to_cpu'] and (lost or self._failures >= GIVE_UP_AFTER):
            self._log.error('the GPU cannot be used any more: switching to the CPU')
            old, self.segmenter.network = self.segmenter.network, self._load_on_cpu()
            self.counts['fallbacks'] += 1
            self._failures = 0
            old.close()

    @staticmethod
    def _say_why(regions: list[Region], note: str) -> list[Region]:
        """Add the reason why a frame has no depth to the geometry's reason."""
        if not note:
            return regions
        return [
            replace(r, geometry=replace(r.geometry, reason='; '.join(t for t in (r.geometry.reason, note) if t)))
            for r in regions
        ]

    # --- in either thread ---------------------------------------------------------------------------------------------

    def _publish(self, frame: Frame, regions: list[Region], resets: int) -> bool:
        """Store and publish an answer unless there was a reset since its work began; return whether it was published.

        resets: their number when the work began. An answer that was in progress during a reset is invalid: after a bag
        has restarted its stamp is in the future, and no answer of the new round would be newer.
        """
        s = self.settings
        with self._lock:
            if self.counts['resets'] != resets:
                self.counts['outlived by a reset'] += 1
                return False
            newer = self._answer is not None and self._answer[0].stamp_ns > frame.stamp_ns
            if not newer:
                self._answer = (frame, regions)
            self._showing = bool(regions)
        self.outputs.publish(frame, regions, s.lift, s['target_frame'], s['tf_timeout'])
        self.counts['tracked' if regions and regions[0].tracked else 'answered'] += 1
        if self.safety.guarding:
            self.safety.judge_soon()
        return True

    # --- in the side thread -------------------------------------------------------------------------------------------

    def _propagate(self, bundle: Bundle) -> None:
        """Propagate the last answers to a frame that arrived while the network is busy."""
        try:
            frame, pose = self.makers[1].make(bundle, self.settings.frames)
        except InputError:
            return  # the network thread publishes it
        resets = self.counts['resets']
        points = self.outputs.listened('affordance/points')
        regions = self.segmenter.propagate(frame, self.book.active(), pose, points=points)
        still = {i.id for i in self.book.active()}
        regions = [r for r in regions if r.instruction.id in still]
        if regions and self.active:
            self._publish(frame, regions, resets)

    def unanswered(self) -> Frame | None:
        """Return the newest image: before the first answer, and after a reset, all of it is forbidden."""
        bundle = self.latest
        try:
            return None if bundle is None else self.makers[1].make(bundle, self.settings.frames)[0]
        except InputError:
            return None  # the network thread publishes it

    # --- in any thread ------------------------------------------------------------------------------------------------

    def newest(self) -> tuple[Frame | None, list[Region]]:
        """Return the newest answer with its frame; no frame before the first answer and after a reset."""
        with self._lock:
            return self._answer or (None, [])

    def failed(self, error: Exception) -> None:
        """Log an unexpected exception and continue."""
        self.safety.interrupted()
        self.counts['exceptions'] += 1
        self.fault = f'{type(error).__name__}: {error}'
        detail = str(error) if isinstance(error, ConversegError) else f'{type(error).__name__}: {error}'
        self._log.error(f'an image was not answered: {detail}', throttle_duration_sec=5.0)

    def problems(self) -> Counter[str]:
        """Return the numbers of unusable messages by cause."""
        return sum((m.problems for m in self.makers), Counter())

    @property
    def idle(self) -> bool:
        """Return whether no frame or request is in work or pending in the network thread."""
        return self._network_worker.idle

    @property
    def busy_seconds(self) -> float:
        """Return how long the network thread has been processing its current item."""
        since = self._network_worker.busy_since
        return time.monotonic() - since if since else 0.0
