"""What can be chosen about the dialogue."""

from dataclasses import dataclass

from converseg_ros.core.options import check_options, option


@dataclass(frozen=True, slots=True)
class Options:
    """How the dialogue understands."""

    backend: str = option('rules', choices=('rules', 'openai', 'local'))
    """Who understands: rules; openai: any server with OpenAI's protocol, at `url`; local: a transformers folder."""
    url: str = 'http://127.0.0.1:8080/v1'
    """Address of the server of `openai`."""
    model: str = ''
    """Name of the server's model, or the folder of `local`."""
    key_variable: str = 'OPENAI_API_KEY'
    """Environment variable that holds the server's key."""
    timeout_s: float = option(8.0, 0.1, 300.0)
    """Seconds that the model may take; then the rules answer."""
    history: int = option(50, 1, 10_000)
    """Turns kept for each operator."""

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        check_options(self, 'dialogue options')
