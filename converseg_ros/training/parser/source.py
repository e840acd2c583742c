"""Where the parser's training texts come from: what people say, and now and then what the printer prints."""

import random
from typing import Final

from converseg_ros.programs.canonical import canonical
from converseg_ros.programs.nodes import Node
from converseg_ros.programs.phrasing import Part, sample
from converseg_ros.programs.printer import words

PRINTED: Final = 0.03
"""Share of texts that are the printer's words, so that parsing what was printed gives the program back."""
COPIED_TYPO: Final = 0.04
"""Share of texts in which a copied word gets a typing error; phrasing misspells only the other words."""


def phrased(rng: random.Random, part: Part) -> tuple[str, Node]:
    """Return a text and the program that it means."""
    text, program = sample(rng, part)
    if rng.random() < PRINTED:
        program = canonical(program)
        return words(program), program
    return text, program


def misspell_copied(rng: random.Random, words: list[str], pointers: list[int]) -> None:
    """Exchange, drop or double a letter of a copied word; the pointers to it stay right."""
    if not pointers or rng.random() >= COPIED_TYPO:
        return
    i = rng.choice(pointers)
    word = words[i]
    if len(word) < 4 or not word.isalpha():
        return
    at = rng.randrange(1, len(word) - 1)
    exchanged = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    words[i] = rng.choice((exchanged, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]))
