"""The decision from degrees to a selection: the regions or the area, the status, and whether facts decide it.

A decision has no words. `explanation` adds the reasons, the evidence and the candidates, which the data engine does not
need.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.status import Status
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution.answer import Options
from converseg_ros.facts.execution.areas import Area, Meaning
from converseg_ros.facts.execution.steady import Weighed, weigh
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Node, Rank, Select


@dataclass(frozen=True)
class Miscount:
    """Another number of regions than the program asks for.

    seen: how many could be meant, or how many there are. wanted: how many it asks for. rank: the order in which those
    are about equal, or None. sure: whether each of those that are seen certainly is what was asked for.
    """

    seen: int
    wanted: int
    rank: Rank | None = None
    sure: bool = True


@dataclass(frozen=True, eq=False)
class Decision:
    """The selection of a program in a view.

    Attributes:
        status: OK, LOW_CONFIDENCE or NO_TARGET, before the calibrated existence model.
        chosen: indices of regions, the most certain first.
        decided: whether facts decide the answer.
        degree: (S,) of each region; unless every possible region is wanted, the outline of a region counts.
        best: certainty of the best region, or of the area.
        found: whether something is selected with enough certainty to be a target.
        area: the selected part of the view that is no region, or None.
        open: whether missing facts could change which regions are selected.
        unknown_nouns: the nouns whose absence is not meaningful.
        gone: indices of the excluded regions. leaving: the certainty of the surest of them if it is not enough, else
            None.
        miscount: what is wrong with the number of regions, or None.
        weighed: the regions under the belief about a standing instruction, None without one.
        unknown: for safety, whether a target could be in what is not recognised or not measured.
        kept: whether earlier key frames decide although another region is clearly more certain in this one.
        doubtful: whether something else than the certainty of the selection speaks against it: facts that are missing,
            nouns that are not known, a wrong number of regions, what is to be left out, or earlier key frames.
    """

    status: Status
    chosen: tuple[int, ...]
    decided: bool
    degree: Degree
    best: float
    found: bool
    area: Area | None = None
    open: bool = False
    unknown_nouns: frozenset[str] = frozenset()
    gone: tuple[int, ...] = ()
    leaving: float | None = None
    miscount: Miscount | None = None
    weighed: Weighed | None = None
    kept: bool = False
    unknown: bool = False
    doubtful: bool = False

    def mask(self, facts: Facts) -> NDArray[np.bool_]:
        """Return (h, w) the pixels of the selection."""
        masks = facts.segments.masks
        if self.area is not None:
            return self.area.mask | masks[list(self.chosen)].any(0) if self.chosen else self.area.mask
        if self.chosen and self.gone:
            return _without(facts, self.chosen, self.gone)
        return np.asarray(masks[list(self.chosen)].any(0)) if self.chosen else np.zeros(masks.shape[1:], bool)


def quantity_of(program: Node) -> str | int:
    """Return how many regions a program asks for: 'one', 'all' or a number."""
    quantity: str | int = program.quantity if isinstance(program, Select) else 'all'
    inner = program.of if isinstance(program, Select) else program
    if quantity == 'all' and isinstance(inner, Rank):
        quantity = inner.count
    return 'one' if quantity == 1 else quantity


def decide(program: Node, facts: Facts, meaning: Meaning, unknown_nouns: frozenset[str], options: Options) -> Decision:
    """Return the decision for the meaning of a program."""
    degree = meaning.degree
    if not options.recall and not facts.exact:  # safety instructions include a region for any outline
        degree = degree.scaled(facts.outline)
    p = degree.p
    best = float(p.max(initial=0.0))
    if meaning.area is not None:
        return _of_area(facts, meaning.area, degree, best, unknown_nouns, options)
    if options.recall:
        return _of_all_possible(facts, degree, best, unknown_nouns, options)
    gone, surest = _gone(meaning.minus, facts, options)
    if gone:
        p = np.where(np.isin(np.arange(len(p)), gone), 0.0, p)
    quantity = quantity_of(program)
    weighed = _weighed(facts, p, gone, quantity, options)
    chosen = choose(p if weighed is None else weighed.share, quantity, options)
    kept = weighed is not None and bool(chosen) and p[chosen[0]] < (1 - options.sure) * (p[chosen[0]] + p.max())
    open_ = _undecided(degree, chosen, options)
    leaving = surest if gone and surest < options.present else None
    if not chosen or best < options.absent:
        possible = not degree.settled and bool((degree.doubt & (degree.high >= options.present)).any())
        status = Status.LOW_CONFIDENCE if possible or unknown_nouns else Status.NO_TARGET
        return Decision(
            status, chosen, not possible, degree, best, False,
            open=open_, unknown_nouns=unknown_nouns, leaving=leaving, weighed=weighed, doubtful=True,
        )  # fmt: skip
    miscount = _miscount(program, p, chosen, quantity, options)
    doubtful = open_ or bool(unknown_nouns) or leaving is not None or miscount is not None or kept
    status = Status.OK if best >= options.present and not doubtful else Status.LOW_CONFIDENCE
    return Decision(
        status, chosen, not open_, degree, best, True,
        open=open_, unknown_nouns=unknown_nouns, gone=gone, leaving=leaving, miscount=miscount,
        weighed=weighed, kept=kept, doubtful=doubtful,
    )  # fmt: skip


def _weighed(
    facts: Facts, p: NDArray[np.float64], gone: tuple[int, ...], quantity: str | int, options: Options
) -> Weighed | None:
    """Return the regions under the belief about a standing instruction, None without one or if nothing is possible."""
    if options.belief is None or not len(p) or p.max() < options.least:
        return None
    possible = facts.flat.p > 0
    possible[list(gone)] = False
    return weigh(options.belief, facts.segments.masks, p, possible, several=quantity != 'one')


def _gone(minus: Degree | None, facts: Facts, options: Options) -> tuple[tuple[int, ...], float]:
    """Return the excluded regions, and the highest certainty of one.

    These are the regions that would be the answer to the excluded set. A region that may be a mug keeps more than half
    of its degree in "everything except the mugs", and would be in both answers; therefore the second answer excludes
    the regions of the first. Outlines do not matter for this.
    """
    if minus is None:
        return (), 0.0
    seen = minus.scaled(facts.outline)
    surest = float(seen.p.max(initial=0.0))
    if surest < options.absent:
        return (), surest
    return tuple({*choose(seen.p, 'all', options), *choose(minus.p, 'all', options)}), surest


def _without(facts: Facts, chosen: tuple[int, ...], gone: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return (h, w) the pixels of the selected regions without the excluded ones.

    A surface may cover the objects on it: excluding it does not remove the smaller regions on it.
    """
    masks = facts.segments.masks
    mask = np.zeros(masks.shape[1:], bool)
    sizes = masks.reshape(len(masks), -1).sum(1)
    for i in chosen:
        others = [j for j in gone if sizes[j] < sizes[i] or facts.kinds[j, 0] > 0.5]
        mask |= masks[i] & ~masks[others].any(0) if others else masks[i]
    return mask


def choose(p: NDArray[np.float64], quantity: str | int, options: Options) -> tuple[int, ...]:
    """Return the selected indices, the most certain first; () if none is certain enough."""
    best = int(p.argmax()) if len(p) else 0
    if not len(p) or p[best] < options.least:
        return ()
    if quantity == 'one':
        return (best,)
    enough = np.flatnonzero(p >= max(options.share * p[best], options.least))
    order: list[int] = enough[np.argsort(-p[enough], kind='stable')].tolist()
    return tuple(order if quantity == 'all' else order[: int(quantity)])


def _undecided(degree: Degree, chosen: tuple[int, ...], options: Options) -> bool:
    """Return whether missing facts could change the selection."""
    if degree.settled:
        return False
    inside = list(chosen)
    if (degree.low[inside] < 0.5 * degree.p[inside]).any():
        return True
    could_join = (degree.high >= options.present) & (degree.high > degree.p + 0.1)
    could_join[inside] = False
    return bool(could_join.any())


def _miscount(
    program: Node, p: NDArray[np.float64], chosen: tuple[int, ...], quantity: str | int, options: Options
) -> Miscount | None:
    """Return what is wrong with the number of regions, None if nothing."""
    if quantity == 'all':
        return None
    wanted = 1 if quantity == 'one' else int(quantity)
    order = np.sort(p)[::-1]
    if len(chosen) < wanted:
        return Miscount(len(chosen), wanted, sure=order[len(chosen) - 1] >= options.present)
    following = float(order[wanted]) if len(order) > wanted else 0.0
    last = float(order[wanted - 1])
    if following < options.absent or last / (last + following) >= options.sure:
        return None
    rank = program.of if isinstance(program, Select) else program
    if isinstance(rank, Rank):
        alike = wanted + max(int((order[wanted:] > 0.5 * last).sum()), 1)
        enough = wanted * (1 - (1 - options.present) ** alike)  # they share the probability that there is any
        return Miscount(alike, wanted, rank, sure=float(order[:alike].sum()) >= enough)
    alike = int((p >= following * 0.999).sum())
    seen = max(alike, int((p >= max(options.share * order[0], options.absent)).sum()))
    return Miscount(seen, wanted, sure=order[seen - 1] >= options.present)


def _of_all_possible(
    facts: Facts, degree: Degree, best: float, unknown_nouns: frozenset[str], options: Options
) -> Decision:
    """Return every region that could be meant; unexplained or unknown parts are unknown, never absent."""
    least = options.recall_share * best if best >= options.recall_least else options.recall_least
    possible = (degree.p >= least) | (degree.doubt & (degree.high >= options.present))
    order = np.argsort(-degree.p, kind='stable')
    chosen = tuple(order[possible[order]].tolist())
    open_ = bool((degree.doubt & possible).any())
    doubtful = unexplained(facts) > options.unexplained or bool(unknown_nouns) or bool(open_ and degree.notes)
    if not chosen:
        status = Status.LOW_CONFIDENCE if doubtful else Status.NO_TARGET
    else:
        status = Status.OK if best >= options.present and not doubtful else Status.LOW_CONFIDENCE
    return Decision(
        status, chosen, not open_, degree, best, bool(chosen),
        open=open_, unknown_nouns=unknown_nouns, unknown=doubtful, doubtful=doubtful,
    )  # fmt: skip


def unexplained(facts: Facts) -> float:
    """Return the share of the view with objects that no region covers."""
    seen = facts.segments.unexplained
    return 0.0 if seen is None else float(seen.mean())


def _of_area(
    facts: Facts, area: Area, degree: Degree, best: float, unknown_nouns: frozenset[str], options: Options
) -> Decision:
    """Return an area, with the regions of a union."""
    added = choose(degree.p, 'all', options)
    free = bool(area.mask.any())
    seen = free or bool(facts.segments.masks[list(added)].any())
    if seen:
        status = Status.OK if area.sure >= options.present and area.decided else Status.LOW_CONFIDENCE
    else:
        status = Status.NO_TARGET if area.decided else Status.LOW_CONFIDENCE
    best = max(best, area.sure if free or not area.decided else 0.0)
    unknown = options.recall and not area.decided
    return Decision(
        status, added, area.decided, degree, best, seen, area,
        unknown_nouns=unknown_nouns, unknown=unknown, doubtful=not area.decided,
    )  # fmt: skip
