"""The explanation of a decision: its reasons in words, the evidence that a target exists, and the candidates."""

import numpy as np

from converseg_ros.core.status import Status
from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution import wording
from converseg_ros.facts.execution.answer import Answer, Candidate, Evidence, Literal, Options
from converseg_ros.facts.execution.decision import Decision, Miscount, unexplained
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Node

MAX_CANDIDATES = 5
NO_DEGREE = 1e-3  # added to products of degrees before comparing them
NO_CHANCE = 1e-4  # added to probabilities before comparing them: smaller ones are alike


def explain(program: Node, facts: Facts, decision: Decision, literals: tuple[Literal, ...], options: Options) -> Answer:
    """Return the answer of a program: its decision with mask, score and reasons.

    The reasons of a mask and those of NO_TARGET are different texts, because the existence model decides which of the
    two is shown.
    """
    mask = decision.mask(facts)
    missing = why_none(program, literals, options)
    unsure = f'it is not certain that {wording.any_of(program)} is seen'
    if decision.area is not None:
        notes, score = sorted(decision.area.notes), decision.area.sure
        none = [f'{wording.none_of(program)} is seen', *notes]
        reasons = notes if score >= options.present else [unsure, *notes]
    else:
        notes = _doubts(facts, decision, options)
        score = float(decision.degree.p[list(decision.chosen)].min()) if decision.chosen else decision.best
        count = [_counted(program, decision.miscount)] if decision.miscount is not None else []
        none = [missing, *notes]
        reasons = [*count, *([unsure] if decision.best < options.present else []), *notes]
    absent = decision.status == Status.NO_TARGET or not mask.any()
    return Answer(
        decision.status,
        '; '.join(dict.fromkeys(none if absent else reasons)),
        score,
        decision.degree,
        decision.chosen,
        decision.area is not None,
        mask,
        decision.decided,
        _evidence(facts, decision, literals),
        _candidates(decision.degree, literals),
        '; '.join(none) if decision.area is not None else missing,
        '; '.join(dict.fromkeys(reasons if mask.any() else none)),
        measured=decision.area is not None and decision.area.measured,
        weighed=decision.weighed,
        unknown=decision.unknown,
        doubtful=decision.doubtful,
    )


def _doubts(facts: Facts, decision: Decision, options: Options) -> list[str]:
    """Return the reasons for which an answer that consists of regions is not certain."""
    notes = sorted(decision.degree.notes) if decision.open else []
    if decision.kept:
        notes.append('in this image alone another region would be selected')
    unknown = [_unknown(decision.unknown_nouns)] if decision.unknown_nouns else []
    if options.recall:
        unseen = unexplained(facts) > options.unexplained
        return [*(['part of the image shows things that are not recognised'] if unseen else []), *unknown, *notes]
    if decision.open:
        notes = notes or ['facts do not decide it']
    if decision.leaving is None:
        return notes + unknown
    surest = f'(the surest with {decision.leaving:.2f})'
    return [*notes, *unknown, f'it is not certain which regions are to be left out {surest}']


def _counted(program: Node, miscount: Miscount) -> str:
    """Return what is wrong with the number of regions."""
    noun, rank = wording.noun_of(program), miscount.rank
    if rank is not None:
        adjective = wording.ADJECTIVES[rank.key, rank.order]
        return f'{wording.counted(miscount.seen, noun if miscount.sure else "region")} are about equally {adjective}'
    asked = f'{wording.number(miscount.wanted)} {"was" if miscount.wanted == 1 else "were"} asked for'
    if miscount.sure:
        return f'{wording.seen(miscount.seen, noun)}, {asked}'
    return f'{wording.counted(miscount.seen, "region")} could be meant, {asked}'


def _evidence(facts: Facts, decision: Decision, literals: tuple[Literal, ...]) -> Evidence:
    """Return the evidence that a target exists."""
    p, area = decision.degree.p, decision.area
    some = float(1 - np.prod(1 - p)) if len(p) else 0.0
    if area is not None and (area.mask.any() or not area.decided):
        some = 1 - (1 - some) * (1 - area.sure)
    return Evidence(
        noisy_or=some,
        best=decision.best,
        weakest=min((x.best for x in literals), default=decision.best),
        in_vocabulary=not decision.unknown_nouns,
        unexplained=unexplained(facts),
        literals=literals,
        quality=float(facts.segments.quality[list(decision.chosen)].mean()) if decision.chosen else decision.best,
        lead=_lead(decision),
        agreement=_agreement([x for x in literals if x.main]),
        named=min((x.best for x in literals if x.main and x.noun), default=0.5),
    )


def _lead(decision: Decision) -> float:
    """Return the share of the last selected region against the next one, 0.5 without regions."""
    if not decision.chosen:
        return 0.5
    p, chosen = decision.degree.p, list(decision.chosen)
    others = np.delete(p, [*chosen, *decision.gone])
    last, following = float(p[chosen].min()) + NO_CHANCE, float(others.max(initial=0.0)) + NO_CHANCE
    return last / (last + following)


def _agreement(conditions: list[Literal]) -> float:
    """Return how far one region fulfils all conditions of the target that regions fulfil at all.

    "The red mug" where a mug is white and a chair is red: 0.
    """
    if len(conditions) < 2:
        return 1.0
    separately = float(np.prod([x.best for x in conditions]))
    return min((conditions[-1].reached + NO_DEGREE) / (separately + NO_DEGREE), 1.0)


def why_none(program: Node, literals: tuple[Literal, ...], options: Options) -> str:
    """Return why nothing fits: the first condition that no region fulfils, or that none fulfils certainly.

    It is a condition of the target or the name of an anchor. Another condition of the target is only mentioned as
    fulfilled if it is.
    """
    base, reached = '', 1.0
    found: list[tuple[float, str]] = []
    for x in literals:
        if x.main:
            found.append((x.reached / max(reached, 1e-9), _missing(program, x, base)))
            reached = x.reached
            if x.noun and reached >= options.present:
                base = base or x.noun
        elif x.noun:
            found.append((x.best, _missing(program, x, base)))
    for limit in (options.absent, options.present):
        for share, why in found:
            if share < limit:
                return why
    return min(found, default=(1.0, f'{wording.none_of(program)} is seen'))[1]


def _missing(program: Node, literal: Literal, base: str) -> str:
    """Return that a condition is not fulfilled. base: the name of what is seen without this condition, or ''."""
    if not literal.main:
        return f'no {literal.noun} is seen'
    if not base:
        return f'no {literal.noun} is seen' if literal.noun else f'{wording.none_of(program)} is seen'
    return f'{wording.a(base)} is seen, but none {"that is " if literal.noun else ""}{literal.text}'


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
