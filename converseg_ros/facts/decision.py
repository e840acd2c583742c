"""The decision from degrees to an answer: the selected regions, whether facts decide it, and the reason as text."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.status import Status
from converseg_ros.facts import wording
from converseg_ros.facts.answer import Answer, Candidate, Evidence, Literal, Options
from converseg_ros.facts.areas import Area, Meaning
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.steady import with_previous
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Node, Parts, Rank, Select

MAX_CANDIDATES = 5


def quantity_of(program: Node) -> str | int:
    """Return how many regions a program asks for: 'one', 'all' or a number."""
    quantity: str | int = program.quantity if isinstance(program, Select) else 'all'
    inner = program.of if isinstance(program, Select) else program
    if quantity == 'all' and isinstance(inner, Rank):
        quantity = inner.count
    return 'one' if quantity == 1 else quantity


def decide(
    program: Node,
    facts: Facts,
    meaning: Meaning,
    literals: tuple[Literal, ...],
    unknown_nouns: frozenset[str],
    options: Options,
) -> Answer:
    """Return the answer for the meaning of a program."""
    degree = meaning.degree
    if not options.recall and not facts.exact:  # safety instructions include a region for any outline
        degree = degree.scaled(facts.outline)
    evidence = gather(facts, degree, meaning.area, literals, not unknown_nouns)
    candidates = _candidates(degree, literals)
    if meaning.area is not None:
        return _area_answer(program, facts, meaning.area, degree, evidence, candidates, options)
    p = degree.p
    best = evidence.best
    if options.recall:
        return _recall_answer(program, facts, degree, evidence, candidates, unknown_nouns, options)
    gone, surest = _gone(meaning.minus, facts, options)
    if gone:
        p = np.where(np.isin(np.arange(len(p)), gone), 0.0, p)
    quantity = quantity_of(program)
    chosen = choose(with_previous(p, facts.segments.masks, options.previous), quantity, options)
    reasons: list[str] = []
    open_ = _undecided(degree, chosen, options)
    if open_:
        reasons += sorted(degree.notes) or ['facts do not decide it']
    if unknown_nouns:
        reasons.append(_unknown(unknown_nouns))
    if gone and surest < options.present:
        reasons.append(f'it is not certain which regions are to be left out (the surest with {surest:.2f})')
    if not chosen or best < options.absent:
        open_ = bool((degree.doubt & (degree.high >= options.present)).any())
        status = Status.LOW_CONFIDENCE if open_ or unknown_nouns else Status.NO_TARGET
        reasons.insert(0, why_none(program, literals, options))
        return _made(status, reasons, facts, degree, chosen, not open_, evidence, candidates)
    status = Status.OK if best >= options.present and not reasons else Status.LOW_CONFIDENCE
    if best < options.present:
        reasons.insert(0, _unsure(program))
    trouble = _how_many(program, p, chosen, quantity, options)
    if trouble:
        status = Status.LOW_CONFIDENCE
        reasons.insert(0, trouble)
    answer = _made(status, reasons, facts, degree, chosen, not open_, evidence, candidates)
    return replace(answer, mask=_without(facts, chosen, gone)) if gone else answer


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


def with_reasons(answer: Answer, program: Node, options: Options) -> Answer:
    """Return the answer with the reasons that the existence model may need."""
    none = answer.reason if answer.area else why_none(program, answer.evidence.literals, options)
    return replace(answer, none=none, unsure=_unsure(program))


def _unsure(program: Node) -> str:
    return f'it is not certain that {wording.any_of(program)} is seen'


def gather(
    facts: Facts, degree: Degree, area: Area | None, literals: tuple[Literal, ...], in_vocabulary: bool
) -> Evidence:
    """Return the evidence that a target exists."""
    p = degree.p
    best = float(p.max(initial=0.0))
    some = float(1 - np.prod(1 - p)) if len(p) else 0.0
    if area is not None and (area.mask.any() or not area.decided):
        best, some = max(best, area.sure), 1 - (1 - some) * (1 - area.sure)
    unexplained = facts.segments.unexplained
    return Evidence(
        noisy_or=some,
        best=best,
        weakest=min((x.best for x in literals), default=best),
        in_vocabulary=in_vocabulary,
        unexplained=0.0 if unexplained is None else float(unexplained.mean()),
        literals=literals,
    )


def choose(p: NDArray[np.float64], quantity: str | int, options: Options) -> tuple[int, ...]:
    """Return the selected indices, the most certain first; () if none is certain enough."""
    if not len(p) or p.max() < options.least:
        return ()
    order = np.argsort(-p, kind='stable')
    if quantity == 'one':
        return (int(order[0]),)
    floor = max(options.share * p[order[0]], options.least)
    enough = [int(i) for i in order if p[i] >= floor]
    return tuple(enough if quantity == 'all' else enough[: int(quantity)])


def _undecided(degree: Degree, chosen: tuple[int, ...], options: Options) -> bool:
    """Return whether missing facts could change the selection."""
    inside = np.zeros(len(degree.p), bool)
    inside[list(chosen)] = True
    could_leave = inside & (degree.low < 0.5 * degree.p)
    could_join = ~inside & (degree.high >= options.present) & (degree.high > degree.p + 0.1)
    return bool((could_leave | could_join).any())


def _how_many(
    program: Node, p: NDArray[np.float64], chosen: tuple[int, ...], quantity: str | int, options: Options
) -> str:
    """Return what is wrong with the number of regions, '' if nothing."""
    noun, order = wording.noun_of(program), np.sort(p)[::-1]
    if quantity == 'all':
        return ''
    wanted = 1 if quantity == 'one' else int(quantity)
    if len(chosen) < wanted:
        return f'{wording.seen(len(chosen), noun)}, {_asked(wanted)}'
    following = float(order[wanted]) if len(order) > wanted else 0.0
    last = float(order[wanted - 1])
    if following < options.absent or last / (last + following) >= options.sure:
        return ''
    rank = _rank_of(program)
    if rank is not None:
        adjective = wording.ADJECTIVES[rank.key, rank.order]
        alike = wanted + max(int((order[wanted:] > 0.5 * last).sum()), 1)
        return f'{wording.counted(alike, noun)} are about equally {adjective}'
    alike = int((p >= following * 0.999).sum())
    alike = max(alike, int((p >= max(options.share * order[0], options.absent)).sum()))
    return f'{wording.seen(alike, noun)}, {_asked(wanted)}'


def _asked(count: int) -> str:
    return f'{wording.number(count)} {"was" if count == 1 else "were"} asked for'


def _rank_of(program: Node) -> Rank | None:
    inner = program.of if isinstance(program, Select) else program
    return inner if isinstance(inner, Rank) else None


def why_none(program: Node, literals: tuple[Literal, ...], options: Options) -> str:
    """Return why nothing fits: the first condition, of an anchor or of the target, that no region fulfils."""
    base = ''
    for x in literals:
        if x.noun and x.main:
            base = base or x.noun
        if not x.main and x.noun and x.best < options.absent:
            return f'no {x.noun} is seen'
        if x.main and x.reached < options.absent:
            if x.noun:
                return (
                    f'no {x.noun} is seen'
                    if base == x.noun
                    else f'{wording.a(base)} is seen, but none that is {x.text}'
                )
            return f'{wording.a(base)} is seen, but none {x.text}' if base else f'{wording.none_of(program)} is seen'
    return f'{wording.none_of(program)} is seen'


def _unknown(nouns: frozenset[str]) -> str:
    return ', '.join(f'"{n}"' for n in sorted(nouns)) + ' is no name that can be told by its looks'


def _candidates(degree: Degree, literals: tuple[Literal, ...]) -> tuple[Candidate, ...]:
    order = np.argsort(-degree.p, kind='stable')[:MAX_CANDIDATES]
    own = [x for x in literals if x.main]
    return tuple(
        Candidate(int(i), float(degree.p[i]), tuple((x.text, float(x.degrees[i])) for x in own))
        for i in order
        if degree.p[i] > 0.01
    )


def _made(
    status: Status,
    reasons: list[str],
    facts: Facts,
    degree: Degree,
    chosen: tuple[int, ...],
    decided: bool,
    evidence: Evidence,
    candidates: tuple[Candidate, ...],
) -> Answer:
    masks = facts.segments.masks
    mask = masks[list(chosen)].any(0) if chosen else np.zeros(masks.shape[1:], bool)
    score = float(degree.p[list(chosen)].min()) if chosen else evidence.best
    reason = '; '.join(dict.fromkeys(reasons))
    return Answer(status, reason, score, degree, chosen, False, np.asarray(mask), decided, evidence, candidates)


def _recall_answer(
    program: Node,
    facts: Facts,
    degree: Degree,
    evidence: Evidence,
    candidates: tuple[Candidate, ...],
    unknown_nouns: frozenset[str],
    options: Options,
) -> Answer:
    """Return every region that could be meant; unexplained or unknown parts are unknown, never absent."""
    least = options.recall_share * evidence.best if evidence.best >= options.recall_least else options.recall_least
    possible = (degree.p >= least) | (degree.doubt & (degree.high >= options.present))
    order = np.argsort(-degree.p, kind='stable')
    chosen = tuple(int(i) for i in order if possible[i])
    reasons: list[str] = []
    if evidence.unexplained > options.unexplained:
        reasons.append('part of the image shows things that are not recognised')
    if unknown_nouns:
        reasons.append(_unknown(unknown_nouns))
    doubtful = bool((degree.doubt & possible).any())
    if doubtful:
        reasons += sorted(degree.notes)
    if not chosen:
        status = Status.LOW_CONFIDENCE if reasons else Status.NO_TARGET
        reasons.insert(0, why_none(program, evidence.literals, options))
    else:
        status = Status.OK if evidence.best >= options.present and not reasons else Status.LOW_CONFIDENCE
        if evidence.best < options.present:
            reasons.insert(0, _unsure(program))
    return _made(status, reasons, facts, degree, chosen, not doubtful, evidence, candidates)


def _area_answer(
    program: Node,
    facts: Facts,
    area: Area,
    degree: Degree,
    evidence: Evidence,
    candidates: tuple[Candidate, ...],
    options: Options,
) -> Answer:
    """Return an answer whose mask is an area, with the regions of a union."""
    added = choose(degree.p, 'all', options)
    mask = area.mask | facts.segments.masks[list(added)].any(0) if added else area.mask
    reasons = sorted(area.notes)
    if not mask.any():
        missing = 'no place to hold' if isinstance(program, Parts) else wording.none_of(program)
        reasons.insert(0, f'{missing} is seen')
        status = Status.NO_TARGET if area.decided else Status.LOW_CONFIDENCE
        return Answer(
            status, '; '.join(reasons), area.sure, degree, added, True, mask, area.decided, evidence, candidates
        )
    sure = area.sure >= options.present and area.decided
    status = Status.OK if sure else Status.LOW_CONFIDENCE
    return Answer(
        status,
        '; '.join(reasons),
        area.sure,
        degree,
        added,
        True,
        mask,
        area.decided,
        evidence,
        candidates,
        measured=area.measured,
    )
