"""The linear form of a program: its nodes in prefix order, as tokens of a closed set and pointers into a text.

A node is a head token, which names the operation and its given optional fields, followed by the values of its fields in
the order of the dataclass. A value of a closed set is one token. A noun, a free text and a length are copied from the
words of the text: a pointer to the first word and one to the last. A field with only one possible value after a head is
not written. Every node therefore has exactly one linear form for a given text, and a stack of the remaining fields
defines which tokens may follow (`Grammar.allowed`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from converseg_ros.core.errors import InputError
from converseg_ros.programs import vocabulary as v
from converseg_ros.programs.nodes import MAX_DEPTH, NODES, Node, node_from_json
from converseg_ros.programs.spans import Text, find_span, read_span

MAX_TOKENS: Final = 80
MAX_UNION: Final = 10
NODE: Final = 'node'
END: Final = 'end'
LENGTH_END: Final = 'length_end'
SPANS: Final = ('noun', 'text', 'length')

FILTERS: Final[dict[str, tuple[str, ...]]] = {
    'colour': v.COLOURS,
    'material': v.MATERIALS,
    'state': v.STATES,
    'physics': v.PHYSICS,
    'region': v.REGIONS,
}
_NUMBERS = tuple(range(1, 21))
CLOSED: Final[dict[str, tuple[str | int, ...]]] = {
    'key': tuple(k for k in v.RANK_KEYS if k != 'distance_to'),
    'key_to_anchor': ('distance_to',),
    'order': ('max', 'min'),
    'place': _NUMBERS[1:],
    'relation': v.RELATIONS,
    'relation_of_two': ('between',),
    'act': v.ACTS,
    'role': v.ROLES,
    'quantity': ('one', 'all', *_NUMBERS[1:]),
    **FILTERS,
}
"""The closed set of each slot; Grammar adds the tags."""

_SLOTS: Final = {
    'rank.key': 'key',
    'rank.order': 'order',
    'rank.first': 'place',
    'rank.count': 'place',
    'relate.relation': 'relation',
    'act.kind': 'act',
    'act.role': 'role',
    'parts.noun': 'noun',
    'free.thing': 'noun',
    'free.size': 'length',
    'select.quantity': 'quantity',
    'like.text': 'text',
}
"""The slot of each field that is not a node; Filter is separate, since its value depends on its kind."""

_IN_CONTEXT: Final = {('rank.key', 'anchor'): 'key_to_anchor', ('relate.relation', 'other'): 'relation_of_two'}
"""Slots that another field restricts if it is given."""


@dataclass(frozen=True, slots=True)
class Head:
    """A head token: the JSON fields that it sets, and the (field, slot) pairs that follow it."""

    token: str
    fixed: dict[str, Any]
    slots: tuple[tuple[str, str], ...]


def _heads() -> list[Head]:
    """Return every head of every operation."""
    heads = []
    for op, kind in NODES.items():
        given = fields(kind)
        if op == 'filter':
            for by in ('name', 'tag', *FILTERS):
                slot = 'noun' if by == 'name' else by
                for of in ((), (('of', NODE),)):
                    token = f'filter.{by}{"+of" if of else ""}'
                    heads.append(Head(token, {'op': op, 'by': by}, (('value', slot), *of)))
            continue
        if op == 'union':
            for n in range(2, MAX_UNION + 1):
                heads.append(Head(f'union.{n}', {'op': op}, tuple(('of', NODE) for _ in range(n))))
            continue
        optional = [f.name for f in given if f.default is not MISSING]
        for size in range(len(optional) + 1):
            for chosen in combinations(optional, size):
                written, fixed = [], {'op': op}
                for f in given:
                    if f.default is not MISSING and f.name not in chosen:
                        continue
                    slot = _SLOTS.get(f'{op}.{f.name}', NODE)
                    for other in chosen:
                        slot = _IN_CONTEXT.get((f'{op}.{f.name}', other), slot)
                    if len(CLOSED.get(slot, ())) == 1:
                        fixed[f.name] = str(CLOSED[slot][0])
                    else:
                        written.append((f.name, slot))
                heads.append(Head('+'.join((op, *chosen)), fixed, tuple(written)))
    return heads


@dataclass(frozen=True, slots=True)
class State:
    """The remaining slots, the next one last, each with its depth; and the start of an open span."""

    stack: tuple[tuple[str, int], ...] = ((NODE, 0),)
    start: int = 0
    written: int = 0

    @property
    def done(self) -> bool:
        """Return whether the program is complete."""
        return not self.stack


@dataclass
class Grammar:
    """The tokens of programs and their order; a number from `size` is a pointer to a word."""

    tags: tuple[str, ...]
    tokens: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Build the tables."""
        closed = CLOSED | {'tag': self.tags, 'implied': v.IMPLIED_NOUNS}
        self.heads = {h.token: h for h in _heads()}
        values = {f'{slot}:{x}': x for slot, xs in closed.items() if len(xs) > 1 for x in xs}
        self.tokens = (*self.heads, *values)
        self.values: dict[str, str | int] = values
        self.number = {t: i for i, t in enumerate(self.tokens)}
        self.size = len(self.tokens)
        options: dict[str, list[str]] = {
            slot: [f'{slot}:{x}' for x in xs] for slot, xs in closed.items() if len(xs) > 1
        }
        options |= {
            NODE: list(self.heads),
            'noun': options.pop('implied'),
            'text': [],
            'length': [],
            END: [],
            LENGTH_END: [],
        }
        self._masks = {slot: self._mask(names) for slot, names in options.items()}
        leaves = [t for t, h in self.heads.items() if all(slot != NODE for _, slot in h.slots)]
        self._leaves = self._mask(leaves)
        self._with_length = self._mask(t for t, h in self.heads.items() if any(s == 'length' for _, s in h.slots))
        self._cost = np.array([1 + sum(_cost(s) for _, s in h.slots) for h in self.heads.values()])

    def _mask(self, names: Iterable[str]) -> NDArray[np.bool_]:
        mask = np.zeros(self.size, bool)
        for name in names:
            mask[self.number[name]] = True
        return mask

    def allowed(self, state: State, text: Text) -> NDArray[np.bool_]:
        """Return which of the `size` tokens and of the pointers to the words of a text may follow, (size + words,)."""
        slot, depth = state.stack[-1]
        out = np.zeros(self.size + len(text), bool)
        if slot == NODE:
            mask = self._leaves if depth >= MAX_DEPTH else self._masks[NODE]
            room = MAX_TOKENS - state.written - sum(_cost(s) for s, _ in state.stack[:-1])
            out[: self.size] = mask
            out[: len(self._cost)] &= self._cost <= room
            if not text.lengths:
                out[: self.size] &= ~self._with_length
            return out
        out[: self.size] = self._masks[slot]
        pointers = out[self.size :]
        if slot == 'length':
            pointers[list(text.lengths)] = True
        elif slot == LENGTH_END:
            pointers[list(text.lengths[state.start])] = True
        elif slot == END:
            pointers[state.start : state.start + v.LONGEST_SPAN] = True
        elif slot in SPANS:
            pointers[:] = True
        return out

    def follow(self, state: State, token: int) -> State:
        """Return the state after `token`, which must be allowed."""
        (slot, depth), rest = state.stack[-1], state.stack[:-1]
        written = state.written + 1
        if slot == NODE:
            slots = self.heads[self.tokens[token]].slots
            return State((*rest, *((s, depth + (s == NODE)) for _, s in reversed(slots))), 0, written)
        if slot in SPANS and token >= self.size:
            end = LENGTH_END if slot == 'length' else END
            return State((*rest, (end, depth)), token - self.size, written)
        return State(rest, 0, written)

    def write(self, node: Node, words: Sequence[str]) -> list[int]:
        """Return the linear form of a program for a text; raise InputError if a value is not among its words."""
        out: list[int] = []
        self._write(node, words, out)
        if len(out) > MAX_TOKENS:
            raise InputError(f'the program has more than {MAX_TOKENS} tokens', where='linear form')
        return out

    def _write(self, node: Node, words: Sequence[str], out: list[int]) -> None:
        data = node.to_json()
        if node.op == 'filter':
            token = f'filter.{data["by"]}{"+of" if "of" in data else ""}'
        elif node.op == 'union':
            token = f'union.{len(data["of"])}'
        else:
            token = '+'.join((node.op, *(f.name for f in fields(node) if f.default is not MISSING and f.name in data)))
        out.append(self._number(token))
        members = iter(node.children()) if node.op == 'union' else None
        for name, slot in self.heads[token].slots:
            if slot == NODE:
                self._write(next(members) if members else getattr(node, name), words, out)
            elif slot in SPANS:
                self._write_span(slot, data[name], words, out)
            else:
                out.append(self._number(f'{slot}:{data[name]}'))

    def _write_span(self, slot: str, value: Any, words: Sequence[str], out: list[int]) -> None:
        span = None if value in v.NEVER_COPIED else find_span(slot, value, words)
        if span is not None:
            out.extend(self.size + place for place in span)
        elif slot == 'noun' and value in v.IMPLIED_NOUNS:
            out.append(self._number(f'implied:{value}'))
        else:
            raise InputError(f'{value!r} is not among the words of the text', where='linear form')

    def _number(self, token: str) -> int:
        if token not in self.number:
            raise InputError(f'{token} has no token', where='linear form')
        return self.number[token]

    def read(self, tokens: Sequence[int], words: Sequence[str]) -> Node:
        """Return the program of a linear form; raise InputError if it is invalid."""
        self._check(tokens, Text(tuple(words)))
        return self.read_valid(tokens, words)

    def read_valid(self, tokens: Sequence[int], words: Sequence[str]) -> Node:
        """Return the program of a linear form whose tokens are known to be allowed."""
        return node_from_json(self._read(iter(tokens), words))

    def _check(self, tokens: Sequence[int], text: Text) -> None:
        state = State()
        for token in tokens:
            if state.done or not 0 <= token < self.size + len(text) or not self.allowed(state, text)[token]:
                raise InputError(f'token {token} may not follow', where='linear form')
            state = self.follow(state, token)
        if not state.done:
            raise InputError('the program is not whole', where='linear form')

    def _read(self, tokens: Any, words: Sequence[str]) -> dict[str, Any]:
        head = self.heads[self.tokens[next(tokens)]]
        data: dict[str, Any] = dict(head.fixed)
        for name, slot in head.slots:
            value: Any
            if slot == NODE:
                value = self._read(tokens, words)
            else:
                token = next(tokens)
                if token < self.size:
                    value = self.values[self.tokens[token]]
                else:
                    value = read_span(slot, words[token - self.size : next(tokens) - self.size + 1])
            if data['op'] == 'union':
                data.setdefault(name, []).append(value)
            else:
                data[name] = value
        return data


def _cost(slot: str) -> int:
    """Return the minimum number of tokens of a slot."""
    return 2 if slot in SPANS else 1
