"""Numbers in words: lengths, ordinals, counts."""

from converseg_ros.knowledge.number_words import CARDINALS, ORDINALS
from converseg_ros.programs.phrasing.talk import Talk

NUMBERS = CARDINALS[:11]


def number(talk: Talk, count: int) -> str:
    """Return a number in words, or sometimes in digits."""
    return NUMBERS[count] if count < len(NUMBERS) and talk.chance(0.9) else str(count)


def ordinal(talk: Talk, place: int) -> str:
    """Return the ordinal of a place: 'second', '2nd'."""
    if place < len(NUMBERS) and not talk.chance(0.12):
        return ORDINALS[place - 1]
    end = 'th' if place % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(place % 10, 'th')
    return f'{place}{end}'


def length(talk: Talk, metres: float) -> str:
    """Return a length in words, in a usual unit."""
    cm = round(metres * 100)
    if metres >= 1 or (cm % 50 == 0 and talk.chance(0.3)):
        if metres in (0.5, 1.0):
            words = (('half a metre', 'half a meter', '50 cm'), ('one metre', 'a metre', '1 m', 'one meter'))
            return talk.choose(words[metres == 1.0])
        return f'{metres:g} {talk.choose(("m", "metres", "meters"))}'
    options = (
        f'{cm} cm',
        f'{cm} cm',
        f'{cm}cm',
        f'{cm} centimetres',
        f'{cm} centimeters',
        f'{cm * 10} mm',
        f'{metres:g} m',
    )
    return talk.choose(options)
