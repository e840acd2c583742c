"""A network of kind `converseg` whose answers are measured (`facts: on`): it says what is meant, geometry says which.

The parser of the shipped model reads the text. If the program has a geometric condition (an order, a position, a
relation, free space), the network is asked for the things without it ("the boxes", "the lamp"), and the condition is
executed on the connected regions of its masks (facts/masks.py). Everything else is the network's answer, unchanged: a
text without a geometric condition or with an unsure reading, a view without depth, things that the network does not
find, and safety instructions, whose masks nothing may reduce.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from converseg_ros.core import Box, Frame, InputError, Prediction, Role, Status
from converseg_ros.core.instruction import without_closing_marks
from converseg_ros.core.prediction import Candidate
from converseg_ros.core.segmentation import Query, View, as_frame, as_queries
from converseg_ros.core.stages import Checkpoint, Stage
from converseg_ros.facts.execution.answer import Answer
from converseg_ros.facts.execution.executor import execute
from converseg_ros.facts.masks import MaskFacts, Split, facts_of_masks, split
from converseg_ros.knowledge.english import unreadable
from converseg_ros.network.converseg.model import ConverSegNet
from converseg_ros.network.converseg.predictor import Predictor
from converseg_ros.network.parser.intents import UNSURE_PARSE
from converseg_ros.network.stage_timer import StageTimer
from converseg_ros.network.things.parts import TextParser
from converseg_ros.programs.nodes import Node, program_from_json, program_to_json
from converseg_ros.programs.printer import words


class MeasuredPredictor(Predictor):
    """A Predictor that executes geometric conditions on the regions of its own masks.

    An answer with facts is not calibrated: its score is the least of those of the phrases and of the conditions.
    """

    _frame: Frame | None = None

    def __init__(self, network: ConverSegNet, parser: TextParser, **more: Any) -> None:
        """Create the predictor; more: arguments of Predictor."""
        super().__init__(network, **more)
        self._parser = parser

    def set_image(self, view: View, key: Hashable = None) -> None:
        """Encode the image of a view; depth, intrinsics and gravity are used by predict."""
        self._frame = as_frame(view)
        super().set_image(self._frame, key)

    def predict(self, queries: Sequence[Query | str], *, checkpoint: Checkpoint | None = None) -> list[Prediction]:
        """Answer K queries on the current view; see SegmentationNetwork. Stages: text, decode, masks, facts.

        A query with a program is answered if facts can, or by the words of the program.
        """
        frame = self._frame
        asked = as_queries(queries)
        programs = self._programs(asked)
        texts = [q.text if q.program is None or p is None else words(p) for q, p in zip(asked, programs)]
        plain = [Query(text, None, q.role) for text, q in zip(texts, asked)]
        measurable = frame is not None and frame.depth is not None and frame.intrinsics is not None
        measured = [measurable and q.role != Role.SAFETY for q in asked]
        splits = [split(p) if p is not None and ok else None for p, ok in zip(programs, measured)]
        phrases = [[p or text for p in s.phrases.values()] if s else [] for s, text in zip(splits, texts)]
        wanted = list(dict.fromkeys(p for row in phrases for p in row))
        answers = super().predict([*plain, *(Query(w) for w in wanted)], checkpoint=checkpoint)
        found = dict(zip(wanted, answers[len(asked) :]))
        if checkpoint is not None and any(splits):
            checkpoint(Stage.FACTS)
        return [
            self._measured(own, program, parts, [found[p] for p in row], frame)
            if parts is not None and program is not None and frame is not None
            else own
            for own, program, parts, row in zip(answers, programs, splits, phrases)
        ]

    def _programs(self, queries: Sequence[Query]) -> list[Node | None]:
        """Return the programs that facts may answer, None for a safety instruction or without a sure reading."""
        known = [q.program is None and q.role != Role.SAFETY and not unreadable(q.text) for q in queries]
        texts = [without_closing_marks(q.text) for q, ok in zip(queries, known) if ok]
        parsed = iter(self._parser.parse_all(texts) if texts else ())
        out: list[Node | None] = []
        for query, ok in zip(queries, known):
            found = next(parsed) if ok else None
            if query.program is not None:
                out.append(program_from_json(query.program))
            elif found is None or isinstance(found, InputError) or found.confidence < UNSURE_PARSE:
                out.append(None)
            else:
                out.append(found.program)
        return out

    def _measured(
        self, own: Prediction, program: Node, parts: Split, found: Sequence[Prediction], frame: Frame
    ) -> Prediction:
        """Return the answer of the geometric conditions on the masks that were found, or the network's own."""
        if any(not f.mask.any() for f in found):
            return own
        stages = StageTimer(self._device)
        with stages.stage(Stage.FACTS):
            masks = {name: f.mask for name, f in zip(parts.phrases, found)}
            measured = facts_of_masks(frame, masks, planes=parts.needs_planes)
            if measured is None:
                return own
            answer = execute(parts.program, measured.facts)
            mask = measured.mask(answer)
        status, reasons = answer.status, [answer.reason]
        unsure = [f for f in found if f.status != Status.OK]
        if unsure and status == Status.OK:
            status = Status.LOW_CONFIDENCE
            reasons += [f.reason for f in unsure]
        return replace(
            own,
            mask=np.zeros_like(mask) if status == Status.NO_TARGET else mask,
            score=min([answer.score, *(f.score for f in found)]),
            status=status,
            reason='; '.join(dict.fromkeys(r for r in reasons if r)),
            calibrated=False,
            object_score=None,
            mask_score=None,
            probability=None,
            stage_ms=own.stage_ms | stages.milliseconds(),
            program=program_to_json(program),
            program_text=words(program),
            candidates=_candidates(answer, measured, parts),
        )


def _candidates(answer: Answer, measured: MaskFacts, parts: Split) -> tuple[Candidate, ...]:
    """Return the regions that were compared, with the degree of each condition."""
    names = {name: measured.facts.filter('name', name).p for name in parts.phrases}
    found = []
    for c in answer.candidates:
        rows, columns = np.nonzero(measured.regions[c.index])
        box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        name = next((n for n, p in names.items() if p[c.index] > 0), 'surface')
        found.append(Candidate(name, c.p, box, ', '.join(f'{text} {p:.2f}' for text, p in c.counted)))
    return tuple(found)
