"""Checks of a program against the words of its text: what no word says, and a number that the noun contradicts.

A parser that has not seen a verb or a name gives it the meaning of another one: "asleep" becomes watching, "the Saint
Agur packet" a purple one. The values of some closed sets have few words in English (data/evidence.yaml), so that such
a program can be recognised.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import plural, singular
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.attachment import misplaced
from converseg_ros.programs.nodes import CLOSED, Act, Filter, FreeSpace, Node, Rank, Relate, Select
from converseg_ros.programs.nouns import main_noun
from converseg_ros.programs.spans import find_span

FILE: Final = Path(__file__).parent / 'data' / 'evidence.yaml'
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    **{kind: values for kind, values in CLOSED.items() if kind != 'physics'},
    'act': v.ACTS,
    'relation': v.RELATIONS,
    'rank': v.RANK_KEYS,
    'op': ('free',),
}
"""The values that the file may list, by kind."""

ARTICLES: Final = frozenset({'a', 'an', 'the', 'this', 'that', 'my', 'your'})
CHOOSING: Final = frozenset({'one', 'among', 'which', 'whichever'})
"""Words that select a member of a plural, besides a preceding 'of': 'which mugs', 'the larger of the mugs'."""


@cache
def stems() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Return the beginnings of the words that can mean a value, by kind and value; raise InputError for another one."""
    table = yaml.safe_load(FILE.read_text(encoding='utf-8'))
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for kind, values in table.items():
        if unknown := values.keys() - set(VALUES.get(kind, ())):
            raise InputError(f'{kind} has no values {sorted(unknown)}', where=str(FILE), do='see VALUES in evidence.py')
        found[kind] = {value: tuple(text.split()) for value, text in values.items()}
    return found


def faults(program: Node, words: Sequence[str]) -> int:
    """Return the number of values that no word says, of misplaced prepositions and of wrong numbers of the noun."""
    return _unsaid(program, words) + misplaced(program, words) + _wrong_number(program, words)


def says_more(program: Node, words: Sequence[str]) -> bool:
    """Return whether a program has a value that no word says."""
    return _unsaid(program, words) > 0


def _unsaid(program: Node, words: Sequence[str]) -> int:
    return sum(not any(word.startswith(said) for word in words) for said in _needed(program))


def _needed(program: Node) -> Iterator[tuple[str, ...]]:
    """Yield the beginnings of words for each value of a program that has some."""
    for node in program.walk():
        match node:
            case Act(kind, role) if role != 'uninvolved':  # 'has nothing to do with it'
                kind, value = 'act', kind
            case Filter(by, value):
                kind = by
            case Relate(value):
                kind = 'relation'
            case Rank(value):
                kind = 'rank'
            case FreeSpace():
                kind, value = 'op', 'free'
            case _:
                continue
        if value in (said := stems().get(kind, {})):
            yield said[value]


def _wrong_number(program: Node, words: Sequence[str]) -> bool:
    """Return whether one is selected of a plural ('the mugs'), or all of a singular ('a mug')."""
    noun = main_noun(program) if isinstance(program, Select) else ''
    span = find_span('noun', noun, words) if any(c.isalnum() for c in noun) else None
    if span is None or not isinstance(program, Select):
        return False
    said, before = ' '.join(words[span[0] : span[1] + 1]), words[: span[0]]
    if program.quantity == 'one':
        return singular(said) != said and 'of' not in before and CHOOSING.isdisjoint(words)
    single = singular(said) == said and plural(said) != said
    return program.quantity == 'all' and single and not ARTICLES.isdisjoint(before[-3:])
