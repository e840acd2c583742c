"""A small encoder-decoder transformer (Vaswani et al., arXiv 1706.03762; pre-norm) with a pointer to the input's words.

The structure follows nanoGPT: one class for attention, one for a block, everything else in `ParserModel`. The input is
the sequence of word pieces with MiniLM's frozen embeddings. An output token is one of a closed set, or a copy of an
input word (Vinyals et al., arXiv 1506.03134): its logits are those of the closed set, followed by one for each word.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
import torch.nn.functional as F

Cache = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class ParserConfig:
    """Sizes of the model.

    tokens: of the closed set. pieces, outputs: maximum numbers of input word pieces and output tokens. context: layers
    of MiniLM whose states are an additional input (network/parser/context.py); 0 for none.
    """

    tokens: int
    width: int = 128
    heads: int = 4
    encoder_layers: int = 3
    decoder_layers: int = 2
    embedding: int = 384
    pieces: int = 160
    outputs: int = 81
    dropout: float = 0.0
    context: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return asdict(self)


class Attention(nn.Module):
    """Multi-head attention of a sequence to itself or to `memory`."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def key_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values (B, H, T, D) of `x` (B, T, C)."""
        k, v = self.key_value(x).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return k, v

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
        """Map `x` (B, T, C); mask (B, 1, 1, S) is true for visible keys."""
        q = self.query(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        if x.device.type == 'cpu':  # the bfloat16 kernel is ten times slower there
            q, keys, values = q.float(), keys.float(), values.float()
        seen = F.scaled_dot_product_attention(q, keys, values, mask, is_causal=causal)
        out: Tensor = self.out(seen.transpose(1, 2).flatten(2).to(x.dtype))
        return out


class Block(nn.Module):
    """Self-attention, cross-attention in a decoder, and a two-layer network, each added to its normalised input."""

    def __init__(self, config: ParserConfig, *, decoder: bool) -> None:
        super().__init__()
        c = config.width
        self.norm = nn.LayerNorm(c)
        self.attention = Attention(c, config.heads)
        self.cross_norm = nn.LayerNorm(c) if decoder else None
        self.cross = Attention(c, config.heads) if decoder else None
        self.mlp = nn.Sequential(nn.LayerNorm(c), nn.Linear(c, 4 * c), nn.GELU(approximate='tanh'), nn.Linear(4 * c, c))
        self.dropout = nn.Dropout(config.dropout)

    def encode(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B, S, C); mask (B, 1, 1, S)."""
        y = self.norm(x)
        x = x + self.dropout(self.attention(y, *self.attention.key_values(y), mask))
        out: Tensor = x + self.dropout(self.mlp(x))
        return out

    def decode(
        self, x: Tensor, memory: tuple[Tensor, Tensor], mask: Tensor, past: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map (B, T, C), all tokens so far, or the last one only when `past` has the earlier keys and values."""
        assert self.cross is not None and self.cross_norm is not None
        y = self.norm(x)
        keys, values = self.attention.key_values(y)
        if past is not None:
            keys, values = torch.cat((past[0], keys), 2), torch.cat((past[1], values), 2)
        x = x + self.dropout(self.attention(y, keys, values, None, causal=past is None))
        x = x + self.dropout(self.cross(self.cross_norm(x), *memory, mask))
        return x + self.dropout(self.mlp(x)), (keys, values)


@dataclass(frozen=True, slots=True)
class Memory:
    """The input of the decoder for B texts.

    layers: keys and values of each decoder layer, (B, H, S, D). mask: (B, 1, 1, S). words: (B, W, C), the state of the
    first piece of each word. copied: (B, W, C), the embedding of each word as an output token. word_mask: (B, W).
    """

    layers: list[tuple[Tensor, Tensor]]
    mask: Tensor
    words: Tensor
    copied: Tensor
    word_mask: Tensor

    def rows(self, index: Sequence[int]) -> 'Memory':
        """Return the memory of one text for each hypothesis; index: its text."""
        place = torch.tensor(index, device=self.mask.device)
        layers = [(k[place], v[place]) for k, v in self.layers]
        return Memory(layers, self.mask[place], self.words[place], self.copied[place], self.word_mask[place])


class ParserModel(nn.Module):
    """Word pieces in, logits over closed tokens and words out."""

    def __init__(self, config: ParserConfig) -> None:
        super().__init__()
        self.config = c = config
        self.project = nn.Linear(c.embedding, c.width)
        self.contextual = nn.Linear(c.embedding, c.width, bias=False) if c.context else None
        self.place = nn.Embedding(c.pieces, c.width)
        self.inner = nn.Embedding(2, c.width)  # whether a piece continues a word
        self.encoder = nn.ModuleList([Block(c, decoder=False) for _ in range(c.encoder_layers)])
        self.encoder_norm = nn.LayerNorm(c.width)
        self.token = nn.Embedding(c.tokens + 2, c.width)  # two more: the start, and the embedding of a copied word
        self.output_place = nn.Embedding(c.outputs, c.width)
        self.copied = nn.Linear(c.width, c.width)
        self.decoder = nn.ModuleList([Block(c, decoder=True) for _ in range(c.decoder_layers)])
        self.decoder_norm = nn.LayerNorm(c.width)
        self.point = nn.Linear(c.width, c.width)
        self.bias = nn.Parameter(torch.zeros(c.tokens))
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                last = name.endswith(('out.weight', 'mlp.3.weight'))
                deep = 2 * (c.encoder_layers + c.decoder_layers)
                nn.init.normal_(parameter, std=0.02 if not last else 0.02 / deep**0.5)
            elif name.endswith('bias'):
                nn.init.zeros_(parameter)
        nn.init.normal_(self.project.weight, std=c.embedding**-0.5)
        if self.contextual is not None:  # zero-initialized, so that a model without it is unchanged
            nn.init.zeros_(self.contextual.weight)

    def forward(self, tokens: Tensor, *inputs: Tensor | None) -> Tensor:
        """Return the logits after each of the known tokens (B, T) for the inputs of `encode`, as in training."""
        return self.decode(tokens, self.encode(*inputs))[0]  # type: ignore[arg-type]

    def encode(
        self,
        pieces: Tensor,
        inner: Tensor,
        lengths: Tensor,
        first: Tensor,
        words: Tensor,
        context: Tensor | None = None,
    ) -> Memory:
        """Encode B texts.

        pieces (B, S, E): frozen embeddings. inner (B, S): 1 if a piece continues a word. lengths (B,): pieces of each.
        first (B, W): index of the first piece of each word. words (B,): words of each. context (B, S, E): MiniLM's
        states of the pieces, if `config.context` is set.
        """
        size = pieces.shape[1]
        seen = torch.arange(size, device=pieces.device) < lengths[:, None]
        mask = seen[:, None, None]
        x = self.project(pieces) + self.place.weight[:size] + self.inner(inner)
        if self.contextual is not None:
            assert context is not None
            x = x + self.contextual(context)
        for block in self.encoder:
            x = block.encode(x, mask)  # type: ignore[operator]
        x = self.encoder_norm(x)
        state = x.gather(1, first[..., None].expand(-1, -1, x.shape[2]))
        layers = [block.cross.key_values(x) for block in self.decoder]  # type: ignore[union-attr,operator]
        word_mask = torch.arange(first.shape[1], device=x.device) < words[:, None]
        return Memory(layers, mask, state, self.copied(state), word_mask)

    def decode(self, tokens: Tensor, memory: Memory, cache: Cache | None = None, at: int = 0) -> tuple[Tensor, Cache]:
        """Return logits (B, T, tokens + W) after each of `tokens` (B, T), and the keys and values so far.

        tokens: closed tokens, then pointers from `config.tokens`; -1 is the start. With a cache, `tokens` is the last
        one only, at position `at`.
        """
        c = self.config
        pointer = tokens >= c.tokens
        closed = torch.where(pointer, c.tokens + 1, torch.where(tokens < 0, c.tokens, tokens))
        x = self.token(closed) + self.output_place.weight[at : at + tokens.shape[1]]
        place = (tokens - c.tokens).clamp(0, memory.words.shape[1] - 1)
        copied = memory.copied.gather(1, place[..., None].expand(-1, -1, c.width))
        x = x + copied * pointer[..., None]
        kept: Cache = {}
        for i, block in enumerate(self.decoder):
            past = None if cache is None else cache[str(i)]
            x, kept[str(i)] = block.decode(x, memory.layers[i], memory.mask, past)  # type: ignore[operator]
        x = self.decoder_norm(x)
        scale = c.width**-0.5
        closed_logits = F.linear(x, self.token.weight[: c.tokens], self.bias)
        pointers = (self.point(x) @ memory.words.transpose(1, 2)) * scale
        pointers = pointers.masked_fill(~memory.word_mask[:, None], -1e4)
        return torch.cat((closed_logits, pointers), 2), kept
