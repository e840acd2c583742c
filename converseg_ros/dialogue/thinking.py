"""How the dialogue understands, and a text that a language model has still to understand."""

from dataclasses import dataclass

from converseg_ros.core import InputError
from converseg_ros.dialogue.conversation import Draft
from converseg_ros.dialogue.memory import SceneMemory, Turn


@dataclass(frozen=True, slots=True)
class Options:
    """How the dialogue understands."""

    backend: str = 'rules'
    """Who understands: rules; openai: any server with OpenAI's protocol, at `url`; local: a transformers folder."""
    url: str = 'http://127.0.0.1:8080/v1'
    """Address of the server of `openai`."""
    model: str = ''
    """Name of the server's model, or the folder of `local`."""
    key_variable: str = 'OPENAI_API_KEY'
    """Environment variable that holds the server's key."""
    timeout_s: float = 8.0
    """Seconds that the model may take; then the rules answer."""
    history: int = 50
    """Turns kept for each operator."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """A text that a language model has still to understand: call `ask` in any thread, then `Dialogue.finish`."""

    text: str
    words: str
    scene: SceneMemory
    operator: str
    turns: tuple[Turn, ...]
    options: Options
    reasons: tuple[str, ...] = ()

    def ask(self) -> Draft | str:
        """Return what the model understood, or why it did not; takes up to `timeout_s`, changes nothing."""
        from converseg_ros.dialogue.language_model import ask_model

        try:
            return ask_model(self.words, self.scene, self.turns, self.options)
        except (InputError, OSError, ValueError, RuntimeError) as error:
            return str(error) or type(error).__name__
