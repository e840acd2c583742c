"""The pipeline from frame and instructions to regions: network, lifting, tracker; without ROS and threads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock, get_ident
import time

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.belief import Belief, SteadyOptions
from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.core.frame import Frame
from converseg_ros.core.geometry import Geometry
from converseg_ros.core.instruction import Instruction, Role
from converseg_ros.core.prediction import Prediction
from converseg_ros.core.region import Region
from converseg_ros.core.segmentation import Query, SegmentationNetwork
from converseg_ros.core.stages import Checkpoint, Stage
from converseg_ros.core.stamps import SECOND
from converseg_ros.core.status import GeometryStatus, Status
from converseg_ros.facts.geometry.planes import level_frame
from converseg_ros.lifting import LiftOptions, lift_regions
from converseg_ros.perception.options import TrackerOptions
from converseg_ros.perception.tracker import Tracker


class CancelledError(Exception):
    """The checkpoint of the caller cancelled the work between two stages."""


@dataclass(frozen=True, slots=True)
class SegmenterOptions:
    """Options of the pipeline."""

    lift: LiftOptions = field(default_factory=LiftOptions)
    tracker: TrackerOptions = field(default_factory=TrackerOptions)
    steady: SteadyOptions = field(default_factory=SteadyOptions)
    max_age: float = 1.0
    """Seconds after the stamp of a frame until its regions are stale."""
    geometry: bool = True
    """Whether masks are lifted into 3D."""
    lift_carried: bool = False
    """Whether propagated masks are lifted again; otherwise the geometry of the network's answer is moved with them."""


class Segmenter:
    """The pipeline of one camera. One thread calls `segment`; another one may call `propagate`."""

    def __init__(self, network: SegmentationNetwork, options: SegmenterOptions | None = None) -> None:
        """Create a pipeline; the caller closes the network."""
        self.network, self.options = network, options or SegmenterOptions()
        self.failure = ''  # why the network did not answer the last call, '' if it did
        self._network_cpu = 0.0
        # thread clock of the thread inside the network, and its time at the start
        self._inside: tuple[int, float] | None = None
        self._tracker, self._lock = Tracker(self.options.tracker), Lock()
        self._generation = 0

    @property
    def network_cpu(self) -> float:
        """Return the CPU seconds that its thread has spent inside the network so far."""
        inside = self._inside
        return self._network_cpu + (time.clock_gettime(inside[0]) - inside[1] if inside is not None else 0.0)

    @property
    def tracking(self) -> bool:
        """Return whether there are regions to propagate to newer frames."""
        return self._tracker.active

    def configure(self, options: SegmenterOptions) -> None:
        """Set new options; the tracker is only reset if its own options changed."""
        with self._lock:
            if options.tracker != self.options.tracker:
                self._tracker = Tracker(options.tracker)
            self.options = options

    def reset(self, reason: str = 'asked to') -> None:
        """Clear tracks; an answer that is still being computed does not restore them."""
        with self._lock:
            self._generation += 1
            self._tracker.reset(reason)

    def predict(
        self,
        frame: Frame,
        instructions: Sequence[Instruction],
        checkpoint: Checkpoint | None = None,
        beliefs: Mapping[tuple[str, str], Belief] | None = None,
    ) -> list[Prediction]:
        """Return the network's answers; an exception in the network becomes ERROR answers with a reason.

        beliefs: what earlier key frames say about an instruction, by id and resolved text; instructions without one are
        answered from this image alone, and so are safety instructions.
        """
        earlier = {} if beliefs is None else beliefs
        queries = [
            Query(i.resolved, None, i.role, None if i.role == Role.SAFETY else earlier.get((i.id, i.resolved)))
            for i in instructions
        ]
        clock = time.pthread_getcpuclockid(get_ident())
        begin = time.clock_gettime(clock)
        self._inside = clock, begin
        self.failure = ''
        try:
            if checkpoint is not None:
                checkpoint(Stage.IMAGE)
            # torch does not accept read-only arrays, such as views of received bytes
            writeable = frame if frame.rgb.flags.writeable else replace(frame, rgb=frame.rgb.copy())
            self.network.set_image(writeable)
            return self.network.predict(queries, checkpoint=checkpoint)
        except CancelledError:
            raise
        except Exception as error:  # the node must survive out of memory, a lost device and invalid input
            empty, why = np.zeros(frame.rgb.shape[:2], np.bool_), _reason(error)
            self.failure = '' if isinstance(error, InputError) else why
            return [Prediction(empty, 0.0, Status.ERROR, why) for _ in instructions]
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
        """Return one region per instruction, in order; raise CancelledError if `checkpoint` did.

        Args:
            frame: the image to segment.
            instructions: instructions with ids.
            pose: 4x4 pose of the camera in a fixed frame, for stable ids.
            track: whether the frame belongs to the stream of the camera; False for a single unrelated image.
            checkpoint: called with each stage before it starts.
        """
        if not instructions:
            return []
        generation, options = self._generation, self.options
        frame = level_frame(frame)
        with self._lock:
            beliefs = self._beliefs(frame, instructions, pose, options.steady) if track else {}
        predictions = self.predict(frame, instructions, checkpoint, beliefs)
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

    def _beliefs(
        self, frame: Frame, instructions: Sequence[Instruction], pose: NDArray[np.float64] | None, o: SteadyOptions
    ) -> dict[tuple[str, str], Belief]:
        """Return the beliefs about instructions at a new key frame; an instruction without one gets an empty one."""
        if not o.half_life:
            return {}
        known = self._tracker.beliefs(frame, pose)
        keys = [(i.id, i.resolved) for i in instructions]
        return {k: replace(known[k], options=o) if k in known else Belief(o) for k in keys}

    def restore(
        self,
        frame: Frame,
        instructions: Sequence[Instruction],
        predictions: Sequence[Prediction],
        pose: NDArray[np.float64] | None = None,
    ) -> None:
        """Take answers that were computed before as those of this frame, without the network and without geometry."""
        options = replace(self.options, geometry=False)
        regions = self._regions(frame, instructions, list(predictions), options)
        with self._lock:
            self._tracker.observe(frame, regions, pose)

    def propagate(
        self,
        frame: Frame,
        wanted: Sequence[Instruction],
        pose: NDArray[np.float64] | None = None,
        *,
        points: bool = False,
    ) -> list[Region]:
        """Return the last answers propagated to a newer frame, only for instructions that `wanted` accepts.

        Geometry is moved with the mask, which is cheap. It is lifted again if the options or `points` request it, or if
        neither depth nor poses provide the motion. points: the regions need points, which are not moved.
        """
        options = self.options
        move = options.geometry and not (options.lift_carried or points)
        with self._lock:
            if not self._tracker.active:
                return []
            propagated = self._tracker.propagate(frame, pose, geometry=move)
        keys = {(i.id, i.resolved) for i in wanted}
        propagated = [r for r in propagated if (r.instruction.id, r.instruction.resolved) in keys]
        if not options.geometry:
            return propagated
        left = {n for n, r in enumerate(propagated) if r.geometry.status == GeometryStatus.NOT_COMPUTED}
        seen = [n for n in sorted(left) if propagated[n].prediction.mask.any()]
        # placements must avoid the safety masks of other instructions
        seen += [n for n, r in enumerate(propagated) if seen and n not in left and r.instruction.role == Role.SAFETY]
        pairs = [(propagated[n].instruction, propagated[n].prediction.mask) for n in seen]
        lifted = dict(zip(seen, lift_regions(level_frame(frame), pairs, options.lift))) if seen else {}
        empty = Geometry(GeometryStatus.NOT_COMPUTED, 'the mask is empty', frame.frame_id)
        return [replace(r, geometry=lifted.get(n, empty)) if n in left else r for n, r in enumerate(propagated)]

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
    """Return a one-line description of an error for users."""
    if isinstance(error, ConversegError | InputError):
        return str(error)
    words = ' '.join(str(error).split())[:200]
    if 'out of memory' in words.lower():
        return 'out of memory on the device; ask for fewer instructions or choose device cpu'
    return f'{type(error).__name__}: {words}'
