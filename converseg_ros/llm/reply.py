"""Validated objects from the replies of models: remove the reasoning, find the JSON object, validate it by pydantic."""

from collections.abc import Iterator
from functools import cache
import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Answer = TypeVar('Answer', bound=BaseModel)

_TAGS = 'think|thinking|thought|reasoning|reflection'
_OPEN, _CLOSE = re.compile(rf'<({_TAGS})>', re.IGNORECASE), re.compile(rf'</({_TAGS})>', re.IGNORECASE)


class UnusableError(ValueError):
    """A reply that does not follow the schema."""


def without_thinking(text: str) -> str:
    """Return a reply without its reasoning; '' if the reasoning was truncated before the answer.

    Some chat templates put the opening tag into the prompt, so that only the closing tag is in the reply.
    """
    ends = list(_CLOSE.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    start = _OPEN.search(rest)
    return rest[: start.start()] if start else rest


def parse(text: str, answer: type[Answer]) -> Answer:
    """Return the last JSON object of a reply that is an `answer`; other text, fences and braces are ignored.

    Raise UnusableError with the error of the last object.
    """
    problem = 'no JSON object in its answer'
    for data in reversed(list(_objects(without_thinking(text)))):
        try:
            return answer.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = '.'.join(str(p) for p in first['loc'])
            if problem.startswith('no JSON'):
                problem = f'its answer does not fit the schema ({where or "object"}: {first["msg"]})'[:240]
    raise UnusableError(problem)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the outermost JSON objects of a text in their order."""
    decoder = json.JSONDecoder()
    at = text.find('{')
    while at >= 0:
        try:
            data, end = decoder.raw_decode(text, at)
        except ValueError:
            end = at + 1
        else:
            yield data
        at = text.find('{', end)


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return a JSON schema without references, which some servers require."""
    schema = model.model_json_schema()
    definitions = schema.pop('$defs', {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if '$ref' in node:
                return resolve(definitions[node['$ref'].rsplit('/', 1)[1]])
            return {k: resolve(v) for k, v in node.items() if k not in ('title', 'default', 'description')}
        return [resolve(n) for n in node] if isinstance(node, list) else node

    out: dict[str, Any] = resolve(schema)
    return out
