"""From a model's reply to a checked object: thinking is left out, the JSON object is found, pydantic checks it."""

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
    """A reply that is not what was asked for."""


def without_thinking(text: str) -> str:
    """Return a reply without its thinking; '' where the thinking was cut off before the answer.

    Some chat templates open the tag in the prompt, so that only its end is in the reply.
    """
    ends = list(_CLOSE.finditer(text))
    rest = text[ends[-1].end() :] if ends else text
    start = _OPEN.search(rest)
    return rest[: start.start()] if start else rest


def parse(text: str, answer: type[Answer]) -> Answer:
    """Return the last JSON object of a reply that is an `answer`, whatever words, fences or braces are around it.

    Raise UnusableError that says what is wrong with the last object.
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
    """Return a JSON schema without references, as the strictest servers want it."""
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
