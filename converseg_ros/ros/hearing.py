"""Texts on `instruction`: understood by the dialogue, entered into the book, answered on `~/instruction_ack`."""

from collections.abc import Callable, Sequence

from converseg_ros.core import MAX_TEXT, InputError, Instruction
from converseg_ros.core.region import Region
from converseg_ros.dialogue import CommandKind, Dialogue, SceneMemory
from converseg_ros.perception.instructions import InstructionBook


class Hearing:
    """One operator's words; belongs to the executor's thread."""

    def __init__(self, book: InstructionBook, stop: Callable[[str], None], reset: Callable[[str], None]) -> None:
        """Keep the book; `stop` ends what is under way, `reset` also forgets tracks."""
        self.book, self._stop, self._reset = book, stop, reset
        self.dialogue = Dialogue()
        self._seen: Sequence[Region] | None = None

    def observe(self, regions: Sequence[Region]) -> None:
        """Remember the newest regions; called in another thread, used when the next text is heard."""
        self._seen = regions

    def hear(self, text: str, *, conversation: bool = True) -> tuple[bool, str, tuple[Instruction, ...], str]:
        """Return (accepted, reason, instructions with ids, question); an empty text clears the current instructions."""
        if not text.strip():
            self.book.clear_current()
            return True, 'the current instructions are cleared', (), ''
        try:
            if not conversation:
                return True, '', self.book.set_current([Instruction(text)]), ''
            return self._converse(text)
        except InputError as error:
            return False, str(error), (), ''

    def _converse(self, text: str) -> tuple[bool, str, tuple[Instruction, ...], str]:
        if self._seen is not None:
            self.dialogue.observe(self._seen)
            self._seen = None
        if len(text) > MAX_TEXT * 2:
            raise InputError(f'the text has {len(text)} characters, the limit is {MAX_TEXT}', do='say it shorter')
        stands = {i.name for i in self.book.standing}
        self.dialogue.removed([name for name in self.dialogue.standing if name not in stands])
        heard = self.dialogue.hear(text, SceneMemory(standing=self.book.standing))
        if not heard.accepted:
            return False, heard.reason, (), heard.question
        removed = tuple(n for c in heard.commands if c.kind == CommandKind.REMOVE_SAFETY for n in c.names)
        made: tuple[Instruction, ...] = ()
        if heard.instructions or removed:
            made = self.book.hear(heard.instructions, removed, replace_current=False)
            self.dialogue.removed(removed)
        for command in heard.commands:
            if command.kind in (CommandKind.FORGET, CommandKind.STOP, CommandKind.RESET) and not heard.instructions:
                self.book.clear_current()
            if command.kind == CommandKind.STOP:
                self._stop('the operator said stop')
            if command.kind == CommandKind.RESET:
                self._reset('the operator asked for it')
        return True, heard.reason, made, heard.question

    def forget(self) -> None:
        """Forget the conversation."""
        self.dialogue.reset()
        self._seen = None
