"""The state of one operator's conversation."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
import re

from converseg_ros.core import Instruction
from converseg_ros.core.texts import say
from converseg_ros.dialogue import vocabulary as v
from converseg_ros.dialogue.memory import Command, Request, SceneMemory, Thing, Turn, unique
from converseg_ros.dialogue.noun_phrases import as_thing, conjunction


@dataclass(slots=True)
class Conversation:
    """The texts of one operator, and the open question."""

    turns: deque[Turn]
    asked: deque[list[Instruction]]
    removing: tuple[str, ...] = ()  # standing safety instructions whose removal needs a confirmation

    def start_over(self, draft: 'Draft') -> None:
        """Forget what was said, and say so in the answer."""
        self.turns.clear()
        self.asked.clear()
        draft.reasons.append(say('started_over'))


@dataclass(slots=True)
class Draft:
    """The intermediate answer while the clauses of a text are processed."""

    requests: list[Request] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    removing: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)  # clauses without a request, reported if nothing else was said
    last: Request | None = None  # of the previous clause
    last_count: int = 0


def class_name(resolved: str, taken: set[str]) -> str:
    """Return a unique class name for a standing instruction."""
    words = re.sub(r'^(?:the|a|an|my|your|any|all)\s+', '', resolved.casefold())
    stem = re.sub(r'[^a-z0-9]+', '_', words).strip('_')[:40] or 'keep_out'
    return next(n for n in (stem, *(f'{stem}_{k}' for k in range(2, 300))) if n not in taken)


def spoken(name: str) -> str:
    """Return a class name as it is spoken."""
    return name.replace('_', ' ')


def phrases_of(names: Sequence[str], scene: SceneMemory) -> str:
    """Return the texts of standing instructions as they are spoken."""
    resolved = {i.name: i.resolved for i in scene.standing}
    return conjunction([resolved.get(n, spoken(n)) for n in names])


def group_of(turns: Sequence[Turn]) -> list[Thing]:
    """Return the last group of things: those of the last turn, and of the turns that it continued."""
    group: list[Thing] = []
    for turn in reversed(turns):
        group = [*turn.things, *group]
        if not turn.continued:
            break
    return unique(group)


def about_of(phrase: str, scene: SceneMemory) -> list[Instruction]:
    """Return the standing safety instructions that a phrase names; all of them for an empty phrase."""
    if not phrase or re.search(v.EVERYTHING, phrase.casefold()):
        return list(scene.safety)
    _, noun = as_thing(phrase)
    exact = [
        i for i in scene.safety if i.resolved.casefold() == phrase.casefold() or spoken(i.name) == phrase.casefold()
    ]
    return exact or [i for i in scene.safety if noun and as_thing(i.resolved)[1] == noun]
