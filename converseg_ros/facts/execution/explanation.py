"""The explanation of a decision: its reasons in words, the evidence that a target exists, and the candidates."""

import numpy as np

from converseg_ros.facts.degrees import Degree
from converseg_ros.facts.execution import wording
from converseg_ros.facts.execution.answer import Answer, Candidate, Evidence, Literal, Options
from converseg_ros.facts.execution.decision import Decision, Miscount, unexplained
from converseg_ros.facts.table import Facts
from converseg_ros.programs.nodes import Node, Parts

MAX_CANDIDATES = 5


def explain(program: Node, facts: Facts, decision: Decision, literals: tuple[Literal, ...], options: Options) -> Answer:
    """Return the answer of a program: its decision with mask, score and reasons."""
    mask = decision.mask(facts)
    evidence = _evidence(facts, decision, literals)
    none = why_none(program, literals, options)
    unsure = f'it is not certain that {wording.any_of(program)} is seen'
    if decision.area is not None:
        reasons, score = sorted(decision.area.notes), decision.area.sure
        if not decision.found:
            missing = 'no place to hold' if isinstance(program, Parts) else wording.none_of(program)
            reasons.insert(0, f'{missing} is seen')
        none = '; '.join(reasons)
    else:
        first = [none] if not decision.found else [unsure] if decision.best < options.present else []
        if decision.miscount is not None:
            first.insert(0, _counted(program, decision.miscount))
        reasons = list(dict.fromkeys(first + _doubts(facts, decision, options)))
        score = float(decision.degree.p[list(decision.chosen)].min()) if decision.chosen else decision.best
    return Answer(
        decision.status,
        '; '.join(reasons),
        score,
        decision.degree,
        decision.chosen,
        decision.area is not None,
        mask,
        decision.decided,
        evidence,
        _candidates(decision.degree, literals),
        none,
        unsure,
        measured=decision.area is not None and decision.area.measured,
        weighed=decision.weighed,
        unknown=decision.unknown,
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
        return f'{wording.counted(miscount.seen, noun)} are about equally {adjective}'
    asked = f'{wording.number(miscount.wanted)} {"was" if miscount.wanted == 1 else "were"} asked for'
    return f'{wording.seen(miscount.seen, noun)}, {asked}'


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
    )


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
