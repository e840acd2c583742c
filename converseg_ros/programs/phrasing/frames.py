"""Sentence frames, commands and tables for requests for one thing and for several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converseg_ros.programs.nodes import Act, Except, Filter, Like, Node, Relate
from converseg_ros.programs.phrasing.noun_phrase import phrase, values
from converseg_ros.programs.phrasing.properties import PLACES, entry, is_bare, is_person, split
from converseg_ros.programs.phrasing.questions import PREPOSITIONS
from converseg_ros.programs.phrasing.talk import Talk
from converseg_ros.programs.phrasing.templates import Entry, lists
from converseg_ros.programs.phrasing.words import is_mass, is_plural_only


@dataclass(frozen=True, slots=True)
class Asked:
    """The base of a request and its modifiers, the innermost first."""

    node: Node
    base: Node
    modifiers: Sequence[Node]

    @classmethod
    def of(cls, node: Node) -> 'Asked':
        """Split a node."""
        return cls(node, *split(node))

    @property
    def last(self) -> Node | None:
        """Return the outermost modifier."""
        return self.modifiers[-1] if self.modifiers else None

    @property
    def mass(self) -> bool:
        """Return whether the base has no plural: 'the milk'."""
        return isinstance(self.base, Filter) and is_mass(self.base.value)

    @property
    def many(self) -> bool:
        """Return whether the base has only a plural: 'the scissors'."""
        return isinstance(self.base, Filter) and is_plural_only(self.base.value)


Form = Callable[[Talk, Asked], str | None]
"""A form of a request; it draws whether it is used, and returns None if it is not."""


def first_used(forms: Sequence[Form], talk: Talk, asked: Asked) -> str | None:
    """Return the text of the first form that is used, or None."""
    return next((text for form in forms if (text := form(talk, asked)) is not None), None)


def frame(talk: Talk, name: str, np: str, many: bool, bare: str = '') -> str:
    """Return a sentence around a noun phrase, sometimes the noun phrase alone, or `bare` if it is given."""
    if name != 'any' and talk.chance(0.22):
        name = 'bare'
    forms = {'np': np, 'is': 'are' if many else 'is', 'it': 'them' if many else 'it', 'bare': bare or np}
    return talk.fill(lists('frames')[name], forms)


def whole_table(node: Node) -> tuple[Entry, Node] | None:
    """Return the table of the only property of an unnamed target, if it has templates of complete requests."""
    base, modifiers = split(node)
    somebody = is_person(base) and len(modifiers) == 1 and isinstance(modifiers[0], Act)
    if (is_bare(base) or somebody) and len(modifiers) == 1 and not isinstance(modifiers[0], Except | Like):
        return entry(modifiers[0])[0], modifiers[0]
    return None


def command(talk: Talk, node: Node, quantity: str | int) -> str | None:
    """Return 'take the plates off the table' for plates on the table, or None."""
    if not isinstance(node, Relate) or is_bare(split(node)[0]) or not talk.chance(0.1):
        return None
    table, _ = entry(node)
    if 'command' not in table:
        return None
    what = phrase(talk, node.of, quantity != 'one', 'the' if quantity in ('one', 'all') else quantity)
    return talk.fill(table['command'], {**values(talk, node, quantity != 'one'), 't': what})


def use_there(talk: Talk, base: Node, modifiers: Sequence[Node], template: str) -> str | None:
    """Return 'what on the desk could I write with': a use with another condition; None if there is no use."""
    uses = [m for m in modifiers if isinstance(m, Filter) and m.by == 'tag' and 'use' in entry(m)[0]]
    others = [m for m in modifiers if m not in uses]
    if not is_bare(base) or len(uses) != 1 or len(others) != 1 or not talk.chance(0.6):
        return None
    if not isinstance(others[0], Relate | Filter) or 'be' not in (table := entry(others[0])[0]):
        return None
    verb = talk.fill(entry(uses[0])[0]['use'], values(talk, uses[0], template == 'ask_there'))
    where = talk.fill(table['be'], values(talk, others[0], False))
    if isinstance(others[0], Filter) and others[0].by != 'region':
        where = f'that is {where}'
    *before, last = verb.split()
    place = isinstance(uses[0], Filter) and uses[0].value in PLACES and last in PREPOSITIONS and before
    if place and template == 'ask_there' and talk.chance(0.6):
        template = 'ask_where_there'
    return talk.fill(lists('uses')[template], {'v': verb, 'w': where, 'v0': ' '.join(before)})
