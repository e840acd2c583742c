"""Refused prohibitions: the scene is not safe until the operator explains or withdraws them."""

from converseg_ros.core.texts import say
from converseg_ros.dialogue import caution
from converseg_ros.dialogue import vocabulary as v
from converseg_ros.dialogue.clause import full, parse, strip
from converseg_ros.dialogue.memory import Command, CommandKind, Interpretation
from converseg_ros.dialogue.split import split


class RefusedProhibitions:
    """The last refused prohibition of each operator; resolved by an understood safety instruction or by withdrawal."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def refuse(self, text: str, words: str, operator: str, reason: str = '') -> Interpretation:
        """Store a text and return its refusal with a question; only a 'stop' in the text is executed.

        words: the normal form of the text.
        """
        self.texts[operator] = text
        stops = any(parse(c.text).command == CommandKind.STOP for c in split(words))
        return Interpretation(
            commands=[Command(CommandKind.STOP)] if stops else [],
            question=say('ask_unclear'),
            reason=reason or say('unclear', text=text),
            accepted=False,
        )

    def withdraw(self, operator: str = '') -> None:
        """Withdraw the refused text of an operator, if there is one."""
        self.texts.pop(operator, None)

    def settle(self, words: str, operator: str) -> Interpretation | None:
        """Return the meaning of a yes or no while a text is open, else None.

        Commands that withdraw the text are also executed. A yes does not resolve it, because it does not say what to
        guard. A no that is a prohibition itself ("don't!") does not withdraw the first one.
        """
        text = self.texts.get(operator)
        if text is None or caution.count(words):
            return None
        short = words.strip(' ,.!?')
        core = strip(short) or short
        if full(v.NO, short.replace(',', '')) or full(v.NO, core.replace(',', '')):
            self.withdraw(operator)
            return Interpretation(reason=say('withdrawn', text=text))
        if full(v.YES, short) or full(v.YES, core):
            return Interpretation(accepted=False, reason=say('unclear', text=text), question=say('ask_unclear'))
        if parse(words).command in (CommandKind.FORGET, CommandKind.UNDO, CommandKind.RESET):
            self.withdraw(operator)
        return None
