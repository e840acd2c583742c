"""The step at which an answer failed: segments, presence, program, names, or facts.

Only networks that execute programs have these steps. An item with a target is correct if the IoU is at least 0.5.
Otherwise the first of these that applies is the step that failed:

- segments: no region, and no union of up to six regions, has an IoU of 0.5 with the ground truth;
- presence: the answer was NO_TARGET, although the selected regions are correct;
- program: the text was not understood, or the regions that the given program of the item selects are correct and those
  of the parsed one are not (only with given programs);
- names: the selected regions are correct once the names of the target are known (evaluation/oracles.py), those of the
  given program if there is one. Without it, an error of the parser counts as one of names if these make up for it;
- facts: all other failures: relations, measurements, colours, states, free texts, kinds of regions, the number of
  regions, regions outside of the flat cut, and the names of anchors.

An item without a target that was not refused failed at presence.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from converseg_ros.core import Frame, Prediction, Role, Status
from converseg_ros.core.mask import iou
from converseg_ros.core.segmentation import Query
from converseg_ros.datasets.samples import Sample
from converseg_ros.evaluation.metrics import Mask
from converseg_ros.evaluation.oracles import iou_with_known_names, union_oracle
from converseg_ros.facts.table import Facts
from converseg_ros.network.things.reading import options_of
from converseg_ros.network.thresholds import RIGHT_IOU
from converseg_ros.programs.nodes import program_from_json

RIGHT, SEGMENTS, PRESENCE, PROGRAM, NAMES, FACTS = 'right', 'segments', 'presence', 'program', 'names', 'facts'
STEPS = (RIGHT, SEGMENTS, PRESENCE, PROGRAM, NAMES, FACTS)


class Scored(Protocol):
    """The attributes of a scored answer (evaluation.metrics.Score) that the ladder uses."""

    @property
    def step(self) -> str:
        """Return the step that failed, RIGHT, or '' if the network has no steps."""
        ...


def step_of_answer(
    sample: Sample, view: Frame, facts: Facts, truth: Mask, own: Prediction, given: Prediction | None, role: Role
) -> str:
    """Return the step at which the answer to a sample failed, or RIGHT.

    facts: of the view. given: the answer to the given program of the sample, or None. role: with which it was asked.
    """

    def named() -> float | None:
        program, confidence = (own.program, own.evidence.get('parse', 1.0)) if given is None else (sample.gold, 1.0)
        if program is None:
            return None
        options = options_of(Query(sample.prompt, program, role), confidence)
        return iou_with_known_names(program_from_json(program), facts, view.rgb, truth, options)

    return step_of(
        positive=bool(truth.any()),
        refused=own.status == Status.NO_TARGET,
        iou=iou(own.mask, truth),
        oracle=union_oracle(facts.segments.masks, truth)[0],
        kept=iou(selected(own), truth),
        given=None if given is None else iou(selected(given), truth),
        named=named,
    )


def step_of(
    *,
    positive: bool,
    refused: bool,
    iou: float,
    oracle: float,
    kept: float,
    given: float | None,
    named: Callable[[], float | None],
) -> str:
    """Return the step at which an answer failed, or RIGHT.

    oracle: `union_oracle`. kept: the IoU of the selected regions, independent of the status; given: the same with the
    given program of the item, or None. named: returns the same with known names of the target, or None if there is no
    program; it is called only if no earlier step failed.
    """
    if not positive:
        return RIGHT if refused else PRESENCE
    if iou >= RIGHT_IOU:
        return RIGHT
    if oracle < RIGHT_IOU:
        return SEGMENTS
    if refused and kept >= RIGHT_IOU:
        return PRESENCE
    if given is not None and given >= RIGHT_IOU:
        return PROGRAM
    with_names = named()
    if with_names is None:
        return PROGRAM
    return NAMES if with_names >= RIGHT_IOU else FACTS


def ladder(scores: Iterable[Scored]) -> dict[str, Any] | None:
    """Return the share of the items that end at each step, or None if the network has no steps."""
    counts = Counter(s.step for s in scores if s.step)
    total = sum(counts.values())
    return {'n': total, **{step: counts[step] / total for step in STEPS}} if total else None


def selected(prediction: Prediction) -> Mask:
    """Return the mask of the selected regions of an answer, independent of its status."""
    return prediction.mask if prediction.withheld is None else prediction.withheld
