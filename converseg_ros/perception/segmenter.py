"""Frame and instructions in, regions out: network, then lifting, then tracker; no ROS, no threads of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock, get_ident
import time

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import Geometry
from converseg_ros.core.instruction import Instruction, Role
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.region import Region
from converseg_ros.core.segmentation import Query, SegmentationNetwork
from converseg_ros.core.stages import Checkpoint, Stage
from converseg_ros.core.status import GeometryStatus, Status
from converseg_ros.facts.planes import level_frame
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.perception.tracker import Tracker, TrackerOptions

SECOND = 1_000_000_000


class CancelledError(Exception):
    """The caller's checkpoint ended the work between two stages."""


@dataclass(frozen=True, slots=True)
class SegmenterOptions:
    """Settings of the pipeline."""

    lift: LiftOptions = field(default_factory=LiftOptions)
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    max_age: float = 1.0
    """Seconds after a frame's stamp until its regions are stale."""
    geometry: bool = True
    """Whether masks are lifted into 3D."""
    lift_carried: bool = False
    """Whether carried masks are lifted anew; else the geometry of the network's answer is moved with them."""


class Segmenter:
    """One camera's pipeline. `segment` belongs to one thread (the network's owner); `carry` may be another's."""

    def __init__(self, network: SegmentationNetwork, options: SegmenterOptions | None = None) -> None:
        """Keep the network; the caller closes it."""
        self.network, self.options = network, options or SegmenterOptions()
        self._network_cpu = 0.0
        self._inside: tuple[int, float] | None = None  # clock of the thread in the network, and its time at the start
        self._tracker, self._lock = Tracker(self.options.tracker), Lock()
        self._generation = 0

    @property
    def network_cpu(self) -> float:
        """Seconds of CPU that its thread has spent inside the network, up to this moment."""
        inside = self._inside
        return self._network_cpu + (time.clock_gettime(inside[0]) - inside[1] if inside is not None else 0.0)

    @property
    def tracking(self) -> bool:
        """Whether there is anything to carry to newer frames."""
        return self._tracker.active

    def configure(self, options: SegmenterOptions) -> None:
        """Take new settings; the tracker starts anew only if its own changed."""
        with self._lock:
            if options.tracker != self.options.tracker:
                self._tracker = Tracker(options.tracker)
            self.options = options

    def reset(self, reason: str = 'asked to') -> None:
        """Forget tracks; an answer that is still being computed will not bring them back."""
        with self._lock:
            self._generation += 1
            self._tracker.reset(reason)

    def predict(
        self, frame: Frame, instructions: Sequence[Instruction], checkpoint: Checkpoint | None = None
    ) -> list[Prediction]:
        """Return the network's answers; what fails in the network becomes ERROR answers with the reason."""
        clock = time.pthread_getcpuclockid(get_ident())
        begin = time.clock_gettime(clock)
        self._inside = clock, begin
        try:
            if checkpoint is not None:
                checkpoint(Stage.IMAGE)
            # torch takes no arrays that are read-only, as views of received bytes are
            writeable = frame if frame.rgb.flags.writeable else replace(frame, rgb=frame.rgb.copy())
            self.network.set_image(writeable)
            return self.network.predict([Query(i.resolved, role=i.role) for i in instructions], checkpoint=checkpoint)
        except CancelledError:
            raise
        except Exception as error:  # the node must live: out of memory, a lost device, a broken input
            empty = np.zeros(frame.rgb.shape[:2], np.bool_)
            return [Prediction(empty, 0.0, Status.ERROR, _reason(error)) for _ in instructions]
        finally:
            self._inside = None
            self._network_cpu += time.clock_gettime(clock) - begin

    def segment(
        self,
        frame: Frame,
        instructions: Sequence[Instruction],
        *,
        pose: NDArray[np.float64] | None = None,
        track: bool = True,
        checkpoint: Checkpoint | None = None,
    ) -> list[Region]:
        """Return one region an instruction, in their order; raise CancelledError if `checkpoint` did.

        pose: 4x4 camera in a fixed frame, for stable ids. track: whether ids and masks belong to the camera's stream
        (False for single images that have nothing to do with it). checkpoint: called with each stage before it starts.
        """
        if not instructions:
            return []
        generation, options = self._generation, self.options
        frame = level_frame(frame)
        predictions = self.predict(frame, instructions, checkpoint)
        if checkpoint is not None:
            checkpoint(Stage.LIFT)
        begin = time.perf_counter()
        regions = self._regions(frame, instructions, predictions, options)
        lift_ms = (time.perf_counter() - begin) * 1e3
        regions = [replace(r, stage_ms={**r.prediction.stage_ms, Stage.LIFT: lift_ms}) for r in regions]
        if not track:
            return regions
        begin = time.perf_counter()
        with self._lock:
            if generation == self._generation:
                regions = self._tracker.observe(frame, regions, pose)
        track_ms = (time.perf_counter() - begin) * 1e3
        return [replace(r, stage_ms={**r.stage_ms, Stage.TRACK: track_ms}) for r in regions]

    def carry(
        self,
        frame: Frame,
        wanted: Sequence[Instruction],
        pose: NDArray[np.float64] | None = None,
        *,
        points: bool = False,
    ) -> list[Region]:
        """Return the last answers at a newer frame, with their geometry; only those whose instruction is `wanted`.

        Geometry is moved with the mask, which costs little, or lifted anew where the options or `points` ask for it or
        neither depth nor poses tell how it moved. points: the regions need points of their own (they are not moved).
        """
        options = self.options
        move = options.geometry and not (options.lift_carried or points)
        with self._lock:
            if not self._tracker.active:
                return []
            carried = self._tracker.carry(frame, pose, geometry=move)
        keys = {(i.id, i.resolved) for i in wanted}
        carried = [r for r in carried if (r.instruction.id, r.instruction.resolved) in keys]
        if not options.geometry:
            return carried
        left = {n for n, r in enumerate(carried) if r.geometry.status == GeometryStatus.NOT_COMPUTED}
        seen = [n for n in sorted(left) if carried[n].prediction.mask.any()]
        # placements keep off the safety masks of others
        seen += [n for n, r in enumerate(carried) if seen and n not in left and r.instruction.role == Role.SAFETY]
        pairs = [(carried[n].instruction, carried[n].prediction.mask) for n in seen]
        lifted = dict(zip(seen, lift_regions(level_frame(frame), pairs, options.lift))) if seen else {}
        empty = Geometry(GeometryStatus.NOT_COMPUTED, 'the mask is empty', frame.frame_id)
        return [replace(r, geometry=lifted.get(n, empty)) if n in left else r for n, r in enumerate(carried)]

    def _regions(
        self, frame: Frame, instructions: Sequence[Instruction], predictions: list[Prediction], o: SegmenterOptions
    ) -> list[Region]:
        """Return the regions with geometry and times."""
        made = [
            Region(
                i.id or f'region-{n + 1}',
                i,
                p,
                stamp_ns=frame.stamp_ns,
                frame_id=frame.frame_id,
                segmented_ns=frame.stamp_ns,
                valid_until_ns=frame.stamp_ns + int(o.max_age * SECOND),
                model=self.network.name,
            )
            for n, (i, p) in enumerate(zip(instructions, predictions))
        ]
        if not o.geometry:
            return made
        geometry = lift_regions(frame, [(r.instruction, r.prediction.mask) for r in made], o.lift)
        return [replace(r, geometry=g) for r, g in zip(made, geometry)]


def _reason(error: Exception) -> str:
    """Return what failed in one line, for people."""
    if isinstance(error, ConversegError | InputError):
        return str(error)
    words = ' '.join(str(error).split())[:200]
    if 'out of memory' in words.lower():
        return 'out of memory on the device; ask for fewer instructions or choose device cpu'
    return f'{type(error).__name__}: {words}'
