"""Noun phrases of requests and their head nouns."""

from collections.abc import Sequence
import re

from converseg_ros.dialogue.vocabulary import DET, PREPOSITION, RELATIONS


def conjunction(phrases: Sequence[str]) -> str:
    """Return 'a, b and c'."""
    return ' and '.join([', '.join(phrases[:-1]), phrases[-1]]) if len(phrases) > 1 else phrases[0]


def as_thing(resolved: str) -> tuple[str, str]:
    """Return a request as a noun phrase and its head noun: 'which drawer is open' -> 'the drawer that is open'."""
    text = resolved.casefold().strip()
    for pattern, phrase, noun in (
        (r'which (?P<n>[\w -]+?) (?P<r>(?:is|are|can|could|would|has|have|should)\b.*)', 'the {n} that {r}', ''),
        (rf'what is (?P<r>{PREPOSITION}\b.*)', 'the thing {r}', 'thing'),
        (r'what (?P<m>can|could|should) (?P<p>i|you|we) (?P<r>.+)', 'the thing {p} {m} {r}', 'thing'),
        (r'what (?P<r>.+)', 'the thing that {r}', 'thing'),
        (r'who is (?P<r>.+)', 'the person {r}', 'person'),
        (r'where (?P<m>can|could|should) (?P<p>i|you|we) (?P<r>.+)', 'the place where {p} {m} {r}', 'place'),
        (r'where (?P<r>.+)', 'the place where {r}', 'place'),
        (r'(?:something|anything) (?P<r>.+)', 'the thing {r}', 'thing'),
    ):
        match = re.fullmatch(pattern, text)
        if match:
            return phrase.format(**match.groupdict()), noun or head(match.groupdict().get('n', ''))
    return text, head(text)


def head(phrase: str) -> str:
    """Return the head noun of a noun phrase: 'the red mug on the left' -> 'mug'."""
    words = re.sub(rf'^(?:{DET}\s+)+', '', phrase.casefold()).split()
    end = next(
        (n for n, w in enumerate(words) if n and (re.fullmatch(PREPOSITION, w) or re.fullmatch(RELATIONS, w))),
        len(words),
    )
    return words[end - 1] if words else ''
