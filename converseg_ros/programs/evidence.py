"""Checks of a program against the words of its text: what no word says, and a number that the noun contradicts.

A parser that has not seen a verb or a name gives it the meaning of another one: "asleep" becomes watching, "the Saint
Agur packet" a purple one. The values of some closed sets have few words in English, so that such a program can be
recognised.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from converseg_ros.knowledge import plural, singular
from converseg_ros.programs.nodes import Act, Filter, Node, Select
from converseg_ros.programs.nouns import main_noun
from converseg_ros.programs.spans import find_span

_ACTS = {
    'holding': 'hold held hand grip grasp grab claw clutch clamp squeez finger fist palm paw pick possess carr '
    'take taking got',
    'using': 'use using usage operat handl work busy play fiddl involve action take taking took',
    'cutting': 'cut chop carv slic saw blade knife knive',
    'pouring': 'pour fill empt tilt tip run spout stream flow drip',
    'sitting': 'sit sat seat occup unoccup vacant free taken rest perch',
    'facing': 'fac turn point look direct star eye front away',
    'reaching': 'reach grab touch grasp stretch extend hand get take taking pick want try hold',
    'carrying': 'carr bring brought lug load transport push transit pull take taking tow drag walk mov along '
    'with has have had',
    'riding': 'rid rode sit sat on travel under mount park saddle',
    'wearing': 'wear wore worn dress cloth in with has have had on put got head body feet foot face back',
    'falling': 'fall fell drop slip tumbl fly air loos way ground hang',
    'plugging': 'plug socket outlet connect disconnect unplug wire cable mains power cord hook use using',
    'watching': 'watch look star gaz ey observ see saw attent turn',
    'stirring': 'stir mix',
    'eating': 'eat ate bit munch chew snack lunch dinner breakfast meal',
    'drinking': 'drink drank drunk sip cup lips swallow',
    'writing': 'writ wrote draw scribbl note sign',
    'cleaning': 'clean wip wash sweep swept scrub mop dust polish',
}  # fmt: skip
_COLOURS = {
    'red': 'red crimson scarlet maroon ruby burgundy',
    'orange': 'orang amber tangerine',
    'yellow': 'yellow lemon mustard',
    'green': 'green oliv lime mint emerald',
    'blue': 'blu navy azure cobalt sapphire',
    'purple': 'purpl violet lilac lavender mauve plum',
    'pink': 'pink magenta rose fuchsia',
    'brown': 'brown chestnut chocolat',
    'black': 'black jet',
    'grey': 'grey gray charcoal slate',
    'white': 'whit off-white snow ivory',
    'beige': 'beig tan cream sand khaki',
    'cyan': 'cyan turquois teal aqua',
    'silver': 'silver chrom',
    'gold': 'gold brass',
    'dark': 'dark deep',
    'light': 'light pale bright',
    'colourful': 'colo multi many vivid bright',
}
STEMS: Final = {
    kind: {value: tuple(text.split()) for value, text in table.items()}
    for kind, table in (('act', _ACTS), ('colour', _COLOURS))
}
"""The beginnings of the words that can mean an action or a colour."""

ARTICLES: Final = frozenset({'a', 'an', 'the', 'this', 'that', 'my', 'your'})
CHOOSING: Final = frozenset({'one', 'among', 'which', 'whichever'})
"""Words that select a member of a plural, besides a preceding 'of': 'which mugs', 'the larger of the mugs'."""


def faults(program: Node, words: Sequence[str]) -> int:
    """Return the number of actions and colours that no word says, plus one if the number of the noun is wrong."""
    unsaid = sum(not any(word.startswith(stems) for word in words) for stems in _needed(program))
    return unsaid + _wrong_number(program, words)


def _needed(program: Node) -> Iterator[tuple[str, ...]]:
    for node in program.walk():
        if isinstance(node, Act) and node.role != 'uninvolved':  # 'has nothing to do with it'
            yield STEMS['act'][node.kind]
        elif isinstance(node, Filter) and node.by == 'colour':
            yield STEMS['colour'][node.value]


def _wrong_number(program: Node, words: Sequence[str]) -> bool:
    """Return whether one is selected of a plural ('the mugs'), or all of a singular ('a mug')."""
    noun = main_noun(program) if isinstance(program, Select) else ''
    span = find_span('noun', noun, words) if any(c.isalnum() for c in noun) else None
    if span is None or not isinstance(program, Select):
        return False
    said, before = ' '.join(words[span[0] : span[1] + 1]), words[: span[0]]
    if program.quantity == 'one':
        return singular(said) != said and 'of' not in before and CHOOSING.isdisjoint(words)
    single = singular(said) == said and plural(said) != said
    return program.quantity == 'all' and single and not ARTICLES.isdisjoint(before[-3:])
