"""Chat models over HTTP: servers with OpenAI's protocol, and Gemini."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
import os
import time
from typing import Any
from urllib.parse import urlsplit

from converseg_ros.core.errors import ConversegError, InputError
from converseg_ros.llm.chat import Question, RefusedError, Reply, UnavailableError, image_type

REFUSALS = ('SAFETY', 'PROHIBITED_CONTENT', 'RECITATION', 'BLOCKLIST', 'SPII', 'IMAGE_SAFETY')  # Gemini's finishReason
MAX_ANSWER_BYTES = 16 << 20  # bytes of an answer
LOOPBACK = ('localhost', '127.0.0.1', '::1')


def _key(variable: str) -> str:
    """Return the API key in an environment variable; the only place that reads keys, and they are not stored."""
    return os.environ.get(variable, '').strip()


@cache
def _client() -> Any:
    """Return the shared HTTP client, which keeps connections open and is thread-safe."""
    import httpx

    return httpx.Client()


def _post(url: str, body: dict[str, Any], headers: dict[str, str], timeout: float) -> dict[str, Any]:
    """Send JSON and return JSON; sort failures into those worth a retry and those not."""
    import httpx

    host = urlsplit(url).netloc
    try:
        response = _read(url, body, headers, timeout)
    except httpx.TimeoutException as error:
        raise UnavailableError(f'no answer within {timeout:g} s') from error
    except httpx.TransportError as error:
        raise UnavailableError(f'{host} cannot be reached ({type(error).__name__})') from error
    if response.status_code in (408, 409, 425, 429) or response.status_code >= 500:
        after = response.headers.get('retry-after', '')
        raise UnavailableError(
            f'HTTP {response.status_code}', float(after) if after.replace('.', '', 1).isdigit() else 0.0
        )
    if 300 <= response.status_code < 400:
        raise ConversegError(
            f'HTTP {response.status_code}: redirected elsewhere, where neither images nor keys are sent',
            where=host,
            do='give the final address as base_url',
        )  # fmt: skip
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
        kind = response.headers.get('content-type', '').partition(';')[0]
        what = f'the answer is {kind}, not JSON' if 'html' in kind else 'the answer is truncated'
        raise UnavailableError(what) from error
    if not isinstance(data, dict):
        raise UnavailableError('the answer does not follow the protocol')
    return data


def _read(url: str, body: dict[str, Any], headers: dict[str, str], timeout: float) -> Any:
    """Return the whole response; `timeout` bounds all of it, also of a server that sends a byte now and then."""
    import httpx

    deadline = time.monotonic() + timeout
    parts, size = [], 0
    with _client().stream('POST', url, json=body, headers=headers, timeout=timeout) as response:
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if time.monotonic() > deadline:
                raise UnavailableError(f'no answer within {timeout:g} s')
            if size > MAX_ANSWER_BYTES:
                raise UnavailableError(f'an answer of more than {MAX_ANSWER_BYTES >> 20} MB')
        plain = {k: v for k, v in response.headers.items() if k.lower() not in ('content-encoding', 'content-length')}
        return httpx.Response(response.status_code, headers=plain, content=b''.join(parts))


class _HttpChat:
    """A chat model of a server, whose key is in the environment variable `key_env`."""

    protocol: str

    def __init__(self, model: str, base_url: str, *, key_env: str, timeout: float = 120.0) -> None:
        if urlsplit(base_url).scheme not in ('http', 'https'):
            raise InputError(f'{base_url!r} is not an address', where='chat model', do='give http(s)://HOST:PORT/v1')
        self.model, self.base_url, self.key_env, self.timeout = model, base_url.rstrip('/'), key_env, timeout

    @property
    def name(self) -> str:
        """Return protocol and model; the address does not influence the answers."""
        return f'{self.protocol}/{self.model}'

    @property
    def remote(self) -> bool:
        """Return whether the server is another machine."""
        return urlsplit(self.base_url).hostname not in LOOPBACK


@contextmanager
def _following_the_protocol() -> Iterator[None]:
    """Report a reply that lacks an expected field, or has it with another type."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnavailableError('the answer does not follow the protocol') from error


class OpenAIChat(_HttpChat):
    """Any server with OpenAI's chat completions: vLLM, Ollama, llama.cpp, OpenAI, OpenRouter."""

    protocol = 'openai'

    def __init__(self, model: str, base_url: str, *, key_env: str = 'OPENAI_API_KEY', timeout: float = 120.0) -> None:
        super().__init__(model, base_url, key_env=key_env, timeout=timeout)

    def ask(self, question: Question) -> Reply:
        """Ask once."""
        content: Any = [{'type': 'text', 'text': question.text}]
        for image in question.images:
            url = f'data:{image_type(image)};base64,{base64.b64encode(image).decode()}'
            content.append({'type': 'image_url', 'image_url': {'url': url}})
        if not question.images:
            content = question.text  # not all servers of text models accept a list of parts
        body = {
            'model': self.model,
            'temperature': 0,
            'max_tokens': question.max_tokens,
            'messages': [{'role': 'system', 'content': question.system}, {'role': 'user', 'content': content}],
            'response_format': {
                'type': 'json_schema',
                'json_schema': {'name': question.task, 'strict': True, 'schema': question.schema},
            },
        }
        key = _key(self.key_env)
        headers = {'Authorization': f'Bearer {key}'} if key else {}
        data = _post(f'{self.base_url}/chat/completions', body, headers, self.timeout)
        with _following_the_protocol():
            choice: dict[str, Any] = data['choices'][0]
            message: dict[str, Any] = choice['message']
            usage: dict[str, Any] = data.get('usage') or {}
            if message.get('refusal') or choice.get('finish_reason') == 'content_filter':
                raise RefusedError(str(message.get('refusal') or 'content filter'))
            tokens = int(usage.get('prompt_tokens', 0)), int(usage.get('completion_tokens', 0))
            return Reply(str(message.get('content') or ''), *tokens)


class GeminiChat(_HttpChat):
    """Google's generateContent."""

    protocol = 'gemini'

    def __init__(
        self,
        model: str,
        base_url: str = 'https://generativelanguage.googleapis.com',
        *,
        key_env: str = 'GEMINI_API_KEY',
        timeout: float = 120.0,
    ) -> None:
        super().__init__(model, base_url, key_env=key_env, timeout=timeout)

    def ask(self, question: Question) -> Reply:
        """Ask once; the key is sent in a header, so that no logged URL contains it."""
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
        with _following_the_protocol():
            blocked = (data.get('promptFeedback') or {}).get('blockReason')
            candidates = data.get('candidates') or []
            if blocked or not candidates or candidates[0].get('finishReason') in REFUSALS:
                raise RefusedError(str(blocked or 'safety'))
            text = ''.join(p.get('text', '') for p in candidates[0]['content']['parts'] if not p.get('thought'))
            usage = data.get('usageMetadata') or {}
            made = int(usage.get('candidatesTokenCount', 0)) + int(usage.get('thoughtsTokenCount', 0))
            return Reply(text, int(usage.get('promptTokenCount', 0)), made)
