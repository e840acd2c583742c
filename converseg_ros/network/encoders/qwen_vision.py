"""Qwen2.5-VL's vision tower with its windows in one batch, instead of one attention call per window."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision

MERGE = 2


class Layout(NamedTuple):
    """Assignment of the N patches of a grid, in the processor's order of 2 x 2 blocks, to windows.

    There are W windows of `window`^2 slots. gather: (W, slots) the patch in each slot. live: (W, 1, 1, slots), False
    for empty slots of windows at the edge of the image; None if no slot is empty. scatter: (N,) the slot of each patch.
    cos, sin: rotary position, (N, d).
    """

    gather: Tensor
    live: Tensor | None
    scatter: Tensor
    cos: Tensor
    sin: Tensor


def layout(visual: Any, rows: int, columns: int, device: torch.device) -> Layout:
    """Return the layout of a still image of (rows, columns) patches."""
    window = visual.window_size // visual.patch_size
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')
    row, column = (
        x.reshape(rows // MERGE, MERGE, columns // MERGE, MERGE).permute(0, 2, 1, 3).flatten() for x in (row, column)
    )
    across, down = -(-columns // window), -(-rows // window)
    owner = row // window * across + column // window
    scatter = owner * window**2 + row % window * window + column % window
    gather = torch.zeros(down * across * window**2, dtype=torch.long)
    live = torch.zeros(down * across * window**2, dtype=torch.bool)
    gather[scatter] = torch.arange(rows * columns)
    live[scatter] = True
    rotary = visual.rotary_pos_emb
    cos, sin = rotary(rotary.inv_freq, torch.stack([row, column], 1).to(device))
    shaped = live.view(down * across, 1, 1, -1).to(device)
    return Layout(gather.view(-1, window**2).to(device), None if live.all() else shaped, scatter.to(device), cos, sin)


def encode_patches(visual: Any, pixels: Tensor, where: Layout) -> Tensor:
    """Return the (N / 4, D) merged features, in reading order, of a still image's (N, 1176) patches.

    visual: transformers' Qwen2_5_VisionTransformerPretrainedModel, whose modules and weights are used.
    """
    # A 3D convolution whose kernel covers the whole patch is a matrix product.
    weight = visual.patch_embed.proj.weight.flatten(1)
    hidden = F.linear(pixels.to(weight.dtype), weight)
    for index, block in enumerate(visual.blocks):
        attention = block.attn
        qkv = attention.qkv(rms_norm(block.norm1, hidden)).unflatten(1, (3, attention.num_heads, -1))
        q, k = apply_rotary_pos_emb_vision(qkv[:, 0], qkv[:, 1], where.cos, where.sin)
        v = qkv[:, 2]
        if index in visual.fullatt_block_indexes:
            q, k, v = (t.transpose(0, 1)[None] for t in (q, k, v))
            out = F.scaled_dot_product_attention(q, k, v, scale=attention.scaling)
            out = out[0].transpose(0, 1).flatten(1)
        else:
            q, k, v = (t[where.gather].transpose(1, 2) for t in (q, k, v))
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=where.live, scale=attention.scaling)
            out = out.transpose(1, 2).flatten(0, 1).flatten(1)[where.scatter]
        hidden = hidden + attention.proj(out)
        hidden = hidden + block.mlp(rms_norm(block.norm2, hidden))
    merger = visual.merger
    merged: Tensor = merger.mlp(rms_norm(merger.ln_q, hidden).view(-1, merger.hidden_size))
    return merged


def rms_norm(module: Any, hidden: Tensor) -> Tensor:
    """Run transformers' RMSNorm module on hidden states (..., D) as one operation."""
    return F.rms_norm(hidden, module.weight.shape, module.weight, module.variance_epsilon)
