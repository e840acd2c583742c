"""The sentences of the intent reader: those of people, and generated ones."""

from collections.abc import Iterator
import random
from typing import Final
import zlib

from converseg_ros.core.errors import InputError
from converseg_ros.programs.intents import OTHER, condition, intent_of, intents
from converseg_ros.programs.nodes import Select
from converseg_ros.programs.phrasing import Part, sample, say
from converseg_ros.programs.phrasing.noise import roughen
from converseg_ros.programs.phrasing.templates import data

HELD_OUT: Final = 5  # one sentence in this number is held out
Sentence = tuple[str, str]
"""A text and its intent."""


def by_people() -> list[Sentence]:
    """Return the sentences of programs/phrasing/data/intents.yaml; raise InputError for an unknown intent."""
    known = set(intents())
    out = []
    for intent, lines in data('intents').items():
        if intent not in known:
            raise InputError(f'{intent} is no intent', where='intents.yaml', do='use a tag, KIND.VALUE or other')
        out += [(line, intent) for line in lines.splitlines() if line]
    return out


def is_held_out(text: str) -> bool:
    """Return whether a sentence of people is held out of training, by its checksum."""
    return zlib.crc32(text.encode()) % HELD_OUT == 0


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
