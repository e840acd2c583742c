"""The first layers of the frozen MiniLM (Wang et al., arXiv 2002.10957): contextual embeddings of word pieces.

Static embeddings of word pieces do not depend on the other words; MiniLM was trained on far more English text than the
parser. Only inference is needed, so that the layers are plain matrices.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
import torch.nn.functional as F

from converseg_ros.core.errors import InputError
from converseg_ros.network.encoders.minilm import from_int8, load_tokenizer
from converseg_ros.network.parser.files import opened

HEADS = 12
LAYERS = 6
EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Layer:
    """One BERT layer: weights and biases of the query, key and value together, the output and the two-layer network."""

    inward: tuple[Tensor, Tensor]
    outward: tuple[Tensor, Tensor]
    norm: tuple[Tensor, Tensor]
    widen: tuple[Tensor, Tensor]
    narrow: tuple[Tensor, Tensor]
    last_norm: tuple[Tensor, Tensor]

    def __call__(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, S, E); mask (B, 1, 1, S) is true for visible pieces."""
        q, k, v = F.linear(x, *self.inward).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4).float()
        seen = F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2).to(x.dtype)
        x = F.layer_norm(x + F.linear(seen, *self.outward), x.shape[-1:], *self.norm, EPSILON)
        inner = F.linear(F.gelu(F.linear(x, *self.widen)), *self.narrow)
        return F.layer_norm(x + inner, x.shape[-1:], *self.last_norm, EPSILON)


@dataclass(frozen=True, slots=True)
class Hidden:
    """States (B, S + 2, E) of B texts after some layers, with [CLS] and [SEP]. mask (B, 1, 1, S + 2): visible ones."""

    states: Tensor
    mask: Tensor

    @property
    def pieces(self) -> Tensor:
        """Return the states (B, S, E) of the word pieces."""
        return self.states[:, 1:-1]

    @property
    def mean(self) -> Tensor:
        """Return the mean (B, E) of the visible states, which is the sentence vector after the last layer."""
        weight = self.mask[:, 0, 0, :, None].to(self.states.dtype)
        return (self.states * weight).sum(1) / weight.sum(1)

    def rows(self, index: Sequence[int]) -> 'Hidden':
        """Return the states of some texts."""
        place = torch.tensor(index, dtype=torch.long)
        return Hidden(self.states[place], self.mask[place])

    @torch.no_grad()
    def after(self, layers: Sequence[Layer]) -> 'Hidden':
        """Return the states after further layers."""
        states = self.states
        for layer in layers:
            states = layer(states, self.mask)
        return Hidden(states, self.mask)


class Context:
    """Maps word pieces to the hidden states of MiniLM's first layers."""

    def __init__(self, state: Mapping[str, Tensor], count: int, ends: tuple[int, int]) -> None:
        """Create the layers from `state`, the weights by their names below `bert.`.

        count: layers. ends: ids of [CLS] and [SEP].
        """
        self.ends = ends
        self.words = state['embeddings.word_embeddings.weight']
        kinds = state['embeddings.token_type_embeddings.weight']
        self.places = state['embeddings.position_embeddings.weight'] + kinds[0]
        self.norm = _pair(state, 'embeddings.LayerNorm')
        self.layers = [_layer(state, f'encoder.layer.{i}.') for i in range(count)]

    def first(self, count: int) -> 'Context':
        """Return the first `count` layers, which share the weights of this object."""
        out = copy(self)
        out.layers = self.layers[:count]
        return out

    def to(self, dtype: torch.dtype) -> 'Context':
        """Return the layers with weights of another dtype."""
        out = copy(self)
        out.words, out.places = self.words.to(dtype), self.places.to(dtype)
        out.norm = (self.norm[0].to(dtype), self.norm[1].to(dtype))
        out.layers = [
            Layer(*((w.to(dtype), b.to(dtype)) for w, b in (getattr(x, n) for n in Layer.__slots__)))
            for x in self.layers
        ]
        return out

    @torch.no_grad()
    def __call__(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, S, E) states of pieces `ids` (B, S) with `lengths` (B,)."""
        return self.hidden(ids, lengths).pieces

    @torch.no_grad()
    def hidden(self, ids: Tensor, lengths: Tensor) -> Hidden:
        """Return the states of pieces `ids` (B, S) with `lengths` (B,), and of [CLS] and [SEP]."""
        count, size = ids.shape
        first, last = self.ends
        framed = torch.full((count, size + 2), last, dtype=torch.long)
        framed[:, 0] = first
        framed[:, 1:-1] = torch.where(torch.arange(size) < lengths[:, None], ids, last)
        if size + 2 > len(self.places):
            raise InputError('the text is too long', where='instruction', do='ask for one thing at a time')
        x = F.layer_norm(
            F.embedding(framed, self.words) + self.places[: size + 2], self.words.shape[1:], *self.norm, EPSILON
        )
        mask = (torch.arange(size + 2) < lengths[:, None] + 2)[:, None, None]
        return Hidden(x, mask).after(self.layers)


def load_context(folder: Path, count: int = LAYERS, file: str = 'language.safetensors') -> Context:
    """Return the first `count` layers of the MiniLM of a model folder in float32, at least one."""
    with opened(folder / file, again='fetch the model folder again') as f:
        names = {n.removeprefix('language_encoder.').removeprefix('bert.'): n for n in f.keys()}  # noqa: SIM118
        wanted = ('embeddings.', *(f'encoder.layer.{i}.' for i in range(count)))
        state = from_int8({name: f.get_tensor(n) for name, n in names.items() if name.startswith(wanted)})
    if f'encoder.layer.{count - 1}.output.dense.weight' not in state:
        raise InputError(f'the language encoder has fewer than {count} layers', where=str(folder / file))
    tokenizer = load_tokenizer(folder)
    return Context(state, count, (tokenizer.token_to_id('[CLS]'), tokenizer.token_to_id('[SEP]')))


def _pair(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return state[f'{name}.weight'], state[f'{name}.bias']


def _layer(state: Mapping[str, Tensor], prefix: str) -> Layer:
    query, key, value = (_pair(state, f'{prefix}attention.self.{n}') for n in ('query', 'key', 'value'))
    return Layer(
        (torch.cat((query[0], key[0], value[0])), torch.cat((query[1], key[1], value[1]))),
        *(
            _pair(state, prefix + name)
            for name in (
                'attention.output.dense', 'attention.output.LayerNorm', 'intermediate.dense', 'output.dense',
                'output.LayerNorm',
            )
        ),
    )  # fmt: skip
