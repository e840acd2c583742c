"""Qwen2.5-VL's vision tower with its windows as one batch, instead of one attention call a window."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

MERGE = 2


@lru_cache(maxsize=16)
def layout(rows: int, columns: int, window: int) -> tuple[Tensor, Tensor, Tensor, Tensor, bool]:
    """Return how the patches of a (rows, columns) grid lie in windows of `window` x `window` patches.

    positions: (N, 2) row and column of each patch, in the order of the processor (2 x 2 blocks). gather: (W, window^2)
    which patch stands in each slot of each window. live: (W, 1, 1, window^2) False for empty slots, of windows cut by
    the edge. scatter: (N,) the slot each patch stands in. full: no slot is empty.
    """
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')

    def blocks(x: Tensor) -> Tensor:
        return x.reshape(rows // MERGE, MERGE, columns // MERGE, MERGE).permute(0, 2, 1, 3).flatten()

    row, column = blocks(row), blocks(column)
    across = -(-columns // window)
    owner = row // window * across + column // window
    slot = row % window * window + column % window
    count = -(-rows // window) * across
    scatter = owner * window * window + slot
    gather = torch.zeros(count * window * window, dtype=torch.long)
    live = torch.zeros(count * window * window, dtype=torch.bool)
    gather[scatter] = torch.arange(rows * columns)
    live[scatter] = True
    live = live.view(count, 1, 1, -1)
    return torch.stack([row, column], 1), gather, live, scatter, bool(live.all())


def encode_patches(visual: Any, pixels: Tensor, rows: int, columns: int) -> Tensor:
    """Return the (rows * columns / 4, D) merged features of a still image's patches, in reading order.

    visual: transformers' Qwen2_5_VisionTransformerPretrainedModel, whose modules and weights are used.
    """
    window = visual.window_size // visual.patch_size
    device = pixels.device
    positions, gather, live, scatter, full = layout(rows, columns, window)
    mask = None if full else live.to(device)
    gather, scatter = gather.to(device), scatter.to(device)
    # A 3D convolution whose kernel is the whole patch is a matrix product.
    weight = visual.patch_embed.proj.weight.flatten(1)
    hidden = F.linear(pixels.to(weight.dtype), weight)
    cos, sin = visual.rotary_pos_emb(hidden, positions.to(device))
    for index, block in enumerate(visual.blocks):
        attention = block.attn
        qkv = attention.qkv(block.norm1(hidden)).unflatten(1, (3, attention.num_heads, -1))
        q, k = apply_rotary_pos_emb_vision(qkv[:, 0], qkv[:, 1], cos, sin)
        v = qkv[:, 2]
        if index in visual.fullatt_block_indexes:
            q, k, v = (t.transpose(0, 1)[None] for t in (q, k, v))
            out = F.scaled_dot_product_attention(q, k, v, scale=attention.scaling)
            out = out[0].transpose(0, 1).flatten(1)
        else:
            q, k, v = (t[gather].unflatten(0, (-1, window * window)).transpose(1, 2) for t in (q, k, v))
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=attention.scaling)
            out = out.transpose(1, 2).flatten(0, 1).flatten(1)[scatter]
        hidden = hidden + attention.proj(out)
        hidden = hidden + block.mlp(block.norm2(hidden))
    merged: Tensor = visual.merger(hidden)
    return merged
