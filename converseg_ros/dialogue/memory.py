"""What a dialogue remembers and what it answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from converseg_ros.core import Family, Instruction, Role, Status


class CommandKind(StrEnum):
    """What an operator can tell the robot besides what to look for."""

    FORGET = 'forget'  # drop the current (not the standing) instructions
    STOP = 'stop'  # the same, at once; also stops what is under way
    RESET = 'reset'  # forget the conversation too
    UNDO = 'undo'  # back to the instructions before the last ones
    REPEAT = 'repeat'  # ask the last instructions again
    REMOVE_SAFETY = 'remove_safety'  # confirmed: these standing safety instructions go


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and the names of the standing instructions it is about."""

    kind: CommandKind
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """Something the operator can refer to: a region or an instruction, as a noun phrase."""

    phrase: str  # 'the red mug on the left'
    noun: str  # 'mug'; '' where the phrase has none
    role: Role = Role.PLAIN
    region: str = ''  # id of its region, '' while unanswered
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class SceneMemory:
    """What can be seen and what stands, besides the words spoken.

    things: newest regions in the order of their labels ('number two'). pointed: id of the region the operator clicked.
    standing: the standing instructions in force.
    """

    things: tuple[Thing, ...] = ()
    pointed: str = ''
    standing: tuple[Instruction, ...] = ()

    @property
    def pointed_thing(self) -> Thing | None:
        """The thing the operator clicked on, if it is still there."""
        return next((t for t in self.things if self.pointed and t.region == self.pointed), None)

    @property
    def safety(self) -> tuple[Instruction, ...]:
        """The standing safety instructions."""
        return tuple(i for i in self.standing if i.role == Role.SAFETY)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood of one text.

    accepted: false where nothing may be changed; `reason` says why, else it explains a choice that was made.
    question: not empty where a yes or no is needed before `commands` come. backend: who understood it.
    """

    instructions: list[Instruction] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    question: str = ''
    reason: str = ''
    accepted: bool = True
    backend: str = 'rules'

    @property
    def removed(self) -> tuple[str, ...]:
        """The names of the standing safety instructions whose removal the operator confirmed."""
        return tuple(n for c in self.commands if c.kind == CommandKind.REMOVE_SAFETY for n in c.names)


@dataclass(slots=True)
class Turn:
    """One turn of a conversation: what was said and what it made the robot look for."""

    text: str
    things: list[Thing] = field(default_factory=list)
    continued: bool = False  # began with 'and': belongs to the turn before

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this turn."""
        things = [
            {'phrase': t.phrase, 'noun': t.noun, 'role': int(t.role), 'region': t.region, 'status': t.status}
            for t in self.things
        ]
        return {'text': self.text, 'things': things, 'continued': self.continued}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> 'Turn':
        """Return the turn of a JSON object."""
        things = [
            Thing(
                t['phrase'],
                t['noun'],
                Role(t['role']),
                t['region'],
                None if t['status'] is None else Status(t['status']),
            )
            for t in data['things']
        ]
        return cls(data['text'], things, data['continued'])


@dataclass(frozen=True, slots=True)
class Request:
    """One clause understood: what to ask the network, before it becomes an Instruction."""

    text: str  # the operator's words of this clause
    resolved: str
    role: Role
    family: Family | None
    standing: bool = False


def unique(things: Iterable[Thing]) -> list[Thing]:
    """Return the things without repetitions of a phrase, in order."""
    return list({t.phrase: t for t in things}.values())
