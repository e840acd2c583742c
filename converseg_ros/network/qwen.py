"""Qwen2.5-VL as ConverSeg-Net's language encoder: last hidden states only, shared prefix, packed instructions.

The chat is `system, user: image, instruction`; the image and all before it come first, so under causal attention they
do not depend on the instruction: their keys and values are computed once an image. K instructions are packed behind
that prefix into one sequence in which each attends to the prefix and itself: nothing is padded, and the weights are
read once. Positions are M-RoPE's (Qwen2.5-VL, arXiv 2502.13923, section 2.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

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
from converseg_ros.network.features import LanguageFeatures
from converseg_ros.network.qwen_image import Patches, patches, smart_size
from converseg_ros.network.qwen_vision import encode_patches

SYSTEM = '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n<|vision_start|>'
SPECIAL = ('<|im_start|>', '<|im_end|>', '<|vision_start|>', '<|vision_end|>', '<|image_pad|>')
LayerState = tuple[Tensor, Tensor]  # keys and values (1, heads, P, d)


@dataclass(slots=True)
class Seen:
    """An image as the language encoder sees it, and what it remembers of it."""

    patches: Patches
    keys: list[LayerState] = field(default_factory=list)  # empty until the first instruction
    text: Tensor | None = None  # (S, D) hidden states of the prefix's text tokens

    def forget(self) -> None:
        """Drop what was computed."""
        self.keys, self.text = [], None


class QwenEncoder(nn.Module):
    """Text tokens' and last `<|im_end|>`'s hidden states of K instructions about one image."""

    sees = True

    def __init__(self, config: QwenConfig, tokenizer: Tokenizer | None = None) -> None:
        """Build the model; the tokenizer is needed to encode text, not to load weights."""
        super().__init__()
        self.config = config
        settings = Qwen2_5_VLConfig(**config.settings)
        settings._attn_implementation = 'sdpa'
        self.model = Qwen2_5_VLModel(settings)
        self.max_pixels = config.max_pixels
        self.tokenizer = _Chat(tokenizer) if tokenizer is not None else None

    def materialise(self) -> None:
        """Make the buffers that no file holds, after the model was built on the meta device."""
        for owner, name in ((self.model.visual, 'rotary_pos_emb'), (self.model.language_model, 'rotary_emb')):
            rotary = getattr(owner, name)
            setattr(owner, name, type(rotary)(config=rotary.config))

    def prepare_image(self, rgb: NDArray[np.uint8] | Tensor) -> Seen:
        """Return an (H, W, 3) uint8 image as patches, at native resolution or capped at `max_pixels`."""
        shape = (int(rgb.shape[0]), int(rgb.shape[1]))
        cut = patches(rgb, smart_size(shape, min(self.config.min_pixels, self.max_pixels), self.max_pixels))
        return Seen(cut)

    def forward(self, texts: Sequence[str], image: Any = None) -> LanguageFeatures:
        """Encode K texts about `image` (of prepare_image); keys and values of the prefix are kept in it."""
        if not isinstance(image, Seen):
            raise InputError('the language encoder needs an image', where='network', do='call prepare_image first')
        chat = self._chat()
        suffixes = [chat.suffix(text) for text in texts]
        lengths = [len(s) for s in suffixes]
        device = self.model.language_model.embed_tokens.weight.device
        prefix_length = len(chat.prefix) + 1 + image.patches.rows * image.patches.columns // 4
        start = len(chat.prefix) + max(image.patches.grid)  # position of <|vision_end|>
        ids = torch.tensor([i for s in suffixes for i in s], device=device)
        embeds = self.model.language_model.embed_tokens(ids)
        within = torch.cat([torch.arange(n, device=device) for n in lengths]) + start + 1
        positions = within.expand(3, -1)
        owner = torch.repeat_interleave(torch.arange(len(texts), device=device), torch.tensor(lengths, device=device))
        own = (owner[:, None] == owner) & (within[:, None] >= within)
        live = torch.cat([own.new_ones(len(ids), prefix_length), own], 1)
        if not image.keys:
            before, where = self._prefix(image, device)
            embeds, positions = torch.cat([before, embeds]), torch.cat([where, positions], 1)
            causal = own.new_ones(prefix_length, prefix_length).tril()
            live = torch.cat([torch.cat([causal, own.new_zeros(prefix_length, len(ids))], 1), live])
        hidden, keys = self._run(embeds, positions, live, image.keys)
        if image.keys:
            text = image.text
        else:
            text, hidden = hidden[chat.prefix_text], hidden[prefix_length:]
            if not torch.is_grad_enabled():
                image.keys = [(k[:, :, :prefix_length], v[:, :, :prefix_length]) for k, v in keys]
                image.text = text
        assert text is not None
        rows = [torch.cat([text, h[:-2], h[-1:]]) for h in hidden.split(lengths)]
        pooled = torch.stack([h[-2] for h in hidden.split(lengths)])
        tokens = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        counts = torch.tensor([len(r) for r in rows], device=device)
        return LanguageFeatures(tokens, torch.arange(tokens.shape[1], device=device) < counts[:, None], pooled)

    def _chat(self) -> '_Chat':
        """Return the tokenizer, or say that there is none."""
        if self.tokenizer is None:
            raise InputError('no tokenizer was given', where='language encoder', do='load it from a model folder')
        return self.tokenizer

    def _prefix(self, image: Seen, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return embeddings (P, D) and positions (3, P) of system prompt, image and the token behind it."""
        chat, cut = self._chat(), image.patches
        embed = self.model.language_model.embed_tokens
        visual = encode_patches(self.model.visual, cut.pixels.to(device), cut.rows, cut.columns)
        head = torch.tensor(chat.prefix, device=device)
        tail = torch.tensor([chat.vision_end], device=device)
        embeds = torch.cat([embed(head), visual.to(embed.weight.dtype), embed(tail)])
        return embeds, _prefix_positions(len(chat.prefix), cut.grid).to(device)

    def _run(
        self, embeds: Tensor, positions: Tensor, live: Tensor, past: list[LayerState]
    ) -> tuple[Tensor, list[LayerState]]:
        """Run the language model on (S, D) embeddings; `live` (S, P + S) says which keys each token sees."""
        language = self.model.language_model
        hidden = embeds[None]
        cos, sin = language.rotary_emb(hidden, positions[:, None])
        states: list[LayerState] = []
        for index, layer in enumerate(language.layers):
            attention = layer.self_attn
            x = layer.input_layernorm(hidden)
            shape = (1, x.shape[1], -1, attention.head_dim)
            q = attention.q_proj(x).view(shape).transpose(1, 2)
            k = attention.k_proj(x).view(shape).transpose(1, 2)
            v = attention.v_proj(x).view(shape).transpose(1, 2)
            q, k = apply_rotary_pos_emb(q, k, cos, sin)
            if past:
                k, v = torch.cat([past[index][0], k], 2), torch.cat([past[index][1], v], 2)
            states.append((k, v))
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=live, scale=attention.scaling, enable_gqa=True)
            hidden = hidden + attention.o_proj(out.transpose(1, 2).flatten(2))
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
        return language.norm(hidden)[0], states


@lru_cache(maxsize=16)
def _prefix_positions(head: int, grid: tuple[int, int]) -> Tensor:
    """Return M-RoPE's (time, row, column) positions of `head` text tokens, an image of `grid`, and one token more."""
    rows, columns = grid
    text = torch.arange(head).expand(3, -1)
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')
    image = torch.stack([torch.zeros(rows * columns, dtype=torch.long), row.flatten(), column.flatten()]) + head
    return torch.cat([text, image, torch.full((3, 1), head + max(grid))], 1)


class _Chat:
    """The tokenizer, with the chat format around an instruction; a person's text never becomes a special token."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        ids = {s: tokenizer.token_to_id(s) for s in SPECIAL}
        missing = [s for s, i in ids.items() if i is None]
        if missing:
            raise InputError(f'the tokenizer lacks {", ".join(missing)}', where='tokenizer.json', do="use Qwen2.5-VL's")
        self.prefix: list[int] = self.tokenizer.encode(SYSTEM, add_special_tokens=False).ids
        self.prefix_text = [n for n, i in enumerate(self.prefix) if i not in ids.values()]
        self.vision_end: int = ids['<|vision_end|>']
        self.end: list[int] = [ids['<|im_end|>'], *self.tokenizer.encode('\n', add_special_tokens=False).ids]
        if len(self.end) != 2:
            raise InputError('a line feed is not one token', where='tokenizer.json', do="use Qwen2.5-VL's")
        self.tokenizer.encode_special_tokens = True

    def suffix(self, text: str) -> list[int]:
        """Return the tokens of an instruction, its end mark and the line feed."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids + self.end
