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
from converseg_ros.network.encoders.fused import FrozenLinear
from converseg_ros.network.encoders.minilm import from_int8, load_tokenizer
from converseg_ros.network.file_names import LANGUAGE
from converseg_ros.network.parser.files import opened

HEADS = 12
LAYERS = 6
EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Layer:
    """One BERT layer: its linear layers and normalizations. `inward` gives query, key and value together."""

    inward: FrozenLinear
    outward: FrozenLinear
    norm: tuple[Tensor, Tensor]
    widen: FrozenLinear
    narrow: FrozenLinear
    last_norm: tuple[Tensor, Tensor]

    def __call__(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, S, E) in float32; mask (B, 1, 1, S) is true for visible pieces."""
        q, k, v = self.inward(x).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4).float()
        seen = F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)
        x = F.layer_norm(x + self.outward(seen), x.shape[-1:], *self.norm, EPSILON)
        return F.layer_norm(x + self.narrow(self.widen(x)), x.shape[-1:], *self.last_norm, EPSILON)


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

    def __init__(
        self,
        state: Mapping[str, Tensor],
        count: int,
        ends: tuple[int, int],
        *,
        dtype: torch.dtype = torch.float32,
        packed: bool = False,
    ) -> None:
        """Create the layers from `state`, the weights by their names below `bert.`.

        count: layers. ends: ids of [CLS] and [SEP]. dtype, packed: of the linear layers, see FrozenLinear.
        """
        self.ends = ends
        self.words = state['embeddings.word_embeddings.weight']
        kinds = state['embeddings.token_type_embeddings.weight']
        self.places = state['embeddings.position_embeddings.weight'] + kinds[0]
        self.norm = _pair(state, 'embeddings.LayerNorm')
        self.layers = [_layer(state, f'encoder.layer.{i}.', dtype, packed) for i in range(count)]

    def first(self, count: int) -> 'Context':
        """Return the first `count` layers, which share the weights of this object."""
        out = copy(self)
        out.layers = self.layers[:count]
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


def load_context(
    folder: Path, count: int = LAYERS, *, dtype: torch.dtype = torch.float32, packed: bool = False
) -> Context:
    """Return the first `count` layers of the MiniLM of a model folder, at least one; dtype, packed: as in Context."""
    with opened(folder / LANGUAGE, again='fetch the model folder again') as f:
        names = {n.removeprefix('language_encoder.').removeprefix('bert.'): n for n in f.keys()}  # noqa: SIM118
        wanted = ('embeddings.', *(f'encoder.layer.{i}.' for i in range(count)))
        state = from_int8({name: f.get_tensor(n) for name, n in names.items() if name.startswith(wanted)})
    if f'encoder.layer.{count - 1}.output.dense.weight' not in state:
        raise InputError(f'the language encoder has fewer than {count} layers', where=str(folder / LANGUAGE))
    tokenizer = load_tokenizer(folder)
    ends = tokenizer.token_to_id('[CLS]'), tokenizer.token_to_id('[SEP]')
    return Context(state, count, ends, dtype=dtype, packed=packed)


def _pair(state: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return state[f'{name}.weight'], state[f'{name}.bias']


def _layer(state: Mapping[str, Tensor], prefix: str, dtype: torch.dtype, packed: bool) -> Layer:
    weights, biases = zip(*(_pair(state, f'{prefix}attention.self.{n}') for n in ('query', 'key', 'value')))

    def linear(name: str, gelu: bool = False) -> FrozenLinear:
        return FrozenLinear(*_pair(state, f'{prefix}{name}.dense'), dtype, gelu=gelu, packed=packed)

    return Layer(
        FrozenLinear(torch.cat(weights), torch.cat(biases), dtype, packed=packed),
        linear('attention.output'),
        _pair(state, f'{prefix}attention.output.LayerNorm'),
        linear('intermediate', gelu=True),
        linear('output'),
        _pair(state, f'{prefix}output.LayerNorm'),
    )
