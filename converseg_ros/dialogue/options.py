"""Options of the dialogue."""

from dataclasses import dataclass

from converseg_ros.core.options import check_options, option


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the interpretation of texts."""

    backend: str = option('rules', choices=('rules', 'openai', 'local'))
    """Interpreter: rules; openai: any server with OpenAI's protocol, at `url`; local: a transformers folder."""
    url: str = 'http://127.0.0.1:8080/v1'
    """Address of the server for `openai`."""
    model: str = ''
    """Name of the model of the server, or the folder for `local`."""
    key_variable: str = 'OPENAI_API_KEY'
    """Environment variable with the key of the server."""
    timeout_s: float = option(8.0, 0.1, 300.0)
    """Timeout of the model in seconds; then the rules answer."""
    history: int = option(50, 1, 10_000)
    """Number of turns that are stored for each operator."""

    def __post_init__(self) -> None:
        """Validate the options."""
        check_options(self, 'dialogue options')
