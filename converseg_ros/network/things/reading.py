"""Queries as programs, given ones and texts by the parser, and the options of their execution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converseg_ros.core.errors import InputError
from converseg_ros.core.instruction import Role, without_closing_marks
from converseg_ros.core.segmentation import Query
from converseg_ros.facts.execution.answer import Options
from converseg_ros.network.things.parts import TextParser
from converseg_ros.programs.exclusion import contradiction
from converseg_ros.programs.nodes import Node, program_from_json

PRESENT, ABSENT = 0.3, 0.02  # of the executor
MIN_PROPOSED = 1e-9  # minimum probability of a proposed region: the existence model decides whether there is a target
SHARE = 0.5  # of the best region, for another member of "all"; chosen on the kitchen, photographs and tools


@dataclass(frozen=True, slots=True)
class ReadProgram:
    """A program, the probability that the text means it, and what in the text contradicts it."""

    root: Node
    confidence: float
    doubt: str = ''


def read_programs(
    queries: Sequence[Query], parser: TextParser, unreadable: Callable[[str], str]
) -> list[ReadProgram | str]:
    """Return the program of each query, or why it cannot be read; texts are read together.

    unreadable: returns why a text is not readable, '' if it is.
    """
    given = [_given(q, unreadable) for q in queries]
    texts = [without_closing_marks(q.text) for q, known in zip(queries, given) if known is None]
    parsed = iter(parser.parse_all(texts) if texts else ())
    out: list[ReadProgram | str] = []
    for query, known in zip(queries, given):
        if known is not None:
            out.append(known)
            continue
        found = next(parsed)
        if isinstance(found, InputError):
            out.append(str(found))
        else:
            out.append(ReadProgram(found.program, found.confidence, contradiction(query.text, found.program)))
    return out


def _given(query: Query, unreadable: Callable[[str], str]) -> ReadProgram | str | None:
    """Return the program of a query, or why it or its text cannot be read; None for a text to parse."""
    if query.program is None:
        return unreadable(query.text) or None
    try:
        return ReadProgram(program_from_json(query.program), 1.0)
    except InputError as error:
        return str(error)


def options_of(query: Query, confidence: float) -> Options:
    """Return how the program of a query is executed. confidence: the probability that the text means the program."""
    safety = query.role == Role.SAFETY
    return Options(
        PRESENT,
        ABSENT,
        least=MIN_PROPOSED,
        share=SHARE,
        recall=safety,
        belief=None if safety else query.belief,
        trust=1 - (1 - confidence) ** 2,  # if a program is wrong, most of its conditions are usually meant nevertheless
    )
