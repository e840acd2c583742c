"""Words of an instruction, and the values of spans: a singular noun, a free text, or a length in metres."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
import re
from typing import Final

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import plural, singular
from converseg_ros.programs.vocabulary import LONGEST_SPAN

MAX_WORDS: Final = 80
FILLERS: Final = frozenset({'um', 'uh', 'er', 'erm', 'uhm', 'hmm', 'ah'})

_WORD = re.compile(r"'s\b|[^\W_]+(?:[.,]\d+|['-](?!s\b)[^\W_]+)*|[^\w\s]")
_UNITS: Final = {
    'mm': 0.001, 'millimetre': 0.001, 'millimeter': 0.001, 'cm': 0.01, 'centimetre': 0.01, 'centimeter': 0.01,
    'dm': 0.1, 'm': 1.0, 'metre': 1.0, 'meter': 1.0, 'inch': 0.0254, 'inche': 0.0254, 'in': 0.0254, '"': 0.0254,
    'foot': 0.3048, 'feet': 0.3048, 'ft': 0.3048,
}  # fmt: skip
_NUMBERS: Final = {
    'one': 1, 'two': 2, 'three': 3, 'four': 4, 'five': 5, 'six': 6, 'seven': 7, 'eight': 8,
    'nine': 9, 'ten': 10, 'eleven': 11, 'twelve': 12, 'fifteen': 15, 'twenty': 20, 'thirty': 30, 'forty': 40,
    'fifty': 50, 'sixty': 60, 'eighty': 80, 'hundred': 100, 'half': 0.5, 'quarter': 0.25,
}  # fmt: skip


@dataclass(frozen=True)
class Text:
    """The words of an instruction; see `split`."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.words)

    @cached_property
    def lengths(self) -> dict[int, tuple[int, ...]]:
        """Return the spans that are lengths, as first word -> possible last words."""
        if not any(_is_unit(word) for word in self.words):
            return {}
        count = len(self.words)
        found = {
            a: tuple(b for b in range(a, min(a + LONGEST_SPAN, count)) if length(self.words[a : b + 1]) is not None)
            for a in range(count)
        }
        return {a: ends for a, ends in found.items() if ends}


def _is_unit(word: str) -> bool:
    return word.lstrip('0123456789.,').removesuffix('s') in _UNITS or word.lstrip('0123456789.,') in _UNITS


def split(text: str) -> list[str]:
    """Return the words and punctuation marks of a text, in lower case.

    Raise InputError for a text without words and for one of more than MAX_WORDS.
    """
    words = _WORD.findall(text.casefold().replace('’', "'"))
    if not any(w[0].isalnum() for w in words):
        raise InputError(f'{text!r:.40} has no words', where='instruction', do='say what to look for')
    if len(words) > MAX_WORDS:
        raise InputError(
            f'{len(words)} words are more than {MAX_WORDS}', where='instruction', do='ask for one thing at a time'
        )
    return words


ARTICLES = frozenset({'a', 'an', 'the', 'some'})


def find_span(slot: str, value: str | float, words: Sequence[str]) -> tuple[int, int] | None:
    """Return the first and last index of the first span with the value `value`, or None."""
    content = [i for i, word in enumerate(words) if word not in FILLERS]
    if slot == 'length':
        spans = ((a, b) for a in content for b in reversed(content) if a <= b < a + LONGEST_SPAN)
        return next((span for span in spans if _close(length(words[span[0] : span[1] + 1]), float(value))), None)
    said, found = str(value), []
    for form in dict.fromkeys((said, plural(said))) if slot == 'noun' else (said,):
        wanted = split(form)
        for start in range(len(content) - len(wanted) + 1):
            inside = content[start : start + len(wanted)]
            if [words[i] for i in inside] == wanted:
                found.append((inside[0], inside[-1]))
                break
    return min(found, default=None)


def _close(metres: float | None, wanted: float) -> bool:
    return metres is not None and abs(metres - wanted) < 1e-4


def read_span(slot: str, words: Sequence[str]) -> str | float:
    """Return the value of a span in a slot; raise InputError if a length is invalid."""
    words = [w for w in words if w not in FILLERS] or words
    if slot == 'length':
        metres = length(words)
        if metres is None:
            raise InputError(f'{" ".join(words)!r} is not a length', where='instruction', do='write it like "20 cm"')
        return metres
    if slot == 'noun' and len(words) > 1 and words[0] in ARTICLES:
        words = words[1:]  # "a lunch"
    phrase = ' '.join(words).replace(" 's", "'s")
    return singular(phrase) if slot == 'noun' else phrase


def length(words: Sequence[str]) -> float | None:
    """Return the metres of words like "20 cm", "half a metre" or "10 by 20 centimetres", the largest of several."""
    scale, article = 0.0, False
    numbers: list[float | None] = [None]
    for word in (part for w in words for part in re.findall(r'\d+(?:[.,]\d+)?|[^\W\d]+|"', w)):
        unit, number = _UNITS.get(word) or _UNITS.get(word.removesuffix('s')), numbers[-1]
        if word[0].isdigit():
            numbers[-1] = float(word.replace(',', '.'))
        elif unit is not None:
            scale = max(scale, unit)
        elif word in ('by', 'x', 'times') and number is not None:
            numbers.append(None)
        elif word in ('a', 'an'):
            article = True
        elif word in _NUMBERS:
            value = _NUMBERS[word]
            numbers[-1] = value if number is None else number * value if value == 100 else number + value
        elif word not in ('of', 'and'):
            return None
    said = [n for n in numbers if n is not None] or ([1.0] if article else [])
    return round(max(said) * scale, 4) if said and scale else None
