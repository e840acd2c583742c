"""The pieces of a noun phrase, and its determiners and pronouns: two of the, something, everything."""

from dataclasses import dataclass, field

from converseg_ros.programs.phrasing.amounts import NUMBERS, number
from converseg_ros.programs.phrasing.talk import Talk
from converseg_ros.programs.phrasing.templates import lists
from converseg_ros.programs.phrasing.words import is_mass


@dataclass
class Pieces:
    """The pieces of a noun phrase without its determiner."""

    noun: str
    bare: bool  # the head is a pronoun: "thing", "one"
    many: bool
    before: list[tuple[int, str]] = field(default_factory=list)  # position among adjectives, adjective
    after: list[str] = field(default_factory=list)
    links: tuple[str, ...] = (' and ',) * 4  # between what follows the noun; those without "and" only before clauses
    last: str = ''  # at the end: exceptions
    superlative: bool = False
    who: bool = False  # it is a person, since it acts

    def text(self) -> str:
        """Return the phrase without a determiner."""
        return ' '.join(filter(None, (self.adjectives(), self.noun, self.tail())))

    def adjectives(self) -> str:
        """Return the adjectives in their usual order."""
        return ' '.join(word for _, word in sorted(self.before, key=lambda x: x[0]))

    def tail(self) -> str:
        """Return the words after the noun."""
        out = ' '.join(self.after[:1])
        for link, words in zip(self.links, self.after[1:], strict=False):
            clause = words.startswith(('that ', 'which ', 'who '))  # "on the plate on the tray" has another meaning
            out += f'{link if clause or "and" in link else " and "}{words}'
        return ' '.join(filter(None, (out, self.last)))


def determine(talk: Talk, parts: Pieces, determiner: str | int) -> str:
    """Return the phrase with a determiner ('none' for none) or a number."""
    text = parts.text()
    if isinstance(determiner, int):
        if any(w in NUMBERS for w in text.split()[:3]):  # "two tallest mugs" already has a number
            return f'the {text}'
        key = 'two' if determiner == 2 else 'number'
        return talk.fill(lists('determiners')[key], {'t': text, 'k': number(talk, determiner)})
    if parts.bare and determiner in ('a', 'any', 'every', 'all') and (not parts.many or determiner == 'all'):
        if parts.superlative:
            return f'the {text}'
        filled = {'j': parts.adjectives(), 'tail': parts.tail()}
        if parts.who and not parts.many:
            return talk.fill(lists('determiners')[f'{"all" if determiner == "every" else determiner}_who'], filled)
        key = 'all_many' if parts.many else 'all' if determiner == 'every' else determiner
        return talk.fill(lists('determiners')[key], filled)
    if determiner == 'a' and (parts.many or is_mass(parts.noun)):
        determiner = 'some'
    if determiner in ('this', 'that') and parts.many:
        determiner = 'these' if determiner == 'this' else 'those'
    return text if determiner == 'none' else f'{determiner} {text}'
