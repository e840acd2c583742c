"""The evidence of an answer as numbers: the input of the models of existence and correctness."""

from converseg_ros.facts.execution.answer import Answer


def evidence_of(answer: Answer, *, parse: float, clear: bool, depth: bool) -> dict[str, float]:
    """Return the named numbers about an answer.

    parse: the confidence of the program. clear: whether nothing but the certainty of the regions speaks against OK.
    depth: whether the view has depth.
    """
    found = answer.evidence
    return {
        'best': found.best,
        'noisy_or': found.noisy_or,
        'weakest': found.weakest,
        'conditions': float(len(found.literals)),
        'measured': float(answer.measured),
        'in_vocabulary': float(found.in_vocabulary),
        'parse': parse,
        'unexplained': found.unexplained,
        'agreement': found.agreement,
        'named': found.named,
        'quality': found.quality,
        'lead': found.lead,
        'clear': float(clear),
        'depth': float(depth),
    }
