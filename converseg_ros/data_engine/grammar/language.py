# ruff: noqa: E501 - tables read best one entry a line
"""Building blocks of sentences: nouns that are true of exactly the right entities, and frames around them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
import random
from typing import Literal, TypeVar

from converseg_ros.core.concepts import family_of
from converseg_ros.core.families import Family
from converseg_ros.core.item import Phase
from converseg_ros.data_engine.grammar.programs import called, coloured, made_of
from converseg_ros.data_engine.world.model_overrides import NAMELESS
from converseg_ros.data_engine.world.world import Entity, World
from converseg_ros.knowledge import counted, plural, singular
from converseg_ros.programs.nodes import Node, Parts

Result = TypeVar('Result')
Strategy = Literal['positive', 'missing_cousin', 'false_attribute', 'wrong_relation']


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt and its meaning: the union of `keys`, or nothing (a negative, created by `strategy`)."""

    text: str
    keys: tuple[str, ...]
    sub_concept: str
    phase: Phase = 'literal'
    strategy: Strategy = 'positive'
    context: str = ''  # of a follow-up: the previous text
    spoken: str = ''  # of a follow-up: its text, where `text` is the resolved prompt
    program: Node | None = None  # the meaning of `text`, None if the program language has no form for it

    @property
    def family(self) -> Family:
        """Return the concept family of its sub-concept."""
        return family_of(self.sub_concept)


@dataclass(frozen=True, slots=True)
class Reference:
    """Words (with `the`) that mean exactly one entity, and its program."""

    words: str
    program: Node

    def __str__(self) -> str:
        """Return the words."""
        return self.words


# x = 'mug left of the bowl'; be = is or are. The first is the plainest.
LITERAL = (
    'the {x}',
    'find the {x}',
    'segment the {x}',
    'show me the {x}',
    'point at the {x}',
    'select the {x}',
    'highlight the {x}',
    'where {be} the {x}?',
    'mark the {x}',
    'look for the {x}',
)
TALK = (
    'can you see the {x}?',
    'could you show me the {x}?',
    'I am looking for the {x}',
    'please point out the {x}',
    'can you find the {x} for me?',
    'do you see the {x} anywhere?',
    'I would like to know where the {x} {be}',
    'which part of the picture shows the {x}?',
    'hey, where {be} the {x}?',
    'now look at the {x}',
)
REACH = (
    'hand me the {x}',
    'pass me the {x}, please',
    'bring me the {x}',
    'can you pick up the {x}?',
    'I need the {x}',
    'take the {x}',
    'please fetch the {x}',
)
MOVE = (
    'drive over to the {x}',
    'go to the {x}',
    'turn towards the {x}',
)
ALL = (
    'all the {x}',
    'every one of the {x}',
    'show me all the {x}',
    'where are the {x}?',
    'find all of the {x}',
    'point out each of the {x}',
    'all of the {x} you can see',
)
MASS = (
    'the {x}',
    'where is the {x}?',
    'all of the {x}',
    'show me the {x}',
    'mark the {x}',
    'which part of the picture is {x}?',
)


class Talk:
    """Chooses words for one world; deterministic for a world and seed."""

    def __init__(self, world: World, seed: str = '', *, bare: bool = False) -> None:
        self.world = world
        self.bare = bare  # whether a prompt may be a class name alone
        self.random = random.Random(f'{world.key}:{seed}')

    def choose(self, options: Iterable[str]) -> str:
        """Return one of the options."""
        ordered: list[str] = sorted(options) if isinstance(options, set | frozenset) else list(options)
        return self.random.choice(ordered)

    def shuffled(self, values: Iterable[Entity]) -> list[Entity]:
        """Return the values in a random order."""
        out = list(values)
        self.random.shuffle(out)
        return out

    def word(self, entity: Entity) -> tuple[str, list[Entity]] | None:
        """Return a name of an entity and everything with this name; None if names are unclear."""
        if entity.category == NAMELESS:
            return None
        names = list(entity.thing.names)
        first = names.pop(0)
        self.random.shuffle(names)
        order = [first, *names] if not names or self.random.random() < 0.6 else [*names, first]
        for name in order:
            named = self.world.named(name)
            if named:
                return name, named
        return None

    def anchor(self, entity: Entity) -> Reference | None:
        """Return words that mean exactly this entity, or None."""
        # photographs have tiny objects in mirrors and in the background
        least = 2 if 'graph' in self.world.facts else 6
        if self.world.faint(entity) or entity.area < least * self.world.faint_area or entity.crowd:
            return None
        if entity.kind == 'part':
            owner = self.anchor(self.world.entities[entity.owner])
            if owner is None:
                return None
            return Reference(f'the {entity.category} of {owner}', Parts(singular(entity.category), owner.program))
        found = self.word(entity)
        if found is None:
            return None
        name, named = found
        if named == [entity]:
            return Reference(f'the {name}', called(name))
        color, material = color_word(entity), entity.material
        looks: list[tuple[str, Node | None, Callable[[Entity], bool | None]]] = []
        if color:
            looks.append((color, coloured(color, called(name)), against(is_color, color)))
        if material in MATERIAL_WORDS:
            looks.append((MATERIAL_WORDS[material], made_of(material, called(name)), against(is_made_of, material)))
        for adjective, program, test in looks:
            if program and all(test(e) is (e is entity) for e in named):
                return Reference(f'the {adjective} {name}', program)
        return None

    def noun(self, name: str, entities: list[Entity]) -> tuple[str, str]:
        """Return a class name in the right number for these entities, and `is` or `are`."""
        known = entities[0].thing
        if name in known.names and known.mass:
            return name, 'is'
        if name in known.names and known.plural_only and is_plural(name):
            return name, 'are'
        if len(entities) == 1 and not entities[0].crowd:
            return counted(name), 'is'
        return plural(name), 'are'

    def phrase(self, name: str, chosen: list[Entity], *, pre: str = '', post: str = '') -> tuple[str, str]:
        """Return `pre NAME post` in the right number for these entities, and `is` or `are`."""
        noun, be = self.noun(name, chosen)
        return ' '.join(filter(None, (pre, noun, post))), be

    def say(
        self, phrase: str, be: str, entities: list[Entity], *, everything: bool = False, mass: bool = False
    ) -> tuple[str, Phase]:
        """Return a sentence about `phrase` (without article) and the curriculum phase its frame belongs to."""
        if mass:
            return self.choose(MASS).format(x=phrase, be=be), 'literal'
        if everything and be == 'are' and self.random.random() < 0.75:
            return self.choose(ALL).format(x=phrase), 'literal'
        if self.random.random() < 0.55:
            return self.choose(LITERAL).format(x=phrase, be=be), 'literal'
        frames = [*TALK]
        if len(entities) == 1:
            known = entities[0].thing
            if 'graspable' in entities[0].tags and entities[0].kind == 'object':
                frames = [*TALK, *REACH, *REACH]
            elif {'furniture', 'appliance', 'vehicle', 'plumbing'} & set(known.kinds):
                frames = [*TALK, *MOVE]
        return self.choose(frames).format(x=phrase, be=be), 'conversational'


MATERIAL_WORDS = {
    'wood': 'wooden',
    'metal': 'metal',
    'glass': 'glass',
    'ceramic': 'ceramic',
    'plastic': 'plastic',
    'fabric': 'fabric',
    'paper': 'paper',
    'stone': 'stone',
}
HARD = frozenset({'ceramic', 'plastic', 'metal', 'stone', 'glass', 'paper', 'wax'})  # they look alike under paint
COLORS = ('red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'white', 'gray', 'black')
CLOSE_COLORS = {
    frozenset(pair)
    for pair in (
        ('red', 'orange'), ('red', 'brown'), ('red', 'pink'), ('red', 'purple'), ('orange', 'yellow'), ('orange', 'brown'),
        ('yellow', 'brown'), ('yellow', 'white'), ('yellow', 'green'), ('yellow', 'beige'), ('brown', 'beige'),
        ('brown', 'black'), ('white', 'beige'), ('white', 'gray'), ('gray', 'black'), ('gray', 'blue'), ('blue', 'purple'),
        ('purple', 'pink'), ('pink', 'beige'), ('green', 'blue'), ('gray', 'green'), ('gray', 'brown'), ('gray', 'beige'),
        ('orange', 'beige'), ('orange', 'pink'), ('black', 'blue'), ('pink', 'white'), ('gray', 'silver'), ('white', 'silver'),
        ('cyan', 'blue'), ('cyan', 'green'), ('turquoise', 'blue'), ('turquoise', 'green'), ('black', 'purple'),
        ('yellow', 'gold'), ('brown', 'gold'), ('orange', 'gold'),
    )
}  # fmt: skip


def color_word(entity: Entity) -> str:
    """Return the usual word for an entity's colour, '' if it is mixed."""
    return {'grey': 'gray'}.get(entity.color, entity.color)


def is_color(entity: Entity, color: str) -> bool | None:
    """Return whether an entity has a colour; None if its paint or its pixels are close to it."""
    own = color_word(entity)
    if not own or frozenset((own, color)) in CLOSE_COLORS:
        return None
    if entity.looks and entity.looks != own:
        apart = frozenset((own, entity.looks)) not in CLOSE_COLORS
        if color == entity.looks or frozenset((entity.looks, color)) in CLOSE_COLORS or (apart and color == own):
            return None
    return own == color


def is_made_of(entity: Entity, material: str) -> bool | None:
    """Return whether an entity is made of a material; None if paint could hide it."""
    if entity.material == material:
        return True
    painted = {entity.material, material} <= HARD and not (material == 'glass' and 'transparent' not in entity.tags)
    return False if entity.material and not painted else None


def select(
    talk: Talk,
    named: list[Entity],
    verdict: Callable[[Entity], bool | None],
    *,
    distractors: bool = True,
) -> list[Entity] | None:
    """Return the entities that fulfil a condition, or None if it is unclear, unfair or true for all of them."""
    yes = []
    for entity in named:
        holds = verdict(entity)
        if holds is None or (entity.crowd and holds):
            return None
        if holds:
            yes.append(entity)
    if yes and ((distractors and len(yes) == len(named)) or not talk.world.askable(e.key for e in yes)):
        return None
    return yes


def against(test: Callable[..., Result], *others: object) -> Callable[[Entity], Result]:
    """Return `test` as a predicate of one entity, compared with the others."""
    return lambda entity: test(entity, *others)


def keys(entities: Iterable[Entity]) -> tuple[str, ...]:
    """Return the keys of entities, sorted."""
    return tuple(sorted(e.key for e in entities))


def is_plural(name: str) -> bool:
    """Return whether a name of a plural-only class is plural: scissors is, a pair of scissors is not."""
    return name in ('sheep', 'deer', 'chopsticks', 'french fries', 'fries') or (
        name.endswith('s') and not name.startswith(('pair ', 'bunch '))
    )


Drafts = Iterator[Draft]
