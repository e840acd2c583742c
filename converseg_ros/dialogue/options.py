"""What can be chosen about the dialogue."""

from dataclasses import dataclass


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
