"""Phrase templates: alternatives and slots, compiled once; a share of them is held out.

A template is a line of text with `(a|b)` for alternatives, `[a]` for something optional, both of which may be nested,
and `{slot}` for a value: `[please] (show|find) me {np}`. The id of a template is its table and its text, so that it
does not change when lines are added or moved. One template in ten, by a checksum of the id, is held out of training.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
import random
import re
from typing import Any, Literal
import zlib

import yaml

from converseg_ros.core.errors import InputError
from converseg_ros.knowledge import article, tags

Part = Literal['train', 'held_out', 'all']
DATA = Path(__file__).parent / 'data'
HELD_OUT = 10  # one template in this number is held out
_SPACES = re.compile(r'\s+')
_BEFORE_STOP = re.compile(r' +([,.?!;:])')
_ARTICLE = re.compile(r'\b([Aa]) (?=[\w"\'-])')
_TOKEN = re.compile(r'([()|\[\]]|\{\w+\})')


class Slot(str):
    """The name of a value to fill in."""


class Template:
    """One compiled template."""

    __slots__ = ('held_out', 'id', 'parts', 'slots', 'text')

    def __init__(self, table: str, text: str) -> None:
        self.text = text
        self.id = f'{table}/{text}'
        self.held_out = zlib.crc32(self.id.encode()) % HELD_OUT == 0
        tokens = [t for t in _TOKEN.split(text) if t]
        self.parts, rest = _compile(tokens, 0, '', self.id)
        if rest != len(tokens):
            raise InputError('a bracket is not balanced', where=f'phrase template {self.id}')
        self.slots = frozenset(_slots(self.parts))

    def pattern(self) -> re.Pattern[str]:
        """Return a regular expression for the texts of the template; a slot matches one or more words."""
        return re.compile(_SPACES.sub(' *', _expression(self.parts).strip()))

    def fill(self, rng: random.Random, values: Mapping[str, str]) -> str:
        """Return the text with alternatives chosen and slots filled."""
        out: list[str] = []
        _render(self.parts, rng.random, values, out)
        return ''.join(out)


def _compile(tokens: list[str], at: int, closing: str, where: str) -> tuple[tuple[Any, ...], int]:
    """Return the parts from `at` to the closing bracket (alternatives as a tuple) and the position after them."""
    options: list[list[Any]] = [[]]
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token in '([' and len(token) == 1:
            inner, at = _compile(tokens, at, ')' if token == '(' else ']', where)
            options[-1].append(inner if token == '(' else (*inner, ()))
        elif token in ')]' and len(token) == 1:
            if token != closing:
                raise InputError('a bracket is not balanced', where=f'phrase template {where}')
            return tuple(tuple(o) for o in options), at
        elif token == '|':
            options.append([])
        elif token[0] == '{':
            options[-1].append(Slot(token[1:-1]))
        else:
            options[-1].append(token)
    if closing:
        raise InputError('a bracket is not balanced', where=f'phrase template {where}')
    return (tuple(tuple(o) for o in options),), at


def _slots(parts: tuple[Any, ...]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, tuple):
            yield from _slots(part)
        elif isinstance(part, Slot):
            yield str(part)


def _expression(parts: tuple[Any, ...]) -> str:
    """Return a regular expression of parts, with single spaces."""
    out = ''
    for part in parts:
        if isinstance(part, tuple):
            out += f'(?:{"|".join(_expression(option) for option in part)})'
        else:
            out += '.+' if isinstance(part, Slot) else re.sub(r'\ba\b', 'an?', re.escape(part).replace('\\ ', ' '))
    return out


def _render(parts: tuple[Any, ...], draw: Any, values: Mapping[str, str], out: list[str]) -> None:
    for part in parts:
        kind = type(part)
        if kind is str:
            out.append(part)
        elif kind is Slot:
            out.append(values[part])
        else:
            _render(part[int(draw() * len(part))], draw, values, out)


class Templates:
    """The templates of one slot of a table."""

    __slots__ = ('all', 'held', 'train')

    def __init__(self, table: str, texts: Sequence[str]) -> None:
        self.all = [Template(table, t) for t in texts]
        self.train = [t for t in self.all if not t.held_out] or self.all
        self.held = [t for t in self.all if t.held_out]

    def pick(self, rng: random.Random, part: Part) -> Template:
        """Return a template of the part: held-out ones are preferred for 'held_out', and excluded for 'train'.

        A table with only held-out templates also uses them for training, so that every program has a phrase.
        """
        if part == 'train':
            options = self.train
        elif part == 'held_out' and self.held and rng.random() < 0.7:
            options = self.held
        else:
            options = self.all
        return options[int(rng.random() * len(options))]


Entry = dict[str, Templates]


def _read(name: str) -> Any:
    path = DATA / f'{name}.yaml'
    try:
        return yaml.load(path.read_text(encoding='utf-8'), Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f'not readable ({error})', where=str(path)) from error


@cache
def data(name: str) -> Any:
    """Return the contents of a data file."""
    return _read(name)


@cache
def entries(name: str) -> dict[str, Entry]:
    """Return the tables of a file: key -> slot -> templates."""
    out: dict[str, Entry] = {}
    for key, slots in _read(name).items():
        if not isinstance(slots, dict):
            raise InputError('a table has slots with lists', where=f'{name}.yaml: {key}')
        for slot, texts in slots.items():
            if not isinstance(texts, str) or not texts.strip():
                raise InputError('a slot is a block of lines', where=f'{name}.yaml: {key}: {slot}')
        out[str(key)] = {slot: Templates(f'{name}.{key}.{slot}', _lines(texts)) for slot, texts in slots.items()}
    return out


def _lines(block: str) -> list[str]:
    """Return the lines of a block without empty lines and comments."""
    return [line.strip() for line in block.splitlines() if line.strip() and not line.lstrip().startswith('#')]


@cache
def with_knowledge(name: str) -> dict[str, Entry]:
    """Return the tables of tags: those of the file, and the phrases of `knowledge`."""
    out = dict(entries(name))
    for tag in tags().values():
        slots: dict[str, list[str]] = {slot: [t.text for t in ts.all] for slot, ts in out.get(tag.name, {}).items()}
        for use in (tag.use, tag.hazard):
            if use is not None:
                slots.setdefault('ask', []).extend(s.rstrip('?') for s in use.sayings)
                slots.setdefault('use', []).extend(use.verbs)
        out[tag.name] = {slot: Templates(f'{name}.{tag.name}.{slot}', texts) for slot, texts in slots.items() if texts}
    return out


@cache
def lists(name: str) -> dict[str, Templates]:
    """Return the blocks of a file of one level: key -> templates."""
    return {key: Templates(f'{name}.{key}', _lines(texts)) for key, texts in _read(name).items()}


def tidy(text: str) -> str:
    """Return a text with single spaces, no space before punctuation, and 'a' or 'an' by sound."""
    text = _BEFORE_STOP.sub(r'\1', _SPACES.sub(' ', text).strip().lstrip(',;: '))
    return _ARTICLE.sub(lambda m: ('an ' if article(text[m.end() :]) == 'an' else 'a ') if m[1] == 'a' else m[0], text)
