"""Combine prompts of different length into one batch with masked padding, and split it again."""

import torch
from torch.nn import functional as F

from converseg_ros.network.features import Prompts


def split_rows(prompts: Prompts) -> list[Prompts]:
    """Split a batch into rows without their padding."""
    count = prompts.sparse.shape[0]
    lengths = [prompts.sparse.shape[1]] * count if prompts.mask is None else prompts.mask.sum(1).tolist()
    return [Prompts(prompts.sparse[k : k + 1, : lengths[k]], None, prompts.dense[k : k + 1]) for k in range(count)]


def join_rows(rows: list[Prompts], length: int | None = None) -> Prompts:
    """Join rows; shorter ones are padded, and the padding is masked.

    length: the padded length, always with a mask, for a fixed shape; None: the longest row, without a mask if nothing
    is padded.
    """
    exact = length is None
    length = max(r.sparse.shape[1] for r in rows) if length is None else length
    dense = torch.cat([r.dense for r in rows])
    if exact and all(r.sparse.shape[1] == length for r in rows):
        sparse = torch.cat([r.sparse for r in rows])
        return Prompts(sparse, None, dense)
    sparse = torch.cat([F.pad(r.sparse, (0, 0, 0, length - r.sparse.shape[1])) for r in rows])
    counts = torch.tensor([r.sparse.shape[1] for r in rows], device=sparse.device)
    return Prompts(sparse, torch.arange(length, device=sparse.device) < counts[:, None], dense)
