"""Free text that the closed forms of the program language do not cover."""

from functools import cache, lru_cache
import random
import re
from typing import Literal

from converseg_ros.programs.phrasing import words
from converseg_ros.programs.phrasing.templates import lists, tidy
from converseg_ros.programs.phrasing.words import weights


@cache
def _patterns(kind: str) -> tuple[re.Pattern[str], ...]:
    return tuple(template.pattern() for template in lists('like')[kind].all)


@lru_cache(maxsize=4096)
def kind_of(text: str) -> Literal['deed', 'doing', '']:
    """Return whether a free text is a verb phrase: what an object would do, or what one would do with it."""
    if any(p.fullmatch(text) for p in _patterns('doing')):
        return 'doing'
    return 'deed' if any(p.fullmatch(text) for p in _patterns('deed')) else ''


def free_text(rng: random.Random, kind: str) -> str:
    """Return a random free text without a closed form."""
    slots = {name: rng.choice(words.free(name)) for name in ('job', 'occasion', 'place', 'food')}
    slots |= {'noun': words.draw_noun(rng), 'other': words.draw_noun(rng), 'brand': rng.choice(words.group('brands'))}
    slots |= {'adj': lists('like')['adjective'].pick(rng, 'all').text, 'colour': weights('colours').draw(rng)}
    slots |= {'person': words.draw_person(rng)}
    return tidy(lists('like')[kind].pick(rng, 'all').fill(rng, slots))


def plural_verb(text: str) -> str:
    """Return a verb phrase for several things: 'looks old' -> 'look old'."""
    verb, _, rest = text.partition(' ')
    irregular = {'is': 'are', 'has': 'have', 'does': 'do', "doesn't": "don't", 'was': 'were', 'goes': 'go'}
    regular = verb[:-1] if verb[-1] == 's' else verb
    return f'{irregular.get(verb, regular)} {rest}'.strip()
