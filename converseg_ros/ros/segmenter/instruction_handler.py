"""Handle texts on `instruction`: the dialogue interprets them, the book stores them, `~/instruction_ack` answers."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread

from converseg_ros.core import MAX_TEXT, ConversegError, InputError, Instruction
from converseg_ros.core.region import Region
from converseg_ros.core.texts import say
from converseg_ros.dialogue import CommandKind, Dialogue, Interpretation, Options, PendingText, SceneMemory
from converseg_ros.dialogue.conversation import Draft, class_name
from converseg_ros.perception.instructions import InstructionBook

MAX_WAITING = 8  # maximum number of texts that wait for a language model; more are refused


@dataclass(frozen=True, slots=True)
class Answer:
    """The result for one text; instructions have their ids."""

    text: str
    accepted: bool = True
    reason: str = ''
    instructions: tuple[Instruction, ...] = ()
    question: str = ''


class InstructionHandler:
    """Handles texts of operators in the executor's thread; only a language model is called in a separate thread."""

    def __init__(
        self,
        book: InstructionBook,
        stop: Callable[[str], None],
        reset: Callable[[str], None],
        answer: Callable[[Answer], None],
        wake: Callable[[], None],
        warn: Callable[[str], object],
    ) -> None:
        """Create a handler.

        stop: cancels running requests. reset: also clears tracks. answer: called for every answer. wake: called in
        another thread when a language model has answered; `collect` must then be called.
        """
        self.book, self._stop, self._reset, self._tell = book, stop, reset, answer
        self._wake, self._warn = wake, warn
        self.dialogue = Dialogue()
        self.check: Callable[[Sequence[Instruction]], None] = lambda _: None
        """Raise InputError if the loaded network cannot read an instruction."""
        self.file: Path | None = None
        self._seen: Sequence[Region] | None = None
        self._waiting: deque[str] = deque()
        self._asked: tuple[str, PendingText] | None = None  # the text that the model is processing
        self._got: deque[tuple[PendingText, Draft | str]] = deque()

    # --- the file -----------------------------------------------------------------------------------------------------

    def configure(self, options: Options) -> None:
        """Set other options."""
        self.dialogue.configure(options)

    def restore(self, file: str) -> tuple[Instruction, ...]:
        """Load the conversations in a file and save them there from now on; '' = no file.

        The standing instructions in the file are entered into the book; those that it did not have are returned. A file
        that cannot be read is renamed.
        """
        path = Path(file).expanduser() if file else None
        if path == self.file:
            return ()
        self.file = path
        if path is None:
            return ()
        if not path.exists():
            return ()
        try:
            loaded = self.dialogue.load(path)
        except InputError as error:
            aside = path.with_suffix(path.suffix + '.unreadable')
            path.rename(aside)
            self._warn(f'{error}; it is kept as {aside}')
            return ()
        self._share_unclear()
        return self._enter(loaded)

    def _enter(self, loaded: Sequence[Instruction]) -> tuple[Instruction, ...]:
        """Enter standing instructions of a file into the book and return the new ones.

        Where another instruction has the name of a loaded one (parameters can change between two starts), the loaded
        one gets a new name: neither of them may be lost.
        """
        known = {i.name: (i.resolved, i.role) for i in self.book.standing}
        entered = []
        for instruction in loaded:
            name = instruction.name
            if known.get(name, (instruction.resolved, instruction.role)) != (instruction.resolved, instruction.role):
                name = class_name(instruction.resolved, {*known, *(i.name for i in loaded)})
            entered.append(replace(instruction, id='', name=name))
        return tuple(i for i in self.book.hear(entered) if i.name not in known)

    def save(self) -> None:
        """Write the conversations and the standing instructions that operators gave, if there is a file for them."""
        if self.file is None:
            return
        try:
            self.dialogue.save(self.file, self.book.spoken)
        except OSError as error:
            self._warn(f'the conversation cannot be saved: {error}')

    # --- texts --------------------------------------------------------------------------------------------------------

    def observe(self, regions: Sequence[Region]) -> None:
        """Store the newest regions; called in another thread, used for the next text."""
        self._seen = regions

    def hear(self, text: str, *, conversation: bool = True) -> None:
        """Handle a text now or when a model has answered; an empty text clears the current instructions."""
        shown = text[:MAX_TEXT]
        if not text.strip():
            self._cancel()
            self.book.clear_current()
            self.dialogue.refused.withdraw()
            self._share_unclear()
            self._tell(Answer(shown, reason='the current instructions are cleared'))
        elif not conversation:
            self._ask_literally(text)
        else:
            self._converse(text)

    def _ask_literally(self, text: str) -> None:
        """Pass the text to the network unchanged.

        A prohibition is refused, because the network would segment its object instead of guarding it.
        """
        shown = text[:MAX_TEXT]
        refused = self.dialogue.refuse_literally(text)
        self._share_unclear()
        if refused is not None:
            self._tell(Answer(shown, refused.accepted, refused.reason, question=refused.question))
            return
        try:
            asked = Instruction(text)
            self.check([asked])
            self._tell(Answer(shown, instructions=self.book.set_current([asked])))
        except InputError as error:
            self._tell(Answer(shown, False, str(error)))

    def _share_unclear(self) -> None:
        """Tell the safety gate which refused prohibitions are not resolved."""
        self.book.unclear = tuple(self.dialogue.refused.texts.values())

    def collect(self) -> None:
        """Process the answer of a model; called in the executor's thread."""
        while self._got:
            thinking, answer = self._got.popleft()
            if self._asked is None or self._asked[1] is not thinking:
                continue  # cancelled in the meantime
            text, self._asked = self._asked[0], None
            if isinstance(answer, str):
                self._warn(say('llm_failed', why=answer))
            self._take(text, self.dialogue.finish(thinking, answer))
            if self._waiting:
                self._converse(self._waiting.popleft())

    def forget(self) -> None:
        """Clear all conversations."""
        self._cancel()
        self.dialogue.reset()
        self._share_unclear()
        self._seen = None
        self.save()

    def _converse(self, text: str) -> None:
        if self._seen is not None:
            self.dialogue.observe(self._seen)
            self._seen = None
        scene = SceneMemory(standing=self.book.standing)
        if self._asked is not None and not self.dialogue.is_urgent(text):
            if len(self._waiting) >= MAX_WAITING:
                self._tell(Answer(text[:MAX_TEXT], False, say('llm_busy')))
            else:
                self._waiting.append(text)
            return
        heard = self.dialogue.begin(text, scene)
        if isinstance(heard, Interpretation):
            self._take(text, heard)
            return
        self._asked = (text, heard)
        Thread(target=self._ask, args=(heard,), name='dialogue', daemon=True).start()

    def _ask(self, thinking: PendingText) -> None:
        """Ask the model; runs in a separate thread."""
        self._got.append((thinking, thinking.ask()))
        self._wake()

    def _cancel(self) -> None:
        """Cancel pending questions to a model."""
        texts = [self._asked[0]] if self._asked is not None else []
        texts += self._waiting
        self._asked = None
        self._waiting.clear()
        for text in texts:
            self._tell(Answer(text[:MAX_TEXT], False, say('llm_cancelled')))

    def _take(self, text: str, heard: Interpretation) -> None:
        """Execute the interpretation of a text and answer."""
        shown = text[:MAX_TEXT]
        kinds = {c.kind for c in heard.commands}
        if kinds & {CommandKind.FORGET, CommandKind.STOP, CommandKind.RESET}:
            self._cancel()
        self._share_unclear()
        if not heard.accepted:
            if CommandKind.STOP in kinds:  # a stop in a text that is otherwise refused
                self.book.clear_current()
                self._stop('the operator said stop')
            self.save()
            self._tell(Answer(shown, False, heard.reason, (), heard.question))
            return
        try:
            made = self.book.hear(heard.instructions, heard.removed)
        except ConversegError as error:
            self._tell(Answer(shown, False, str(error)))
            return
        if kinds & {CommandKind.FORGET, CommandKind.STOP, CommandKind.RESET} and not heard.instructions:
            self.book.clear_current()
        if CommandKind.STOP in kinds:
            self._stop('the operator said stop')
        if CommandKind.RESET in kinds:
            self._reset('the operator asked for it')
        self.save()
        self._tell(Answer(shown, True, heard.reason, made, heard.question))
