"""The live pipeline: what happens to a camera's newest frame, in threads of its own, never in a callback."""

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
from converseg_ros.perception.frames import Bundle, FrameMaker
from converseg_ros.perception.instructions import InstructionBook
from converseg_ros.perception.safety import SafetyGate, SafetyReport
from converseg_ros.perception.segmenter import Segmenter
from converseg_ros.perception.worker import LatestItemWorker, Ticker
from converseg_ros.ros.camera.transforms import TransformListener
from converseg_ros.ros.parameters import Settings
from converseg_ros.ros.segmenter.publishers import Outputs

MAX_WAITING = 16  # requests; more are refused
GIVE_UP_AFTER = 3  # failures in a row until the GPU is given up


class Log(Protocol):
    """The part of a logger that is used here."""

    def warning(self, message: str, **kwargs: Any) -> bool:
        """Say something."""
        ...

    def error(self, message: str, **kwargs: Any) -> bool:
        """Say something."""
        ...


class LivePipeline:
    """Network thread (segment, publish, requests), side thread (carry to newer frames, judge safety), and a watch.

    The watch's thread sees to it that safety is judged; a timer of the executor's would cost ten times as much. Each
    section below names the thread that calls its methods: `take` comes from the thread that receives camera messages,
    everything that changes settings or forgets comes from the executor.
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
        """Start the threads; they do nothing until `active`. now_ns: the clock of the stamps."""
        self.segmenter = Segmenter(network, settings.segmenter)
        self.book, self.outputs, self.settings = book, outputs, settings
        self._load_on_cpu, self._now_ns, self._log = load_on_cpu, now_ns, log
        self._makers = FrameMaker(transforms), FrameMaker(transforms), FrameMaker(None)
        self.gate = SafetyGate(settings.safety, settings.lift)
        self.report = SafetyReport(False, 'no image yet')
        self.active = False
        self.latest: Bundle | None = None
        self.counts: Counter[str] = Counter()
        self.latency: dict[str, float] = {}
        self.fault = ''  # why the newest image was not answered
        self.observed: Callable[[Sequence[Region]], None] = lambda _: None
        self._lock, self._word = Lock(), Lock()  # _word: one thread at a time says what is safe
        self._answer: tuple[Frame, list[Region]] | None = None
        self._showing = False
        self._last_offer = 0.0
        self._failures = 0
        self._judged = time.monotonic()
        self._judging = False
        self._network_worker: LatestItemWorker[Bundle] = LatestItemWorker('network', self._segment, self._failed)
        self._side_worker: LatestItemWorker[Bundle] = LatestItemWorker('side', self._propagate, self._failed)
        self._watch = Ticker('watch', 1 / settings['safety_rate'], self._tick, self._blind)

    # --- called in any thread -----------------------------------------------------------------------------------------

    @property
    def guarding(self) -> bool:
        """Whether a safety instruction is in force."""
        return any(i.role == Role.SAFETY for i in self.book.active())

    # --- called in the thread that receives camera messages -----------------------------------------------------------

    def take(self, bundle: Bundle) -> None:
        """Take the newest frame; work on it if anybody wants to know."""
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
        busy = not self._network_worker.idle
        if self._network_worker.offer(bundle):
            self.counts['replaced'] += 1
        if busy and self.settings['track'] and self.segmenter.tracking:
            self._side_worker.offer(bundle)

    # --- called in the executor's thread ------------------------------------------------------------------------------

    def submit(self, job: Callable[[], None]) -> None:
        """Run a request's job in the network thread, before the next frame."""
        self._network_worker.submit(job)

    def apply(self, settings: Settings) -> None:
        """Take new settings, from the next frame on."""
        self.settings = settings
        self.segmenter.configure(settings.segmenter)
        self.gate = SafetyGate(settings.safety, settings.lift)
        self._watch.every(1 / settings['safety_rate'])
        self.book.limit, self.book.ttl = settings['max_instructions'], settings['instruction_ttl']

    def reset(self, reason: str) -> None:
        """Forget frames, tracks and answers."""
        if not self.active:
            self.watch_safety()  # while there is something to say it of
        self._network_worker.forget()
        self._side_worker.forget()
        self.segmenter.reset(reason)
        with self._lock:
            self._answer = None
            self.counts['resets'] += 1
        self.latest = None
        self.watch_safety()

    # --- in the watch's thread at `safety_rate`, and in the executor's at a reset -------------------------------------

    def watch_safety(self) -> None:
        """Judge safety anew. If the judging itself hangs, say false without it."""
        if self.active and self.guarding:
            self._judge_soon()
            if time.monotonic() - self._judged > max(self.settings['safety.max_age'], 0.5):
                self.report = SafetyReport(False, 'judging safety takes too long')
                self.outputs.unsafe()
            return
        self._judged = time.monotonic()
        reason = 'deactivated' if not self.active else 'no safety instruction stands, nothing is guarded'
        if self.report.ok or self.report.reason != reason:
            with self._lock:
                frame, regions = self._answer or (None, [])
            # the last word of a node that was guarding carries everything it saw
            report = self.gate.assess(frame, regions, self.book.active(), self._now_ns(), active=self.active)
            with self._word:
                self.report = replace(report, ok=False, reason=reason)
                self.outputs.safety(self.report, self.settings.safety.voxel)

    def _judge_soon(self) -> None:
        """Have the side thread judge safety, unless it is about to."""
        with self._lock:
            if self._judging:
                return
            self._judging = True
        self._side_worker.submit(self._judge)

    # --- called in the executor's thread ------------------------------------------------------------------------------

    def close(self) -> bool:
        """End the threads and the network; return whether they ended."""
        self.active = False
        ended = self._watch.close() and self._network_worker.close() and self._side_worker.close()
        if ended:
            self.segmenter.network.close()
        return ended

    # --- in the watch's thread ---------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self.active:
            self.watch_safety()

    def _blind(self, error: Exception) -> None:
        """Say false where even that cannot be judged."""
        self._failed(error)
        self.report = SafetyReport(False, f'judging safety failed: {type(error).__name__}: {error}')
        self.outputs.unsafe()

    # --- in the network thread ---------------------------------------------------------------------------------------

    def answer(
        self, bundle: Bundle, instructions: Sequence[Instruction], checkpoint: Checkpoint | None, *, own: bool
    ) -> tuple[Frame, list[Region]]:
        """Segment one request's frame; `own` is an image of the requester's, unknown to TF. Raises InputError."""
        frame, pose = self._makers[2 if own else 0].make(bundle, self.settings.frames)
        regions = self.segmenter.segment(frame, instructions, pose=pose, track=False, checkpoint=checkpoint)
        self._recover(regions)
        if own and frame.intrinsics is None and bundle.depth is not None:
            raise InputError(self._makers[2].note or 'depth without camera_info', where='request')
        return frame, self.outputs.in_target(regions, self.settings['target_frame'], self.settings['tf_timeout'])

    def _segment(self, bundle: Bundle) -> None:
        """Answer the newest frame."""
        begin = time.perf_counter()
        instructions = self.book.active()
        resets = self.counts['resets']
        maker = self._makers[0]
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
            self.counts['withdrawn'] += 1  # asked for when the work began, but not any more
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
        """Count failures; move to the CPU when the GPU fails again and again."""
        failed = bool(regions) and all(r.status == Status.ERROR for r in regions)
        self._failures = self._failures + 1 if failed else 0
        if not failed:
            return
        reason = regions[0].prediction.reason
        self.counts['network_errors'] += 1
        self._log.error(f'the network failed: {reason}', throttle_duration_sec=5.0)
        gpu = self.segmenter.network.device.startswith('cuda')
        lost = 'CUDA' in reason and 'out of memory' not in reason
        if gpu and self.settings['fallback_to_cpu'] and (lost or self._failures >= GIVE_UP_AFTER):
            self._log.error('the GPU cannot be used any more: going on with the CPU')
            old, self.segmenter.network = self.segmenter.network, self._load_on_cpu()
            self.counts['fallbacks'] += 1
            self._failures = 0
            old.close()

    @staticmethod
    def _say_why(regions: list[Region], note: str) -> list[Region]:
        """Put the reason why a frame has no depth into the geometry's reason."""
        if not note:
            return regions
        return [
            replace(r, geometry=replace(r.geometry, reason='; '.join(t for t in (r.geometry.reason, note) if t)))
            for r in regions
        ]

    # --- in either thread ---------------------------------------------------------------------------------------------

    def _publish(self, frame: Frame, regions: list[Region], resets: int) -> bool:
        """Keep and publish an answer, unless there was a reset since its work began; return whether it was published.

        resets: their count when the work began. An answer in flight over a reset is of another time: after a bag has
        begun anew its stamp lies in the future, and no answer of the whole new round would be newer.
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
        if self.guarding:
            self._judge_soon()
        return True

    # --- in the side thread -------------------------------------------------------------------------------------------

    def _propagate(self, bundle: Bundle) -> None:
        """Move the last answers to a frame that arrived while the network is busy."""
        try:
            frame, pose = self._makers[1].make(bundle, self.settings.frames)
        except InputError:
            return  # the network thread says it
        resets = self.counts['resets']
        points = self.outputs.listened('affordance/points')
        regions = self.segmenter.propagate(frame, self.book.active(), pose, points=points)
        still = {i.id for i in self.book.active()}
        regions = [r for r in regions if r.instruction.id in still]
        if regions and self.active:
            self._publish(frame, regions, resets)

    def _judge(self) -> None:
        """Judge safety and say so."""
        with self._lock:
            self._judging = False
            frame, regions = self._answer or (None, [])
        frame = frame or self._unanswered()
        report = self.gate.assess(
            frame, regions, self.book.active(), self._now_ns(), active=self.active, unclear=self.book.unclear
        )
        with self._word:  # what was judged while the node was active is not said after its last word
            if self.active:
                self.report = report
                self.outputs.safety(report, self.settings.safety.voxel)
        self._judged = time.monotonic()

    def _unanswered(self) -> Frame | None:
        """Return the newest image: until the first answer, at the start and after a reset, all of it is forbidden."""
        bundle = self.latest
        try:
            return None if bundle is None else self._makers[1].make(bundle, self.settings.frames)[0]
        except InputError:
            return None  # the network thread says it

    def _failed(self, error: Exception) -> None:
        """Go on after what nobody foresaw, and say it."""
        self._judging = False
        self.counts['exceptions'] += 1
        self.fault = f'{type(error).__name__}: {error}'
        detail = str(error) if isinstance(error, ConversegError) else f'{type(error).__name__}: {error}'
        self._log.error(f'an image was not answered: {detail}', throttle_duration_sec=5.0)

    def problems(self) -> Counter[str]:
        """Return what could not be used, by cause."""
        return sum((m.problems for m in self._makers), Counter())

    @property
    def busy_seconds(self) -> float:
        """How long the network thread has worked on its present item."""
        since = self._network_worker.busy_since
        return time.monotonic() - since if since else 0.0
