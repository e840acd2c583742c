"""Boxes by a vision-language model: a server with OpenAI's protocol, Gemini, or a local model of transformers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.llm.boxes import convention_of
from converseg_ros.llm.calls import Calls, Limits, NoAnswerError
from converseg_ros.llm.chat import ChatModel, Question, sent_image, sent_size
from converseg_ros.llm.http import GeminiChat, OpenAIChat
from converseg_ros.llm.local import LocalChat
from converseg_ros.llm.reply import schema_of
from converseg_ros.network.grounded.boxes import Found, best_boxes

CHATS = ('openai', 'gemini', 'local')
SAID = 0.75  # score of a box of the model, which gives no meaningful score
MAX_WAIT = 1.0  # seconds that a request waits because of the rate limit
SYSTEM = 'You find things in the image of a robot. Answer with JSON only. Never guess: what is not seen has no box.'
ASK = (
    'Find every instance of each of these phrases in the image: {phrases}. For each instance give the phrase, exactly '
    'as it is written here, and its box as {box}. Leave out phrases of which nothing is seen.'
)


class _Instance(BaseModel):
    model_config = ConfigDict(extra='ignore')
    phrase: str = Field(max_length=200)
    box: list[float] = Field(min_length=4, max_length=4)


class _Answer(BaseModel):
    model_config = ConfigDict(extra='ignore')
    instances: list[_Instance]


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """The model and its limits.

    kind: openai (any server with that protocol), gemini or local (model: a folder). key_env: the environment variable
    of the key. timeout: seconds for one answer. per_minute, budget: maximum requests per minute and maximum cost in the
    currency of the prices (per million tokens); 0: no limit.
    """

    kind: str
    model: str
    base_url: str = ''
    key_env: str = ''
    timeout: float = 15.0
    per_minute: float = 0.0
    budget: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0

    def __post_init__(self) -> None:
        """Validate what can be validated without a request."""
        if self.kind not in CHATS or not self.model:
            raise InputError(f'chat of kind {self.kind!r}', where='chat', do=f'name a model of {", ".join(CHATS)}')
        numbers = (self.timeout, self.per_minute, self.budget, self.price_in, self.price_out)
        if self.timeout <= 0 or min(numbers) < 0 or not np.isfinite(numbers).all():
            raise InputError('a limit is negative or not finite, or the timeout is 0', where='chat')
        if self.budget and not (self.price_in or self.price_out):
            raise InputError('a budget without prices never ends', where='chat.budget', do='give price_in, price_out')

    def model_of(self, device: str | None = None) -> ChatModel:
        """Return the chat model; a local one is loaded, on a device as in LocalChat."""
        if self.kind == 'local':
            return LocalChat(self.model, device=device)
        if self.kind == 'gemini':
            base = {'base_url': self.base_url} if self.base_url else {}
            return GeminiChat(self.model, key_env=self.key_env or 'GEMINI_API_KEY', timeout=self.timeout, **base)
        return OpenAIChat(self.model, self.base_url, key_env=self.key_env or 'OPENAI_API_KEY', timeout=self.timeout)


class ChatGrounder:
    """Asks a chat model once for each image and set of phrases; an invalid answer is an error."""

    def __init__(
        self, config: ChatConfig, kept: Path, *, agree_remote: bool = False, device: str | None = None
    ) -> None:
        """Create a grounder. kept: folder of the answers, so that the budget holds across restarts.

        device: of a local model, see LocalChat. Raises InputError if images would be sent to another machine without
        consent.
        """
        chat = config.model_of(device)
        if chat.remote and not agree_remote:
            raise InputError(
                f'{chat.name} is on another machine and would be sent the images of the camera',
                where='agree_remote',
                do='set agree_remote (--agree-remote) if that is all right, or use a local server',
            )
        limits = Limits(config.per_minute, config.budget, config.price_in, config.price_out)
        limits.attempts, limits.tries, limits.max_wait = 1, 1, MAX_WAIT  # a robot asks again with the next image
        self.calls, self._convention = Calls(chat, kept, limits), convention_of(chat.name)

    @property
    def name(self) -> str:
        """Return provider and model."""
        return self.calls.chat.name

    def find(self, rgb: NDArray[np.uint8], phrases: Sequence[str]) -> dict[str, list[Found]]:
        """Return the boxes of each phrase; see boxes.Grounder."""
        if not phrases:
            return {}
        size = sent_size(rgb.shape)
        text = ASK.format(phrases=', '.join(f'"{p}"' for p in phrases), box=self._convention.words(*size))
        question = Question('ground', SYSTEM, text, (sent_image(rgb),), schema_of(_Answer))
        try:
            answer = self.calls.ask(question, _Answer)
        except NoAnswerError as error:
            raise ConversegError(str(error), where=self.name, do='ask again, or choose another model') from error
        shares = self._convention.read([i.box for i in answer.instances], size)
        height, width = rgb.shape[0], rgb.shape[1]
        boxes = np.array(shares, np.float64).reshape(-1, 4) * [width, height, width, height]
        wanted = [i.phrase.strip().lower() for i in answer.instances]
        found = {}
        for phrase in phrases:
            mine = boxes[[w == phrase.strip().lower() for w in wanted]] if wanted else boxes
            found[phrase] = best_boxes(mine, np.full(len(mine), SAID), (height, width), 0.0)
        return found
