"""The sentences of the intent reader: those of people, and generated ones."""

from collections.abc import Iterator
import random
from typing import Final, Literal

from converseg_ros.core.errors import InputError
from converseg_ros.programs.intents import OTHER, condition, intent_of, intents
from converseg_ros.programs.nodes import Select
from converseg_ros.programs.phrasing import Part, sample, say
from converseg_ros.programs.phrasing.noise import roughen
from converseg_ros.programs.phrasing.templates import data

HELD_OUT: Final = 5  # one sentence of an intent in this number is held out
Sentence = tuple[str, str]
"""A text and its intent."""


def by_people(part: Literal['train', 'held_out', 'all']) -> list[Sentence]:
    """Return sentences of programs/phrasing/data/intents.yaml; raise InputError for an unknown intent.

    Every fifth sentence of an intent is held out.
    """
    known = set(intents())
    out = []
    for intent, lines in data('intents').items():
        if intent not in known:
            raise InputError(f'{intent} is no intent', where='intents.yaml', do='use a tag, KIND.VALUE or other')
        for number, line in enumerate((text for text in lines.splitlines() if text), 1):
            if part == 'all' or (part == 'held_out') == (number % HELD_OUT == 0):
                out.append((line, intent))
    return out


def phrased(count: int, seed: int, part: Part = 'all') -> Iterator[Sentence]:
    """Yield `count` phrasings of each property."""
    rng = random.Random(f'phrased intents {seed}')
    for intent in intents():
        for _ in range(count if intent != OTHER else 0):
            program = Select('all' if rng.random() < 0.6 else 'one', condition(intent))
            yield roughen(say(program, rng, part), program, rng, part), intent


def drawn(count: int, seed: int, part: Part = 'all') -> Iterator[Sentence]:
    """Yield `count` texts of random programs, as in the training of the parser."""
    rng = random.Random(f'drawn intents {seed}')
    for _ in range(count):
        text, program = sample(rng, part)
        yield text, intent_of(program)
