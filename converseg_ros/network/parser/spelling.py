"""Correction of typing errors in nouns: an unknown word becomes the most frequent known word at edit distance one."""

from collections.abc import Sequence
from functools import cache
from string import ascii_lowercase
from typing import Final

from converseg_ros import knowledge
from converseg_ros.knowledge.english import english_words

SHORTEST: Final = 4
"""Shorter words have too many neighbours."""


@cache
def noun_words() -> frozenset[str]:
    """Return the words of all names that `knowledge` has, in the singular and the plural."""
    names = [n.lower() for t in knowledge.things().values() for n in t.words]
    return frozenset(w for n in names for form in (n, knowledge.plural(n)) for w in form.split() if w.isalpha())


class Spelling:
    """Corrects words against the nouns of `knowledge` and a vocabulary of correct words."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """Create a corrector; `vocabulary`: words, the most frequent first."""
        self.rank = {word: i for i, word in enumerate(vocabulary) if word.isalpha()}
        self.rank |= {word: len(vocabulary) for word in noun_words() - self.rank.keys()}
        self.known = english_words()

    def correct(self, word: str) -> str:
        """Return the word, or the most frequent correct word at edit distance one if that is a noun."""
        if len(word) < SHORTEST or not word.isalpha() or not word.isascii() or word in self.rank:
            return word
        if word in self.known:  # "unlit" is no typing error of "unit"
            return word
        if knowledge.singular(word) in self.rank:
            return word
        best = min(_slips(word) & self.rank.keys(), key=lambda w: (self.rank[w], w), default=word)
        return best if best in noun_words() else word


def _slips(word: str) -> set[str]:
    """Return all words at edit distance one: a letter deleted, inserted, replaced or swapped with its neighbour."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    lost = {a + b[1:] for a, b in cuts if b}
    exchanged = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    replaced = {a + c + b[1:] for a, b in cuts if b for c in ascii_lowercase}
    added = {a + c + b for a, b in cuts for c in ascii_lowercase}
    return lost | exchanged | replaced | added
