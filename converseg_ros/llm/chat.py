"""Models that answer a question about images with text over HTTP: OpenAI-compatible endpoints and Gemini."""

import base64
from dataclasses import dataclass
from functools import cache
import os
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import ConversegError, InputError

REFUSALS = ('SAFETY', 'PROHIBITED_CONTENT', 'RECITATION', 'BLOCKLIST', 'SPII', 'IMAGE_SAFETY')  # Gemini's finishReason
LOOPBACK = ('localhost', '127.0.0.1', '::1')


class RefusedError(Exception):
    """The model will not answer this question."""


class UnavailableError(Exception):
    """No answer this time: overloaded, timed out or unreachable; `retry_after` seconds if the server told."""

    def __init__(self, why: str, retry_after: float = 0.0) -> None:
        super().__init__(why)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Question:
    """One call: what to do, what about, PNG or JPEG images in order, and the JSON schema of the answer."""

    task: str
    system: str
    text: str
    images: tuple[bytes, ...]
    schema: dict[str, Any]
    max_tokens: int = 2000


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back and what was counted for it."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0


class ChatModel(Protocol):
    """One model behind one door."""

    @property
    def name(self) -> str:
        """Provider and model, for the cache key and the provenance; never holds a secret."""
        ...

    @property
    def remote(self) -> bool:
        """Whether images leave this machine."""
        ...

    def ask(self, question: Question) -> Reply:
        """Answer; raise RefusedError, UnavailableError, or ConversegError for what no retry can mend."""
        ...


def image_type(data: bytes) -> str:
    """Return the MIME type of PNG or JPEG bytes."""
    return 'image/png' if data[:4] == b'\x89PNG' else 'image/jpeg'


def _key(variable: str) -> str:
    """Return the API key in an environment variable; keys are read nowhere else and kept nowhere."""
    return os.environ.get(variable, '').strip()


@cache
def _client() -> Any:
    """Return the one HTTP client, which keeps connections open; it is safe to use from several threads."""
    import httpx

    return httpx.Client()


def _post(url: str, body: dict[str, Any], headers: dict[str, str], timeout: float) -> dict[str, Any]:
    """Send JSON and return JSON; sort failures into those worth a retry and those not."""
    import httpx

    host = urlsplit(url).netloc
    try:
        response = _client().post(url, json=body, headers=headers, timeout=timeout)
    except httpx.TimeoutException as error:
        raise UnavailableError(f'no answer within {timeout:g} s') from error
    except httpx.TransportError as error:
        raise UnavailableError(f'{host} cannot be reached ({type(error).__name__})') from error
    if response.status_code in (408, 409, 425, 429) or response.status_code >= 500:
        after = response.headers.get('retry-after', '')
        raise UnavailableError(
            f'HTTP {response.status_code}', float(after) if after.replace('.', '', 1).isdigit() else 0.0
        )
    if response.status_code in (401, 403):
        raise ConversegError(
            f'HTTP {response.status_code}: the key is missing or not accepted',
            where=host,
            do='set the environment variable of --key-env',
        )  # fmt: skip
    if response.status_code >= 400:
        raise ConversegError(
            f'HTTP {response.status_code}',
            where=host,
            do='check --model and --base-url; the server does not take this request',
        )  # fmt: skip
    try:
        data = response.json()
    except ValueError as error:
        raise UnavailableError('half an answer') from error
    if not isinstance(data, dict):
        raise UnavailableError('an answer of another protocol')
    return data


class OpenAIChat:
    """Any server that speaks OpenAI's chat completions: vLLM, Ollama, llama.cpp, OpenAI, OpenRouter."""

    def __init__(self, model: str, base_url: str, *, key_env: str = 'OPENAI_API_KEY', timeout: float = 120.0) -> None:
        if urlsplit(base_url).scheme not in ('http', 'https'):
            raise InputError(f'{base_url!r} is no http address', where='--base-url')
        self.model, self.base_url, self.key_env, self.timeout = model, base_url.rstrip('/'), key_env, timeout

    @property
    def name(self) -> str:
        """Protocol and model; the address is not part of what a model says."""
        return f'openai/{self.model}'

    @property
    def remote(self) -> bool:
        """Whether the server is another machine."""
        return urlsplit(self.base_url).hostname not in LOOPBACK

    def ask(self, question: Question) -> Reply:
        """Ask once."""
        content: list[dict[str, Any]] = [{'type': 'text', 'text': question.text}]
        for image in question.images:
            url = f'data:{image_type(image)};base64,{base64.b64encode(image).decode()}'
            content.append({'type': 'image_url', 'image_url': {'url': url}})
        body = {
            'model': self.model,
            'temperature': 0,
            'max_tokens': question.max_tokens,
            'messages': [{'role': 'system', 'content': question.system}, {'role': 'user', 'content': content}],
            'response_format': {
                'type': 'json_schema',
                'json_schema': {'name': question.task, 'schema': question.schema},
            },
        }
        key = _key(self.key_env)
        headers = {'Authorization': f'Bearer {key}'} if key else {}
        data = _post(f'{self.base_url}/chat/completions', body, headers, self.timeout)
        try:
            choice: dict[str, Any] = data['choices'][0]
            message: dict[str, Any] = choice['message']
            usage: dict[str, Any] = data.get('usage') or {}
            if message.get('refusal') or choice.get('finish_reason') == 'content_filter':
                raise RefusedError(str(message.get('refusal') or 'content filter'))
            tokens = int(usage.get('prompt_tokens', 0)), int(usage.get('completion_tokens', 0))
            return Reply(str(message.get('content') or ''), *tokens)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise UnavailableError('an answer of another protocol') from error


class GeminiChat:
    """Google's generateContent."""

    def __init__(
        self,
        model: str,
        base_url: str = 'https://generativelanguage.googleapis.com',
        *,
        key_env: str = 'GEMINI_API_KEY',
        timeout: float = 120.0,
    ) -> None:
        self.model, self.base_url, self.key_env, self.timeout = model, base_url.rstrip('/'), key_env, timeout

    @property
    def name(self) -> str:
        """Provider and model."""
        return f'gemini/{self.model}'

    @property
    def remote(self) -> bool:
        """Whether the server is another machine."""
        return urlsplit(self.base_url).hostname not in LOOPBACK

    def ask(self, question: Question) -> Reply:
        """Ask once; the key travels in a header, so that no address in a log shows it."""
        parts: list[dict[str, Any]] = [{'text': question.text}]
        for image in question.images:
            parts.append({'inline_data': {'mime_type': image_type(image), 'data': base64.b64encode(image).decode()}})
        body = {
            'system_instruction': {'parts': [{'text': question.system}]},
            'contents': [{'role': 'user', 'parts': parts}],
            'generationConfig': {
                'temperature': 0,
                'maxOutputTokens': question.max_tokens,
                'responseMimeType': 'application/json',
                'responseJsonSchema': question.schema,
            },
        }
        url = f'{self.base_url}/v1beta/models/{self.model}:generateContent'
        data = _post(url, body, {'x-goog-api-key': _key(self.key_env)}, self.timeout)
        try:
            blocked = (data.get('promptFeedback') or {}).get('blockReason')
            candidates = data.get('candidates') or []
            if blocked or not candidates or candidates[0].get('finishReason') in REFUSALS:
                raise RefusedError(str(blocked or 'safety'))
            text = ''.join(p.get('text', '') for p in candidates[0]['content']['parts'] if not p.get('thought'))
            usage = data.get('usageMetadata') or {}
            made = int(usage.get('candidatesTokenCount', 0)) + int(usage.get('thoughtsTokenCount', 0))
            return Reply(text, int(usage.get('promptTokenCount', 0)), made)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise UnavailableError('an answer of another protocol') from error


def encode_image(rgb: NDArray[np.uint8], longest: int = 1024) -> bytes:
    """Return JPEG bytes of (H, W, 3) pixels with no side longer than `longest`; the same pixels give the same bytes."""
    import cv2

    scale = min(1.0, longest / max(rgb.shape[:2]))
    if scale < 1:
        size = round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    ok, data = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    if not ok:
        raise InputError('cannot be encoded', where='image')
    return bytes(data)


def encode_mask(mask: NDArray[np.bool_], longest: int = 1024) -> bytes:
    """Return PNG bytes of a mask, white on black, at the size that `encode_image` gives its image."""
    import cv2

    scale = min(1.0, longest / max(mask.shape))
    image = mask.astype(np.uint8) * 255
    if scale < 1:
        size = round(mask.shape[1] * scale), round(mask.shape[0] * scale)
        image = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    ok, data = cv2.imencode('.png', image)
    if not ok:
        raise InputError('cannot be encoded', where='mask')
    return bytes(data)
