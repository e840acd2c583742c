"""Qwen2.5-VL as ConverSeg-Net's language encoder: last hidden states only, shared prefix, packed instructions.

The chat is `system, user: image, instruction`. The image and everything before it precede the instruction, so with
causal attention they do not depend on it: their keys and values are computed once per image. K instructions are packed
behind that prefix into one sequence in which each attends to the prefix and itself, without padding, and the weights
are read once. Positions are those of M-RoPE (Qwen2.5-VL, arXiv 2502.13923, section 2.1).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLModel
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb

from converseg_ros.core import InputError
from converseg_ros.network.config import QwenConfig
from converseg_ros.network.encoders.language import LanguageEncoder, Run
from converseg_ros.network.encoders.qwen_chat import Chat
from converseg_ros.network.encoders.qwen_image import Patches, patches, smart_size
from converseg_ros.network.encoders.qwen_vision import Layout, encode_patches, layout, rms_norm
from converseg_ros.network.features import LanguageFeatures

LayerState = tuple[Tensor, Tensor]  # keys and values (1, heads, P, d)


@dataclass(slots=True)
class Seen:
    """An image for the language encoder, with its cached states."""

    patches: Patches
    keys: list[LayerState] = field(default_factory=list)  # of the prefix; empty before the first instruction
    text: Tensor | None = None  # (S, D) hidden states of the prefix's text tokens


class Packed(NamedTuple):
    """K instructions behind one prefix of P tokens: S tokens in total, those beyond `lengths` are padding of a bucket.

    ids: (S,). positions: (3, S) for M-RoPE. live: (S, P + S), the keys that each token attends to. lengths: of each
    instruction.
    """

    ids: Tensor
    positions: Tensor
    live: Tensor
    lengths: list[int]


class QwenEncoder(LanguageEncoder):
    """Hidden states of the text tokens and of the last `<|im_end|>` for K instructions about one image."""

    sees = True

    def __init__(self, config: QwenConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build the model; the tokenizer is only needed to encode text."""
        super().__init__()
        self.config = config
        settings = Qwen2_5_VLConfig(**config.settings)
        settings._attn_implementation = 'sdpa'
        self.model = Qwen2_5_VLModel(settings)
        self.max_pixels = config.max_pixels
        self.chat = Chat(tokenizer) if tokenizer is not None else None
        # A predictor may replace these: how the part on the device is run, and the padded lengths.
        self.run: Run = lambda function, key, *tensors: function(*tensors)
        self.bucket: Callable[[int], int] = lambda length: length
        self._constants: dict[tuple[int, int, torch.device], tuple[Layout, Tensor, Tensor]] = {}

    def materialise(self) -> None:
        """Create the buffers that no file contains, after the model was built on the meta device."""
        for owner, name in ((self.model.visual, 'rotary_pos_emb'), (self.model.language_model, 'rotary_emb')):
            rotary = getattr(owner, name)
            setattr(owner, name, type(rotary)(config=rotary.config))

    def limit_pixels(self, max_pixels: int) -> None:
        """Set the maximum number of pixels of an image, within the limit of the configuration."""
        self.max_pixels = min(max_pixels, self.config.max_pixels)

    def accelerate(self, run: Run, bucket: Callable[[int], int]) -> None:
        """Let `run` execute the part on the device, with lengths padded to those of `bucket`."""
        self.run, self.bucket = run, bucket

    def prepare_image(self, rgb: NDArray[np.uint8]) -> Seen:
        """Return an (H, W, 3) uint8 image as patches, at native resolution or limited to `max_pixels`."""
        shape = (int(rgb.shape[0]), int(rgb.shape[1]))
        return Seen(patches(rgb, smart_size(shape, min(self.config.min_pixels, self.max_pixels), self.max_pixels)))

    def forward(self, texts: Sequence[str], image: Any = None) -> LanguageFeatures:
        """Encode K texts about `image` (from prepare_image), which caches keys and values of the prefix."""
        if not isinstance(image, Seen):
            raise InputError('the language encoder needs an image', where='network', do='call prepare_image first')
        cut, packed = image.patches, self.pack(texts, image.patches)
        device = self.model.language_model.embed_tokens.weight.device
        tensors = [_upload(t, device) for t in packed[:3]]
        self.constants(cut.rows, cut.columns, device)  # before a graph is captured
        shape = (cut.rows, cut.columns, len(packed.ids))
        if image.keys:
            flat = [t for layer in image.keys for t in layer]
            hidden = self.run(self.more, ('more', *shape), *tensors, *flat)
            text = image.text
        else:
            first = self.first_of(cut.rows, cut.columns)
            hidden, text, *flat = self.run(first, ('first', *shape), *tensors, _upload(cut.pixels, device))
            if not torch.is_grad_enabled():
                image.keys, image.text = list(zip(flat[::2], flat[1::2])), text
        assert text is not None
        parts = hidden[: sum(packed.lengths)].split(packed.lengths)
        tokens = nn.utils.rnn.pad_sequence([torch.cat([text, h[:-2], h[-1:]]) for h in parts], batch_first=True)
        counts = torch.tensor([len(text) + n - 1 for n in packed.lengths])
        mask = torch.arange(tokens.shape[1]) < counts[:, None]
        return LanguageFeatures(tokens, mask.to(device), torch.stack([h[-2] for h in parts]))

    def pack(self, texts: Sequence[str], cut: Patches) -> Packed:
        """Return K texts as one sequence behind the prefix, on the CPU."""
        chat = self._chat()
        suffixes = [chat.suffix(text) for text in texts]
        lengths = [len(s) for s in suffixes]
        prefix, start = len(chat.prefix) + 1 + cut.grid[0] * cut.grid[1], len(chat.prefix) + max(cut.grid) + 1
        total = sum(lengths)
        size = self.bucket(total)
        ids = torch.full((size,), chat.end[0])
        ids[:total] = torch.tensor([i for s in suffixes for i in s])
        # Each padding token attends to itself, and no other token attends to it.
        owner = torch.cat([torch.full((n,), k) for k, n in enumerate([*lengths, *[1] * (size - total)])])
        within = torch.cat([torch.arange(n) for n in [*lengths, *[1] * (size - total)]])
        own = (owner[:, None] == owner) & (within[:, None] >= within)
        live = torch.cat([torch.ones(size, prefix, dtype=torch.bool), own], 1)
        return Packed(ids, (within + start).expand(3, -1).contiguous(), live, lengths)

    def first_of(self, rows: int, columns: int) -> Run:
        """Return the function that encodes a new image and its first instructions together."""

        def first(ids: Tensor, positions: Tensor, live: Tensor, pixels: Tensor) -> tuple[Tensor, ...]:
            language = self.model.language_model
            where, head, place = self.constants(rows, columns, ids.device)
            visual = encode_patches(self.model.visual, pixels, where)
            around = language.embed_tokens(torch.cat([head, ids]))
            start, count = head.shape[0] - 1, head.shape[0] + visual.shape[0]
            embeds = torch.cat([around[:start], visual.to(around.dtype), around[start:]])
            causal = live.new_ones(count, count).tril()
            above = torch.cat([causal, live.new_zeros(count, ids.shape[0])], 1)
            hidden, keys = self._attend(embeds, torch.cat([place, positions], 1), torch.cat([above, live]), ())
            text = torch.cat([hidden[a:b] for a, b in self._chat().prefix_runs])
            flat = [t[:, :, :count] for layer in keys for t in layer]
            return (hidden[count:], text, *flat)

        return first

    def more(self, ids: Tensor, positions: Tensor, live: Tensor, *flat: Tensor) -> Tensor:
        """Return the (S, D) hidden states of packed instructions behind a cached prefix."""
        past = list(zip(flat[::2], flat[1::2]))
        return self._attend(self.model.language_model.embed_tokens(ids), positions, live, past)[0]

    def constants(self, rows: int, columns: int, device: torch.device) -> tuple[Layout, Tensor, Tensor]:
        """Return device tensors that depend on the grid only: window layout, prefix token ids and positions."""
        key = (rows, columns, device)
        if key not in self._constants:
            chat = self._chat()
            where = layout(self.model.visual, rows, columns, device)
            head = torch.tensor([*chat.prefix, chat.vision_end], device=device)
            self._constants[key] = (where, head, _prefix_positions(len(chat.prefix), (rows // 2, columns // 2), device))
        return self._constants[key]

    def _apply(self, fn: Any, recurse: bool = True) -> 'QwenEncoder':
        """Clear the caches for the old device or precision."""
        self._constants.clear()
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # of torch, without annotations
        return self

    def _chat(self) -> Chat:
        """Return the tokenizer; raise an error if there is none."""
        if self.chat is None:
            raise InputError('no tokenizer was given', where='language encoder', do='load it from a model folder')
        return self.chat

    def _attend(
        self, embeds: Tensor, positions: Tensor, live: Tensor, past: Sequence[LayerState]
    ) -> tuple[Tensor, list[LayerState]]:
        """Run the language model on (S, D) embeddings; `live` (S, P + S): the keys that each token attends to."""
        language = self.model.language_model
        hidden = embeds[None]
        cos, sin = language.rotary_emb(hidden, positions[:, None])
        states: list[LayerState] = []
        for index, layer in enumerate(language.layers):
            attention = layer.self_attn
            x = rms_norm(layer.input_layernorm, hidden)
            shape = (1, x.shape[1], -1, attention.head_dim)
            q, k, v = (p(x).view(shape).transpose(1, 2) for p in (attention.q_proj, attention.k_proj, attention.v_proj))
            q, k = apply_rotary_pos_emb(q, k, cos, sin)
            if past:
                k, v = torch.cat([past[index][0], k], 2), torch.cat([past[index][1], v], 2)
            states.append((k, v))
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=live, scale=attention.scaling, enable_gqa=True)
            hidden = hidden + attention.o_proj(out.transpose(1, 2).flatten(2))
            hidden = hidden + layer.mlp(rms_norm(layer.post_attention_layernorm, hidden))
        return rms_norm(language.norm, hidden)[0], states


def _prefix_positions(head: int, grid: tuple[int, int], device: torch.device) -> Tensor:
    """Return M-RoPE's (time, row, column) positions of `head` text tokens, an image of `grid`, and one token more."""
    rows, columns = grid
    text = torch.arange(head).expand(3, -1)
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')
    image = torch.stack([torch.zeros(rows * columns, dtype=torch.long), row.flatten(), column.flatten()]) + head
    return torch.cat([text, image, torch.full((3, 1), head + max(grid))], 1).to(device)


def _upload(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy to the device asynchronously."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == 'cuda' else tensor
