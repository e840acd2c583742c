"""The instructions in force: standing ones until they are replaced, the operator's current ones until they expire."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import RLock
import time

from converseg_ros.core.errors import InputError
from converseg_ros.core.instruction import Instruction, Role
from converseg_ros.core.segmentation import SegmentationNetwork

MAX_NAME = 64  # characters of a class name


def check_readable(network: SegmentationNetwork, instructions: Sequence[Instruction]) -> None:
    """Raise InputError if the network cannot read an instruction."""
    for instruction in instructions:
        why = network.unreadable(instruction.resolved)
        if why:
            what = f'instruction {instruction.name or instruction.id!r} {instruction.resolved[:60]!r}'
            raise InputError(why, where=what, do='say it in English words, or choose a model that reads it')


class InstructionBook:
    """The only store of the instructions in force.

    Thread-safe. The time to live of current instructions is measured by the machine's monotonic clock, so that the
    clock of a replayed bag cannot prolong it.
    """

    def __init__(self, limit: int = 32, ttl: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Create an empty book.

        limit: maximum number of instructions in force. ttl: time to live of current instructions in seconds; 0: until
        replaced.
        """
        self.limit, self.ttl = limit, ttl
        self._clock, self._lock, self._counter = clock, RLock(), 0
        self._standing: tuple[Instruction, ...] = ()
        self._spoken: frozenset[str] = frozenset()  # names of the standing instructions from operators
        self._current: tuple[Instruction, ...] = ()
        self._since = 0.0
        self.unclear: tuple[str, ...] = ()  # refused prohibitions that are not resolved: nothing is safe meanwhile

    @property
    def standing(self) -> tuple[Instruction, ...]:
        """Return the standing instructions."""
        return self._standing

    @property
    def spoken(self) -> tuple[Instruction, ...]:
        """Return the standing instructions from operators (`hear`); a saved conversation contains them."""
        with self._lock:
            return tuple(i for i in self._standing if i.name in self._spoken)

    def active(self) -> tuple[Instruction, ...]:
        """Return all instructions in force, the standing ones first."""
        with self._lock:
            self._expire()
            return self._standing + self._current

    def _expire(self) -> None:
        if self._current and self.ttl > 0 and self._clock() - self._since > self.ttl:
            self._current = ()

    def give_id(self, instruction: Instruction, prefix: str) -> Instruction:
        """Return the instruction with a unique id."""
        if instruction.id:
            return instruction
        self._counter += 1
        return replace(instruction, id=f'{prefix}{self._counter}')

    def _room(self, standing: int, current: int) -> None:
        if standing + current > self.limit:
            raise InputError(
                f'{standing + current} instructions, the limit is {self.limit}',
                where='instructions',
                do='ask for fewer at once or raise max_instructions',
            )

    def set_standing(self, instructions: Sequence[Instruction], *, confirm: bool = False) -> tuple[Instruction, ...]:
        """Replace the standing instructions; return them with ids, or raise InputError without any change.

        Names must be given and unique. A standing safety instruction is only removed or changed with `confirm`.
        """
        with self._lock:
            known = {i.name: i for i in self._standing}
            made = []
            for instruction in instructions:
                if not instruction.name.strip() or len(instruction.name) > MAX_NAME:
                    raise InputError(
                        f'the name is {instruction.name[:MAX_NAME]!r}',
                        where=f'standing instruction {instruction.text[:60]!r}',
                        do=f'give each a name of 1 to {MAX_NAME} characters',
                    )
                before = known.get(instruction.name)
                if not instruction.id and before is not None and before.resolved == instruction.resolved:
                    instruction = replace(instruction, id=before.id)
                made.append(replace(self.give_id(instruction, 's'), standing=True))
            names = [i.name for i in made]
            if len(set(names)) != len(names):
                raise InputError('two standing instructions have one name', where='instructions', do='make them unique')
            ids = [i.id for i in made]
            if len(set(ids)) != len(ids):
                raise InputError('two instructions have one id', where='instructions', do='leave the ids empty')
            self._expire()
            if len(made) > len(self._standing):  # removals are possible even if the limit was lowered
                self._room(len(made), len(self._current))
            kept = {(i.name, i.resolved) for i in made if i.role == Role.SAFETY}
            lost = [i.name for i in self._standing if i.role == Role.SAFETY and (i.name, i.resolved) not in kept]
            if lost and not confirm:
                raise InputError(
                    f'this would remove or change the standing safety instructions {", ".join(lost)}',
                    where='instructions',
                    do='set confirm to true if that is meant',
                )
            same = {i.name for i in made if i.name in known and known[i.name].resolved == i.resolved}
            self._standing, self._spoken = tuple(made), self._spoken & same
            return self._standing

    def set_current(self, instructions: Sequence[Instruction]) -> tuple[Instruction, ...]:
        """Replace the current (one-shot) instructions; return them with ids. Raise InputError if there are too many."""
        with self._lock:
            self._room(len(self._standing), len(instructions))
            made = tuple(replace(self.give_id(i, 'i'), standing=False) for i in instructions)
            self._current, self._since = made, self._clock()
            return made

    def hear(self, instructions: Sequence[Instruction], remove: Sequence[str] = ()) -> tuple[Instruction, ...]:
        """Enter the result of a dialogue, completely or not at all; return the instructions with ids.

        Standing instructions are added. The others, if there are any, replace the current ones.

        Args:
            instructions: the interpreted instructions.
            remove: names of standing instructions whose removal the operator confirmed.

        Raises:
            InputError: there are too many instructions, or names are missing or not unique.
        """
        standing = [i for i in instructions if i.standing]
        current = [i for i in instructions if not i.standing]
        names = {i.name for i in standing}
        with self._lock:
            kept = [i for i in self._standing if i.name not in names and i.name not in remove]
            if instructions:
                self._room(len(kept) + len(standing), len(current))
            made: list[Instruction] = []
            if standing or remove:
                made += [i for i in self.set_standing([*kept, *standing], confirm=bool(remove)) if i.name in names]
                self._spoken |= names
            if current:
                made += self.set_current(current)
            return tuple(made)

    def clear_current(self) -> None:
        """Clear the current instructions."""
        with self._lock:
            self._current = ()
