"""SAM 2's Hiera trunk with fewer operations than in transformers, using transformers' modules and weights.

transformers 5 computes an attention matrix that is not used, and interpolates the position embedding for every image;
this implementation does neither (arXiv 2306.00989; windowed position embedding: arXiv 2311.05613).
"""

from typing import Any

from torch import Tensor
from torch.nn import functional as F

Grid = tuple[int, int]


def position_embedding(trunk: Any, grid: Grid) -> Tensor:
    """Return the (1, rows, columns, C) position embedding of a grid of patches, always in float32."""
    rows, columns = grid
    window = trunk.pos_embed_window.float()
    position = F.interpolate(trunk.pos_embed.float(), size=grid, mode='bicubic')
    tiled = window.tile(1, 1, rows // window.shape[2], columns // window.shape[3])
    out: Tensor = (position + tiled).permute(0, 2, 3, 1)
    return out


def run_trunk(trunk: Any, pixels: Tensor, position: Tensor) -> list[Tensor]:
    """Return the (B, h, w, C) output of each stage for (B, 3, H, W) pixels; trunk: transformers' Sam2HieraDetModel."""
    hidden = trunk.patch_embed.projection(pixels).permute(0, 2, 3, 1)
    hidden = hidden + position.to(hidden.dtype)
    stages = []
    for index, block in enumerate(trunk.blocks):
        hidden = _block(block, hidden)
        if index in trunk.stage_ends:
            stages.append(hidden)
    return stages


def _block(block: Any, hidden: Tensor) -> Tensor:
    """Run one multi-scale block on (B, h, w, C)."""
    residual, window, stride = hidden, block.window_size, block.query_stride
    hidden = block.layer_norm1(hidden)
    if block.dim != block.dim_out:
        residual = _pool(block.proj(hidden), stride)
    grid = (hidden.shape[1], hidden.shape[2])
    if window:
        hidden = _windows(hidden, window)
    hidden = _attention(block.attn, hidden, stride)
    if window:
        if stride:
            window, grid = window // stride[0], (residual.shape[1], residual.shape[2])
        hidden = _image(hidden, window, grid)
    hidden = residual + hidden
    out: Tensor = hidden + block.mlp(block.layer_norm2(hidden))
    return out


def _attention(module: Any, hidden: Tensor, stride: Any) -> Tensor:
    """Attend within each (h, w) of (B, h, w, C); queries are max-pooled by `stride` at the start of a stage."""
    rows, columns = hidden.shape[1:3]
    heads = module.num_attention_heads
    q, k, v = module.qkv(hidden).flatten(1, 2).chunk(3, -1)
    if stride:
        q = _pool(q.unflatten(1, (rows, columns)), stride)
        rows, columns = q.shape[1:3]
        q = q.flatten(1, 2)
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, scale=module.scale)
    projected: Tensor = module.proj(out.transpose(1, 2).flatten(2).unflatten(1, (rows, columns)))
    return projected


def _pool(hidden: Tensor, stride: Any) -> Tensor:
    """Max-pool (B, h, w, C)."""
    return F.max_pool2d(hidden.permute(0, 3, 1, 2), stride, stride).permute(0, 2, 3, 1)


def _windows(hidden: Tensor, size: int) -> Tensor:
    """Split (B, h, w, C) into (B * n, size, size, C), padded with zeros, which are attended to as in SAM 2."""
    _, rows, columns, _ = hidden.shape
    hidden = F.pad(hidden, (0, 0, 0, -columns % size, 0, -rows % size))
    cut = hidden.unflatten(2, (-1, size)).unflatten(1, (-1, size))
    out: Tensor = cut.transpose(2, 3).flatten(0, 2)
    return out


def _image(windows: Tensor, size: int, grid: Grid) -> Tensor:
    """Undo `_windows` for an image of `grid`."""
    down, across = -(-grid[0] // size), -(-grid[1] // size)
    image = windows.unflatten(0, (-1, down, across)).transpose(2, 3).flatten(3, 4).flatten(1, 2)
    out: Tensor = image[:, : grid[0], : grid[1]]
    return out
