"""Training texts of the parser: phrasings, output of the printer, and texts of a file, such as prompts."""

from dataclasses import dataclass
from functools import cache
import json
from pathlib import Path
import random
from typing import Final

from converseg_ros.core.errors import InputError, parsing
from converseg_ros.programs.canonical import canonical
from converseg_ros.programs.nodes import Node, program_from_json
from converseg_ros.programs.phrasing import Part, sample
from converseg_ros.programs.phrasing.noise import roughen
from converseg_ros.programs.printer import words
from converseg_ros.training.parser.swaps import varied

PRINTED: Final = 0.03
"""Share of texts that are output of the printer, so that printed programs can be parsed."""
COPIED_TYPO: Final = 0.04
"""Share of texts with a typing error in a copied word; phrasing misspells only other words."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Texts with programs of a file (`read`) that are mixed with generated phrases.

    share: of all texts, 0 to 1. swap_nouns: whether most of them get other nouns (training/parser/swaps.py).
    """

    path: str
    share: float
    swap_nouns: bool = False

    def draw(self, rng: random.Random) -> tuple[str, Node]:
        """Return one of the texts and its program."""
        text, program = rng.choice(read(self.path))
        return varied(rng, text, program) if self.swap_nouns else (text, program)


def phrased(rng: random.Random, part: Part, pairs: Pairs | None = None) -> tuple[str, Node]:
    """Return a text and the program that it means; `pairs` are used except for held-out phrases."""
    if pairs is not None and part != 'held_out' and rng.random() < pairs.share:
        text, program = pairs.draw(rng)
        return roughen(text, program, rng, part), program
    text, program = sample(rng, part)
    if rng.random() < PRINTED:
        program = canonical(program)
        return words(program), program
    return text, program


@cache
def read(path: str) -> tuple[tuple[str, Node], ...]:
    """Return the prompts with a program of lines {"prompt" or "text", "program"}, as the data engine writes them."""
    out = []
    with parsing('items with programs', path, 'give the items.jsonl of a data set'):
        for line in Path(path).read_text(encoding='utf-8').splitlines():
            row = json.loads(line)
            if row.get('program'):
                out.append((str(row.get('prompt') or row['text']), program_from_json(row['program'])))
    if not out:
        raise InputError('no item has a program', where=path, do='build the data set again with this version')
    return tuple(out)


def misspell_copied(rng: random.Random, words: list[str], pointers: list[int]) -> None:
    """Swap, drop or double a letter of a copied word, keeping the pointers to it valid."""
    if not pointers or rng.random() >= COPIED_TYPO:
        return
    i = rng.choice(pointers)
    word = words[i]
    if len(word) < 4 or not word.isalpha():
        return
    at = rng.randrange(1, len(word) - 1)
    exchanged = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    words[i] = rng.choice((exchanged, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]))
