"""The data types of the dialogue: its memory and its answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from converseg_ros.core import Family, Instruction, Role, Status


class CommandKind(StrEnum):
    """The commands of an operator."""

    FORGET = 'forget'  # drop the current (not the standing) instructions
    STOP = 'stop'  # the same, immediately; also cancels running requests
    RESET = 'reset'  # clear the conversation too
    UNDO = 'undo'  # restore the instructions before the last ones
    REPEAT = 'repeat'  # ask the last instructions again
    REMOVE_SAFETY = 'remove_safety'  # confirmed: these standing safety instructions are removed


@dataclass(frozen=True, slots=True)
class Command:
    """A command, and the names of its standing instructions."""

    kind: CommandKind
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """A possible antecedent: a region or an instruction, as a noun phrase."""

    phrase: str  # 'the red mug on the left'
    noun: str  # 'mug'; '' if the phrase has none
    role: Role = Role.PLAIN
    region: str = ''  # id of its region, '' while unanswered
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class SceneMemory:
    """The visible regions and the standing instructions.

    things: newest regions in the order of their labels ('number two'). pointed: id of the region that the operator
    selected. standing: the standing instructions in force.
    """

    things: tuple[Thing, ...] = ()
    pointed: str = ''
    standing: tuple[Instruction, ...] = ()

    @property
    def pointed_thing(self) -> Thing | None:
        """Return the region that the operator selected, if it still exists."""
        return next((t for t in self.things if self.pointed and t.region == self.pointed), None)

    @property
    def safety(self) -> tuple[Instruction, ...]:
        """Return the standing safety instructions."""
        return tuple(i for i in self.standing if i.role == Role.SAFETY)


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The interpretation of one text.

    accepted: False if nothing may be changed; `reason` says why, otherwise it explains a decision. question: not empty
    if a yes or no is needed before `commands` are returned. backend: the interpreter.
    """

    instructions: list[Instruction] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    question: str = ''
    reason: str = ''
    accepted: bool = True
    backend: str = 'rules'

    @property
    def removed(self) -> tuple[str, ...]:
        """Return the names of the standing safety instructions whose removal the operator confirmed."""
        return tuple(n for c in self.commands if c.kind == CommandKind.REMOVE_SAFETY for n in c.names)


@dataclass(slots=True)
class Turn:
    """One turn of a conversation: the text and the resulting requests."""

    text: str
    things: list[Thing] = field(default_factory=list)
    continued: bool = False  # began with 'and': belongs to the previous turn

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object of this turn."""
        things = [
            {'phrase': t.phrase, 'noun': t.noun, 'role': int(t.role), 'region': t.region, 'status': t.status}
            for t in self.things
        ]
        return {'text': self.text, 'things': things, 'continued': self.continued}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> 'Turn':
        """Create a turn from a JSON object."""
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
    """One interpreted clause: the query to the network, before it becomes an Instruction."""

    text: str  # the text of this clause
    resolved: str
    role: Role
    family: Family | None
    standing: bool = False


def unique(things: Iterable[Thing]) -> list[Thing]:
    """Return the things without repeated phrases, in order."""
    return list({t.phrase: t for t in things}.values())
