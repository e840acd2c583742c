"""Prohibitions that were refused: until the operator explains or takes back one, nothing counts as safe."""

from converseg_ros.core.texts import say
from converseg_ros.dialogue import caution
from converseg_ros.dialogue import vocabulary as v
from converseg_ros.dialogue.clause import full, parse, strip
from converseg_ros.dialogue.memory import Command, CommandKind, Heard
from converseg_ros.dialogue.split import split


class Refused:
    """The last refused prohibition of each operator; a guard that is understood or taking it back settles it."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def refuse(self, text: str, words: str, operator: str, reason: str = '') -> Heard:
        """Keep a text and return its refusal with a question; `words`: its normal form. Only a stop in it is obeyed."""
        self.texts[operator] = text
        stops = any(parse(c.text).command == CommandKind.STOP for c in split(words))
        return Heard(
            commands=[Command(CommandKind.STOP)] if stops else [],
            question=say('ask_unclear'),
            reason=reason or say('unclear', text=text),
            accepted=False,
        )

    def withdraw(self, operator: str = '') -> None:
        """Forget what an operator's refused text was, if there is one."""
        self.texts.pop(operator, None)

    def settle(self, words: str, operator: str) -> Heard | None:
        """Return what a yes or no means while a text is open, else None; commands that take it back are also done.

        A yes settles nothing: it does not say what is to be guarded. A no that is itself a prohibition ("don't!") does
        not take the first one back.
        """
        text = self.texts.get(operator)
        if text is None or caution.count(words):
            return None
        short = words.strip(' ,.!?')
        core = strip(short) or short
        if full(v.NO, short.replace(',', '')) or full(v.NO, core.replace(',', '')):
            self.withdraw(operator)
            return Heard(reason=say('withdrawn', text=text))
        if full(v.YES, short) or full(v.YES, core):
            return Heard(accepted=False, reason=say('unclear', text=text), question=say('ask_unclear'))
        if parse(words).command in (CommandKind.FORGET, CommandKind.UNDO, CommandKind.RESET):
            self.withdraw(operator)
        return None
