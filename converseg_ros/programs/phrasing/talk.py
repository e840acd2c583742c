"""A random speaker: the source of random choices, and the grammatical forms that templates need."""

from collections.abc import Mapping, Sequence
import random
from typing import TypeVar

from converseg_ros.programs.nodes import Node
from converseg_ros.programs.phrasing.templates import Part, Templates

Item = TypeVar('Item')

SINGULAR: Mapping[str, str] = {
    's': 's', 'es': 'es', 'ies': 'ies', 'is': 'is', 'was': 'was', 'has': 'has', 'does': 'does', 'it': 'it',
    'it_o': 'it', 'its': 'its', 'this': 'this', 'one': 'one',
}  # fmt: skip
PLURAL: Mapping[str, str] = {
    's': '', 'es': '', 'ies': 'y', 'is': 'are', 'was': 'were', 'has': 'have', 'does': 'do', 'it': 'they',
    'it_o': 'them', 'its': 'their', 'this': 'these', 'one': 'ones',
}  # fmt: skip
ANCHOR = tuple(
    {f'a_{key}': forms[key] for key in ('s', 'es', 'ies', 'is', 'was', 'has', 'does', 'it_o')} | {'a_its': 'their'}
    for forms in (SINGULAR, PLURAL)
)


def agreement(many: bool) -> Mapping[str, str]:
    """Return the forms that agree with a singular or a plural."""
    return PLURAL if many else SINGULAR


class Talk:
    """Random choices of one text; deterministic for each seed."""

    __slots__ = ('constructions', 'known', 'part', 'rng')

    def __init__(self, rng: random.Random, part: Part = 'all') -> None:
        self.rng = rng
        self.part = part
        self.known: dict[Node, str] = {}  # what the text has introduced: how it is called again
        self.constructions: set[str] = set()  # those that are already around this part of the text

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.rng.random() < probability

    def choose(self, options: Sequence[Item]) -> Item:
        """Return one of the options."""
        return options[int(self.rng.random() * len(options))]

    def weighted(self, options: Sequence[tuple[float, Item]]) -> Item:
        """Return one of (weight, option)."""
        at = self.rng.random() * sum(w for w, _ in options)
        for weight, option in options:
            at -= weight
            if at < 0:
                return option
        return options[-1][1]

    def fill(self, templates: Templates, values: Mapping[str, str]) -> str:
        """Return one of the templates with its slots filled."""
        return templates.pick(self.rng, self.part).fill(self.rng, values)


def which_is(talk: Talk, many: bool, text: str) -> str:
    """Return a relative clause with 'be'."""
    be = talk.choose(('that are', 'which are') if many else ("that's", 'that is', 'which is', "that's"))
    return f'{be} {text}'
