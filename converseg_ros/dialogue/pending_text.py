"""A text that a language model has to interpret."""

from dataclasses import dataclass

from converseg_ros.core import ConversegError
from converseg_ros.dialogue.conversation import Draft
from converseg_ros.dialogue.language_model import ask_model
from converseg_ros.dialogue.memory import SceneMemory, Turn
from converseg_ros.dialogue.options import Options


@dataclass(frozen=True, slots=True)
class PendingText:
    """A text that a language model has to interpret: call `ask` in any thread, then `Dialogue.finish`."""

    text: str
    words: str
    scene: SceneMemory
    operator: str
    turns: tuple[Turn, ...]
    options: Options
    reasons: tuple[str, ...] = ()

    def ask(self) -> Draft | str:
        """Return the interpretation of the model, or why there is none; takes up to `timeout_s`."""
        try:
            return ask_model(self.words, self.scene, self.turns, self.options)
        except (ConversegError, OSError, ValueError, RuntimeError) as error:
            return str(error) or type(error).__name__
