"""What an agent may not do without an operator: end a safety instruction, or only look for what must be guarded."""

from collections.abc import Sequence

from converseg_ros.agents.answers import Asked, printable
from converseg_ros.core import ConversegError, InputError, Role
from converseg_ros.core.instruction import clean_text
from converseg_ros.core.texts import say
from converseg_ros.dialogue import Dialogue, caution
from converseg_ros.dialogue.normal import normal
from converseg_ros.dialogue.noun_phrases import conjunction


class KeptError(ConversegError):
    """Standing safety instructions remain, because no operator confirmed their removal."""

    def __init__(self, names: Sequence[str], question: str) -> None:
        """Create the error; names: what remains. question: the question to the operator."""
        self.names, self.question = tuple(names), question
        super().__init__(
            f'nothing was changed: the safety instructions {", ".join(names)} stand until an operator agrees',
            where='set_standing',
            do=f'put to the operator: "{question}" Only the operator can end it, on the console, in `converseg chat` '
            'or by voice: "forget ...", then "yes"',
        )


def removal_question(lost: Sequence[Asked]) -> str:
    """Return the dialogue's question before these are removed; '' if there are none."""
    return say('ask_remove', names=conjunction([i['resolved'] for i in lost])) if lost else ''


def looked_for(text: str, role: str) -> str:
    """Return the query to the network; raise InputError for a prohibition that would not be guarded.

    With the role 'safety' a prohibition that the dialogue understands completely becomes its object.
    """
    text = clean_text(text)
    if not caution.count(normal(text)):
        return text
    if role == 'safety':
        heard = Dialogue().hear(text)
        if heard.accepted and len(heard.instructions) == 1 and heard.instructions[0].role == Role.SAFETY:
            return heard.instructions[0].resolved
    raise InputError(
        'this may be a prohibition or a warning, which would be looked for and not guarded',
        where=repr(printable(text)),
        do="guard the thing: set_standing with its name alone and the role 'safety'",
    )
