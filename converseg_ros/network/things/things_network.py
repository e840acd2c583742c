"""The network of kind `things`: executes the program of an instruction on the facts about the segments of a view.

    text --parser--> program          view --proposer--> segments --namer, geometry--> facts
    program + facts --executor--> regions, reason, evidence --existence--> status; mask at the size of the view

Every part can be replaced: `SegmentProposer` and `Namer` are the interfaces in core/segments.py.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from converseg_ros.core import Box, ConversegError, Frame, InputError, Prediction, Role, Status
from converseg_ros.core.prediction import Candidate
from converseg_ros.core.segmentation import Query, View, as_frame, as_queries
from converseg_ros.core.segments import Segments
from converseg_ros.core.stages import Checkpoint, Stage
from converseg_ros.facts.execution.answer import Answer
from converseg_ros.facts.execution.executor import Executor
from converseg_ros.facts.naming import facts_of_view
from converseg_ros.facts.table import Facts
from converseg_ros.knowledge.english import unreadable
from converseg_ros.network.calibration import ScoredAnswer
from converseg_ros.network.guided_filter import at_full_size
from converseg_ros.network.parser.intents import UNSURE_PARSE
from converseg_ros.network.segments.robot import robot_share, without_robot
from converseg_ros.network.stage_timer import StageTimer
from converseg_ros.network.things.evidence import evidence_of
from converseg_ros.network.things.existence import Existence, Mode, decide, fit_modes
from converseg_ros.network.things.parts import Parts
from converseg_ros.network.things.reading import ReadProgram, options_of, read_programs
from converseg_ros.network.things.standing import steadied
from converseg_ros.network.views import ViewNetwork
from converseg_ros.programs.nodes import Node, program_to_json
from converseg_ros.programs.printer import words

MOSTLY_ROBOT = 0.5  # share of the view with the robot itself from which a safety instruction is never NO_TARGET


@dataclass(slots=True)
class ViewState:
    """An encoded view; the executor shares sub-programs between its instructions."""

    frame: Frame
    segments: Segments
    facts: Facts
    stages: dict[str, float] = field(default_factory=dict)
    executor: Executor = field(init=False)

    def __post_init__(self) -> None:
        """Create the executor."""
        self.executor = Executor(self.facts)

    @property
    def mode(self) -> Mode:
        """Return the existence fit for the view."""
        return 'rgb' if self.facts.depthless else 'rgbd'


class ThingsNetwork(ViewNetwork[ViewState]):
    """Implements core.segmentation.SegmentationNetwork. Not thread-safe.

    counts: images_encoded, images_cached. Stages of a prediction: segments, names (both once for a view), text,
    facts, masks.
    """

    calibration: Existence | None

    def __init__(
        self,
        parts: Parts,
        *,
        name: str,
        existence: Existence | None = None,
        calibration_file: Path | None = None,
        images: int = 4,
    ) -> None:
        """Create the network; `images` views are cached by key. calibration_file: the file of `existence`."""
        super().__init__(name, parts.device, images)
        self._parts: Parts | None = parts
        self.calibration = existence if existence is not None and existence.fingerprint == parts.fingerprint else None
        self.calibration_file, self.notes = calibration_file, parts.notes

    @property
    def parts(self) -> Parts:
        """Return the parts; raise ConversegError after close()."""
        if self._parts is None:
            raise ConversegError('the network was closed', where=self._name, do='load it again')
        return self._parts

    @property
    def facts(self) -> Facts:
        """Return the facts about the current view; raise ConversegError without one."""
        return self._view().facts

    def set_image(self, view: View, key: Hashable = None) -> None:
        """Segment a view and measure the segments; a view with the same key and the same inputs is cached."""
        parts, frame = self.parts, as_frame(view)
        missing = (frame.depth is None, frame.gravity is None, frame.robot is None)
        whole = None if key is None else (key, frame.rgb.shape, frame.intrinsics, missing)
        if self._recall(whole):
            return
        stages = StageTimer(self._device)
        with self._memory():
            with stages.stage(Stage.SEGMENTS):
                segments = parts.proposer.propose(frame)
                if frame.robot is not None:
                    segments = without_robot(segments, frame.robot)
            with stages.stage(Stage.NAMES):
                facts = self.facts_of(frame, segments)
            milliseconds = stages.milliseconds()
        self._remember(whole, ViewState(frame, segments, facts, milliseconds))

    def facts_of(self, frame: Frame, segments: Segments) -> Facts:
        """Return the facts about segments of a view, with their names looked up."""
        parts = self.parts
        namer = parts.namer

        def similarity(text: str, alone: bool) -> NDArray[np.float64] | None:
            found = namer.score(frame, segments, (text,))
            # A namer of nouns compares other words with its nouns: "with flowers painted on it" is no noun's look.
            return np.asarray(expit(found.log_odds[:, 0]), np.float64) if found.known[0] or alone else None

        facts = facts_of_view(
            frame,
            segments,
            namer,
            parts.geometry(frame, *segments.masks.shape[1:]),
            similarity,
            parts.described,
        )
        namer.score(frame, segments, ('thing',))  # encode the crops now instead of at the first noun
        return facts

    def predict(self, queries: Sequence[Query | str], *, checkpoint: Checkpoint | None = None) -> list[Prediction]:
        """Answer K queries on the current view; only an unreadable query is an ERROR."""
        seen = self._view()
        check = checkpoint or (lambda stage: None)
        stages = StageTimer(self._device)
        asked = as_queries(queries)
        check(Stage.TEXT)
        with self._memory(), stages.stage(Stage.TEXT):
            programs = read_programs(asked, self.parts.parser, self.unreadable)
            seen, unseen = self.look(seen, [p.root if isinstance(p, ReadProgram) else None for p in programs])
            programs = [why if why and isinstance(p, ReadProgram) else p for p, why in zip(programs, unseen)]
        check(Stage.FACTS)
        with self._memory(), stages.stage(Stage.FACTS):
            answers = [self._execute(p, q, seen) for p, q in zip(programs, asked)]
        check(Stage.MASKS)
        with stages.stage(Stage.MASKS):
            masks = at_full_size([a.mask for a in answers if isinstance(a, Answer)], seen.frame.rgb)
        masks = self._only_seen(masks, [(a, q) for a, q in zip(answers, asked) if isinstance(a, Answer)], seen)
        times = seen.stages | stages.milliseconds()
        seen.stages = {}  # the time of encoding is reported once
        at_hand = iter(masks)
        return [
            self._prediction(a, p, q, seen, next(at_hand), times)
            if isinstance(a, Answer) and isinstance(p, ReadProgram)
            else Prediction(np.zeros(seen.frame.rgb.shape[:2], bool), 0.0, Status.ERROR, str(a), self.calibrated)
            for a, p, q in zip(answers, programs, asked)
        ]

    def look(self, seen: 'ViewState', programs: Sequence[Node | None]) -> tuple['ViewState', list[str]]:
        """Return the view after searching for the nouns of the programs, and the reason of each failure or ''.

        There is one reason for each program. This network computes all segments when the image is set; others search
        for nouns (network/grounded/).
        """
        return seen, [''] * len(programs)

    def unreadable(self, text: str) -> str:
        """Return why a text is not readable English, '' if it is."""
        return unreadable(text)

    def _execute(self, program: ReadProgram | str, query: Query, seen: ViewState) -> Answer | str:
        if isinstance(program, str):
            return program
        try:
            return seen.executor.execute(program.root, options_of(query, program.confidence))
        except InputError as error:
            return str(error)

    def _only_seen(
        self, masks: list[NDArray[np.bool_]], answers: Sequence[tuple[Answer, Query]], seen: ViewState
    ) -> list[NDArray[np.bool_]]:
        """Return the masks (H, W) without pixels of the robot, and without depth in free space for safety.

        Following the edges of the image moves outlines by some pixels, also onto those.
        """
        if seen.frame.robot is not None:
            masks = [m & ~seen.frame.robot for m in masks]
        limited = [q.role == Role.SAFETY and a.measured for a, q in answers]
        depth = seen.frame.depth
        if depth is None or not any(limited):
            return masks
        metres = np.asarray(depth)
        known = np.isfinite(metres) & (metres > 0)
        return [m & known if only_seen else m for m, only_seen in zip(masks, limited, strict=True)]

    def _prediction(
        self,
        answer: Answer,
        program: ReadProgram,
        query: Query,
        seen: ViewState,
        mask: NDArray[np.bool_],
        times: Mapping[str, float],
    ) -> Prediction:
        """Return the prediction of one answer."""
        fit = self.calibration.modes.get(seen.mode) if self.calibration else None
        status, reason = answer.status, answer.unsure
        misread = bool(program.doubt) or program.confidence < UNSURE_PARSE
        doubtful = misread or answer.doubtful
        depth = seen.mode == 'rgbd'
        evidence = evidence_of(answer, parse=program.confidence, clear=not doubtful, depth=depth)
        if misread and status != Status.ERROR:
            status = Status.LOW_CONFIDENCE
            doubt = program.doubt or f'understood as "{words(program.root)}", which is not certain'
            reason = '; '.join(x for x in (doubt, reason) if x)
        hidden, none = robot_share(seen.frame), answer.none
        if hidden >= MOSTLY_ROBOT:
            note = f'the robot itself covers {hidden:.0%} of the view'
            reason, none = ('; '.join(x for x in (note, why) if x) for why in (reason, none))
        verdict = decide(
            self.calibration,
            seen.mode,
            evidence,
            status=status,
            reason=reason,
            none=none,
            doubtful=doubtful,
            recall=query.role == Role.SAFETY,
            unknown=misread or answer.unknown or hidden >= MOSTLY_ROBOT,
        )
        verdict, belief = steadied(verdict, answer, seen.segments.masks)
        empty = verdict.status in (Status.NO_TARGET, Status.ERROR)
        return Prediction(
            np.zeros_like(mask) if empty else mask,
            verdict.score,
            verdict.status,
            verdict.reason,
            fit is not None,
            stage_ms=dict(times),
            program=program_to_json(program.root),
            program_text=words(program.root),
            candidates=self._candidates(answer, seen),
            evidence=evidence,
            confidence=None if empty else verdict.confidence,
            withheld=mask if empty and mask.any() else None,
            belief=belief,
        )

    def _candidates(self, answer: Answer, seen: ViewState) -> tuple[Candidate, ...]:
        """Return the regions that were considered, with the evidence for and against each."""
        masks = seen.segments.masks
        sy, sx = seen.frame.height / masks.shape[1], seen.frame.width / masks.shape[2]
        names, found = self.names() if answer.candidates else (), []
        for c in answer.candidates:
            x0, y0, x1, y1 = seen.facts.measures.box[c.index]
            box = Box(round(x0 * sx), round(y0 * sy), round(x1 * sx), round(y1 * sy))
            note = ', '.join(f'{text} {p:.2f}' for text, p in c.counted)
            found.append(Candidate(names[c.index][0] if names else f'region {c.index}', c.p, box, note))
        return tuple(found)

    def names(self) -> tuple[tuple[str, float], ...]:
        """Return the most probable name of each region of the current view, with the log-odds."""
        seen = self._view()
        return self.parts.namer.score(seen.frame, seen.segments, ('thing',)).best

    def calibrate(self, scored: Sequence[ScoredAnswer], provenance: dict[str, Any]) -> Existence:
        """Return existence fits of this uncalibrated network, one for each mode with enough answers."""
        return fit_modes(scored, self.parts.fingerprint, provenance)

    def warm_up(self, shapes: Sequence[tuple[int, int]] = ((480, 640),), prompts: Sequence[int] = (1,)) -> None:
        """Run once for each image shape, so that kernels are selected before the first camera image."""
        generator = np.random.default_rng(0)
        for shape in shapes:
            self.set_image(generator.integers(0, 256, (*shape, 3), dtype=np.uint8))
            self.predict(['the thing'] * max(prompts, default=1))
        self.forget()

    def close(self) -> None:
        """Release the memory, on a GPU for other programs too."""
        self.forget()
        self._parts = None
        self._release()
