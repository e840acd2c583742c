"""Variation of written texts, as opposed to generated ones: other nouns in a text and in its program.

A few thousand texts have few nouns, and the parser must not learn which nouns occur in which programs. The same
sentence with other nouns means the same program with these nouns.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
import random
import re
from typing import Final

from converseg_ros.knowledge import article, plural
from converseg_ros.programs.nodes import Filter, FreeSpace, Like, Node, Parts
from converseg_ros.programs.phrasing.words import countable
from converseg_ros.programs.vocabulary import IMPLIED_NOUNS

VARIED: Final = 8 / 9
"""Share of the texts that are varied; the others stay as they were written."""
REPLACED: Final = 0.75
"""Share of the nouns of a varied text that are replaced."""


def varied(rng: random.Random, text: str, program: Node) -> tuple[str, Node]:
    """Return a text and its program with other nouns, most of the time."""
    if rng.random() >= VARIED:
        return text, program
    nouns = replaceable(text, program)
    others = {noun: rng.choice(countable()) for noun in nouns if rng.random() < REPLACED}
    return reworded(text, nouns, others), renamed(program, others)


def replaceable(text: str, program: Node) -> list[str]:
    """Return the nouns of a program that its text says, the longest first.

    A noun that is also in a copied free text or in the name of a part is left out, since these are not changed. So is
    an implied noun that the program has more often than the text: "who is next to the person" has two persons.
    """
    counts = Counter(noun for node in program.walk() if (noun := named(node)))
    quoted = ' '.join(quotation(node) for node in program.walk())
    found = []
    for noun, count in counts.items():
        said = len(_said(noun).findall(text))
        implied = noun in IMPLIED_NOUNS and said < count
        if said and not implied and not _said(noun).search(quoted):
            found.append(noun)
    return _said_alone(text, sorted(found, key=lambda noun: (-len(noun), noun)))


def _said_alone(text: str, nouns: list[str]) -> list[str]:
    """Return the nouns, the longest first, without one that the text says only in a longer one, and without that one.

    In "spool of white filament behind the black one", both things are spools; with another first noun, none is.
    """
    rest, left_out = text, set[str]()
    for noun in nouns:
        if not _said(noun).search(rest):
            left_out |= {noun, *(longer for longer in nouns if _said(noun).search(longer))}
        rest = _said(noun).sub(' ', rest)
    return [noun for noun in nouns if noun not in left_out]


def named(node: Node) -> str:
    """Return the noun of a node for a thing, '' for other nodes."""
    if isinstance(node, Filter) and node.by == 'name':
        return node.value
    return node.thing if isinstance(node, FreeSpace) else ''


def quotation(node: Node) -> str:
    """Return the words that a node copies from the text besides nouns for things, '' without such words."""
    if isinstance(node, Like):
        return node.text
    return node.noun if isinstance(node, Parts) else ''


def reworded(text: str, nouns: list[str], others: Mapping[str, str]) -> str:
    """Return a text with other nouns in the number of the old ones, with the right article before a singular.

    nouns: all nouns to look for, the longest first, so that the cup in "coffee cup" stays. others: the new nouns by the
    old ones.
    """
    if not others:
        return text
    forms = {form.lower(): noun for noun in reversed(nouns) for form in (plural(noun), noun)}

    def other(match: re.Match[str]) -> str:
        said, space = match['noun'].lower(), match['space']
        noun = forms[said]
        if noun not in others:
            return match[0]
        if said != noun.lower():
            return (match['before'] or '') + plural(others[noun])
        before = '' if space is None else article(others[noun]) + space
        return (before.capitalize() if match[0][0].isupper() else before) + others[noun]

    return _one_of(sorted(forms, key=len, reverse=True)).sub(other, text)


def renamed(program: Node, others: Mapping[str, str]) -> Node:
    """Return a program with other nouns."""
    node = program.map(lambda child: renamed(child, others))
    noun = others.get(named(node))
    if noun is None:
        return node
    return replace(node, thing=noun) if isinstance(node, FreeSpace) else replace(node, value=noun)  # type: ignore[call-arg]


def _said(noun: str) -> re.Pattern[str]:
    """Return a pattern for a noun in the singular or the plural."""
    return _one_of([plural(noun), noun])


def _one_of(forms: list[str]) -> re.Pattern[str]:
    """Return a pattern for one of some words, the first that fits, with an indefinite article before it if any."""
    options = '|'.join(re.escape(form) for form in forms)
    return re.compile(rf'(?<![-\w])(?P<before>an?(?P<space>\s+))?(?P<noun>{options})\b(?!-)', re.IGNORECASE)
