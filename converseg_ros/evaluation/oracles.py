"""What answers would be with the best regions of a view, or with known names: these separate the causes of errors.

A program describes its target by names (nouns, and the tags and materials that follow from them) and by other facts
(places, sizes, colours, relations to anchors). `with_known_names` makes the names certain for the regions of the ground
truth and leaves everything else as it was recognised, the names of anchors too. If names alone describe the target,
the other regions do not have them. Otherwise it is not known which condition the others fail, so that their names are
left as well: of two mugs, the one that is not the leftmost is still a mug, and "the leftmost mug" remains a question
of places.

For a part, and for free space, the known names are those of the object and of the surface that contain the regions of
the ground truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.mask import iou
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.decision import quantity_of
from converseg_ros.facts.execution.executor import Executor
from converseg_ros.facts.execution.reading import selected
from converseg_ros.facts.table import Facts
from converseg_ros.network.guided_filter import at_full_size
from converseg_ros.programs.nodes import Everything, Filter, FreeSpace, Node, Parts, Select, Things, Union

MAX_UNION = 6  # maximum number of regions of a union
NAMING = ('name', 'tag', 'material')  # properties that follow from what a region is called
CONTAINED = 0.5  # minimum share of a region in another one that contains it


def union_oracle(masks: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, tuple[int, ...]]:
    """Return the best IoU of an (H, W) ground-truth mask with a greedy union of some masks (S, h, w).

    The second value contains the indices of the masks of the union, at most MAX_UNION, the most important first.
    """
    count, h, w = masks.shape
    covered = cv2.resize(truth.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA).ravel()
    flat = masks.reshape(count, h * w)
    union = np.zeros(h * w, bool)
    best = 0.0
    chosen: list[int] = []
    for _ in range(MAX_UNION):
        joined = flat | union
        inside = joined @ covered
        ious = inside / np.maximum(joined.sum(1) + covered.sum() - inside, 1e-9)
        if not len(ious) or ious.max() <= best + 1e-3:
            break
        best = float(ious.max())
        chosen.append(int(ious.argmax()))
        union = joined[chosen[-1]]
    return best, tuple(chosen)


def iou_with_known_names(
    program: Node, facts: Facts, rgb: NDArray[np.uint8], truth: NDArray[np.bool_], options: Options
) -> float:
    """Return the IoU of the selection with the ground truth (H, W) if the names of the target are known.

    rgb: (H, W, 3), whose edges the mask follows as in an answer of the network.
    """
    marked, known = with_known_names(program, facts, target_of(program, facts, truth))
    decision = Executor(known).decide(marked, options)
    return iou(at_full_size([decision.mask(known)], rgb)[0], truth)


def target_of(program: Node, facts: Facts, truth: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the indices of the regions that a correct answer to a program has, of those that it can select.

    truth: (H, W). If the program asks for one or for a number of regions, these are the most important ones of the
    union that is nearest to the ground truth.
    """
    parts = isinstance(selected(program), Parts)
    possible = np.flatnonzero(facts.segments.parent >= 0 if parts else facts.whole)
    _, union = union_oracle(facts.segments.masks[possible], truth)
    quantity = quantity_of(program)
    most = None if quantity == 'all' else 1 if quantity == 'one' else int(quantity)
    return tuple(possible[list(union)].tolist())[:most]


def with_known_names(program: Node, facts: Facts, target: Sequence[int]) -> tuple[Node, Facts]:
    """Return a program and facts with which the names of the regions of the target are known.

    The facts share everything else with those given.
    """
    known = _Known(facts, target, _by_names(program))
    marked = known.marked(program)
    return marked, replace(facts, given=replace(facts.given, filters=facts.given.filters | known.filters))


@dataclass(frozen=True)
class _Known:
    """The names of a target. target: indices of its regions. alone: whether names alone describe it."""

    facts: Facts
    target: Sequence[int]
    alone: bool
    filters: dict[tuple[str, str], Degree] = field(default_factory=dict)

    def marked(self, node: Node, whole: bool = False) -> Node:
        """Return a node whose filters by name on the way to the target have values of their own, in `filters`.

        whole: whether the node denotes what contains the target.
        """
        match node:
            case Filter(by, value, of) if by in NAMING:
                of = self.marked(of, whole)
                own = Filter('name' if by == 'name' else 'tag', f'{value} (target {len(self.filters)})', of)
                self.filters[own.by, own.value] = self._degree(self.facts.filter(by, value), whole)
                return own
            case Parts():
                return node.map(lambda of: self.marked(of, True))
            case FreeSpace():
                return node.map(lambda on: self.marked(on, True))
            case Union():
                return node.map(lambda member: self.marked(member, whole))
        inner: Node | None = getattr(node, 'of', None)  # other children are anchors
        changed: dict[str, Any] = {} if inner is None else {'of': self.marked(inner, whole)}
        return replace(node, **changed)

    def _degree(self, found: Degree, whole: bool) -> Degree:
        """Return a name that was recognised, known for the target or for what contains it."""
        count = len(self.facts)
        having = self._containing() if whole else np.isin(np.arange(count), self.target)
        lacking = ~having if self.alone else np.zeros(count, bool)
        p, low, high = (np.where(having, 1.0, np.where(lacking, 0.0, x)) for x in (found.p, found.low, found.high))
        return Degree(p, low, high, found.notes)

    def _containing(self) -> NDArray[np.bool_]:
        """Return (S,) whether a region contains a region of the target, or is one."""
        masks = self.facts.segments.masks.reshape(len(self.facts), -1).astype(np.float32)
        own = masks[list(self.target)]
        return np.asarray(((masks @ own.T) >= CONTAINED * own.sum(1)).any(1))


def _by_names(node: Node) -> bool:
    """Return whether names alone describe the target of a program."""
    match node:
        case Things() | Everything():
            return True
        case Select(_, of):
            return _by_names(of)
        case Filter(by, _, of):
            return by in NAMING and _by_names(of)
        case Union(members):
            return all(_by_names(x) for x in members)
    return False
