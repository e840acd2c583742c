"""Building blocks of sentences: nouns that are true of exactly the right entities, and frames around them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import random
from typing import Literal

from converseg_ros.core.concepts import family_of
from converseg_ros.core.families import Family
from converseg_ros.core.item import Phase
from converseg_ros.data_engine.grammar.programs import called, coloured, made_of
from converseg_ros.data_engine.world.appearance import color_word
from converseg_ros.data_engine.world.model_overrides import NAMELESS
from converseg_ros.data_engine.world.truth import Truth
from converseg_ros.data_engine.world.world import Entity
from converseg_ros.knowledge import counted, plural, singular
from converseg_ros.programs.nodes import Node, Parts, Select

Strategy = Literal['positive', 'missing_cousin', 'false_attribute', 'wrong_relation']


@dataclass(frozen=True, slots=True)
class Draft:
    """A prompt with its program, and the answer: the union of `keys`, or nothing (a negative, created by `strategy`).

    Only Talk.ask and Talk.ask_in_words make drafts, so that the answer is that of the program.
    """

    text: str
    program: Node
    keys: tuple[str, ...]
    sub_concept: str
    phase: Phase
    strategy: Strategy = 'positive'
    context: str = ''  # of a follow-up: the previous text
    spoken: str = ''  # of a follow-up: its text, where `text` is the resolved prompt

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
    """Chooses words for one world, and asks its true facts; deterministic for a world and seed."""

    def __init__(self, truth: Truth, seed: str = '', *, bare: bool = False) -> None:
        self.truth, self.world = truth, truth.world
        self.bare = bare  # whether a prompt may be a class name alone
        self.random = random.Random(f'{self.world.key}:{seed}')

    def answer(self, program: Node) -> list[Entity] | None:
        """Return the entities that a program denotes, sorted by key; None if facts do not decide it."""
        found = self.truth.answer(program)
        return None if found is None else [self.world.entities[k] for k in found]

    def select(self, program: Node, named: list[Entity], *, distractors: bool = True) -> list[Entity] | None:
        """Return what a program denotes among the entities with its name.

        Returns None if it is not decided, too little of it is visible, part of a crowd, or, with `distractors`, all
        that has the name.
        """
        yes = self.answer(Select('all', program))
        if yes is None or any(e.crowd for e in yes) or not self.world.askable(keys(yes)):
            return None
        return None if yes and distractors and len(yes) == len(named) else yes

    def ask(
        self,
        text: str,
        program: Node,
        sub_concept: str,
        phase: Phase = 'conversational',
        strategy: Strategy = 'positive',
        *,
        context: str = '',
        spoken: str = '',
    ) -> Iterator[Draft]:
        """Yield the draft of a text and its program; the answer is that of the program on the true facts.

        Nothing is yielded if facts do not decide the answer, if too little of it is visible, or if it exists for a
        negative or does not for a positive.
        """
        found = self.truth.answer(program)
        if found is not None and bool(found) == (strategy == 'positive') and self.world.askable(found):
            yield Draft(text, program, found, sub_concept, phase, strategy, context, spoken)

    def ask_in_words(
        self,
        text: str,
        program: Node,
        answer: Iterable[Entity],
        sub_concept: str,
        phase: Phase = 'conversational',
        strategy: Strategy = 'positive',
    ) -> Iterator[Draft]:
        """Yield the draft of a text without a closed form, whose program contains `like`, with its answer."""
        found = keys(answer)
        if self.world.askable(found):
            yield Draft(text, program, found, sub_concept, phase, strategy)

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
        looks: list[tuple[str, Node]] = []
        if color:
            looks.append((color, coloured(color, called(name))))
        if material in MATERIAL_WORDS:
            looks.append((MATERIAL_WORDS[material], made_of(material, called(name))))
        for adjective, program in looks:
            if self.answer(Select('all', program)) == [entity]:
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
COLORS = ('red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'white', 'gray', 'black')


def keys(entities: Iterable[Entity]) -> tuple[str, ...]:
    """Return the keys of entities, sorted."""
    return tuple(sorted(e.key for e in entities))


def is_plural(name: str) -> bool:
    """Return whether a name of a plural-only class is plural: scissors is, a pair of scissors is not."""
    return name in ('sheep', 'deer', 'chopsticks', 'french fries', 'fries') or (
        name.endswith('s') and not name.startswith(('pair ', 'bunch '))
    )


Drafts = Iterator[Draft]
