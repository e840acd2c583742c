"""Words of phrases: numbers, and nouns to fill in."""

from bisect import bisect
from functools import cache
from itertools import accumulate
import random
import re

from converseg_ros.knowledge import plural, singular, things
from converseg_ros.programs.phrasing.templates import data, entries


@cache
def _numbers() -> tuple[frozenset[str], frozenset[str]]:
    """Return the mass nouns, and the nouns with only a plural."""
    mass, many = set[str](), set[str]()
    for thing in things().values():
        names = [n for n in thing.names if ' of ' not in n]
        if thing.mass:
            mass.update(names)
        elif thing.plural_only:  # except names in the singular: headphones are a headset
            many.update(n for n in names if n == thing.name or n.endswith('s'))
    for block in data('nouns').values():
        for word in _split(block):
            if word[0] == '*':
                mass.add(word[1:])
            elif word[0] == '+':
                many.add(word[1:])
    return frozenset(mass), frozenset(many)


def _split(block: str) -> list[str]:
    return [w for x in block.split(',') if (w := ' '.join(x.split()))]


def is_mass(noun: str) -> bool:
    """Return whether a noun has no plural, such as 'milk'."""
    return noun in _numbers()[0]


def is_plural_only(noun: str) -> bool:
    """Return whether a noun has no singular, such as 'scissors'; 'sweets' is used as if it had none."""
    return noun in _numbers()[1] or (
        noun not in _numbers()[0] and bool(_MANY.search(noun.partition(' of ')[0])) and singular(noun) == noun
    )


@cache
def group(name: str) -> tuple[str, ...]:
    """Return the nouns of a group of nouns.yaml whose plural converts back to the same singular."""
    found = [w.lstrip('*+') for w in _split(data('nouns')[name])]
    return tuple(w for w in found if _regular(w))


@cache
def free(name: str) -> tuple[str, ...]:
    """Return the words of a list of like.yaml."""
    text = data('like')[name]
    return tuple(_split(text) if ',' in text else text.split())


@cache
def contents() -> tuple[str, ...]:
    """Return possible contents of a box or a bottle."""
    return tuple(_split(data('nouns')['contents']))


def _regular(noun: str) -> bool:
    return is_mass(noun) or is_plural_only(noun) or (singular(plural(noun)) == noun and singular(noun) == noun)


@cache
def known() -> tuple[str, ...]:
    """Return all names of the classes of `knowledge` that are objects or places, not people."""
    names = [n for t in things().values() if 'agent' not in t.kinds for n in t.names]
    return tuple(n for n in dict.fromkeys(names) if _regular(n))


@cache
def countable() -> tuple[str, ...]:
    """Return the names of all classes of `knowledge`, people included, that have a singular and a plural.

    Names of more than two words, and names with capital letters, are left out.
    """
    names = [n for t in things().values() if not t.mass and not t.plural_only for n in t.names]
    short = [n for n in dict.fromkeys(names) if len(n.split()) <= 2 and n.isascii() and n == n.lower()]
    return tuple(n for n in short if not is_mass(n) and not is_plural_only(n) and _regular(n))


_MANY = re.compile(r'(?<![suiao])s$(?<!lens)')  # endings of plural nouns, but not of glass, bus, canvas, lens
SYLLABLES = (
    'ba', 'ko', 'ri', 'zu', 'mel', 'tor', 'fin', 'dra', 'sno', 'ply', 'gar', 'vex', 'lin', 'qua', 'ster', 'pok', 'nim',
    'cor', 'bel', 'tas',
)  # fmt: skip


class Weights:
    """Names with weights, of a table of weights.yaml."""

    def __init__(self, table: str) -> None:
        rows = data('weights')[table]
        if table == 'acts':  # weights of kinds for all their tables
            rows = {key: rows.get(key.split('.')[0], 1) for key in entries('acts')}
        self.names: tuple[str, ...] = tuple(rows)
        self._sums = tuple(accumulate(rows.values()))

    def draw(self, rng: random.Random) -> str:
        """Return a name with a probability proportional to its weight."""
        return self.names[bisect(self._sums, rng.random() * self._sums[-1])]


@cache
def weights(table: str) -> Weights:
    """Return a table of weights.yaml."""
    return Weights(table)


def draw_noun(rng: random.Random) -> str:
    """Return a singular noun for an object: an everyday one, a compound, or an unknown one."""
    at = rng.random()
    if at < 0.35:
        return rng.choice(known())
    if at < 0.88:
        return rng.choice(group(weights('nouns').draw(rng)))
    if at < 0.92:
        return f'{rng.choice(group("filled"))} of {rng.choice(contents())}'
    noun = draw_noun(rng)
    if ' ' in noun:
        return noun
    if at < 0.96:
        return f'{rng.choice(group("compound"))} {noun}'
    if at < 0.985:
        return f'{rng.choice(group("brands"))} {noun}'
    return ''.join(rng.choices(SYLLABLES, k=rng.choice((2, 2, 3))))


def draw_surface(rng: random.Random) -> str:
    """Return a noun for a surface that objects stand on."""
    return rng.choice(group('surfaces'))


def draw_person(rng: random.Random) -> str:
    """Return a noun for an agent."""
    at = rng.random()
    return rng.choice(group('people' if at < 0.68 else 'hands' if at < 0.9 else 'animals'))


@cache
def containers() -> tuple[str, ...]:
    """Return the usual names of containers."""
    tags = {'container', 'holds_liquid', 'contain_small', 'carry'}
    return tuple(t.name for t in things().values() if t.tags & tags and _regular(t.name))


def is_somebody(noun: str) -> bool:
    """Return whether a noun means a person, a hand or an animal."""
    return any(noun in group(name) for name in ('people', 'hands', 'animals'))


def draw_part(rng: random.Random) -> str:
    """Return a noun for a part of a thing."""
    return rng.choice(group('parts'))
